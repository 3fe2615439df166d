/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jets_fastjet: FastJet behind the interface of jets.h, for jets.c alone. */
#ifndef COMMON_KERNELS_JETS_JETS_FASTJET_H
#define COMMON_KERNELS_JETS_JETS_FASTJET_H

#include "common/kernels/jets/jets.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fastjet_finder fastjet_finder;

/* As in jets.h. */
MUST_CHECK status fastjet_finder_create(fastjet_finder **out, double radius, double pt_min);
void fastjet_finder_destroy(fastjet_finder **self);
/* As jet_finder_find, of particles that were checked. */
enum drop_reason fastjet_finder_find(fastjet_finder *self, size_t n, const float pt[],
                                     const float eta[], const float phi[], struct dijet *out);
/* As jet_finder_subjettiness. */
void fastjet_finder_subjettiness(const fastjet_finder *self, size_t jet, double tau[3]);

#ifdef __cplusplus
}
#endif

#endif
