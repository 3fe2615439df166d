/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jets: the two leading anti-kT jets of an event and their substructure.
 * anti-kT (Cacciari, Salam, Soyez, JHEP 04 (2008) 063), E scheme, particles massless:
 * d_ij = min(pT_i^-2, pT_j^-2) (dy^2 + dphi^2) / R^2, d_iB = pT_i^-2. Computed by
 * FastJet 3.4 behind this C header. N-subjettiness (Thaler, Van Tilburg, JHEP 03 (2011)
 * 015) tau_N = sum_i pT_i min_a dR(i, a) / pT_jet about the N exclusive kT (R = 1) axes. */
#ifndef COMMON_KERNELS_JETS_H
#define COMMON_KERNELS_JETS_H

#include <stddef.h>
#include <stdint.h>

#include "common/kernels/records.h"
#include "common/status/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jet_finder jet_finder;

struct jet {
    double pt;   /* GeV */
    double eta;  /* pseudorapidity */
    double phi;  /* [0, 2 pi) */
    double mass; /* GeV, not below 0 */
    double tau[3];
    size_t n;                    /* constituents */
    const uint32_t *constituent; /* [n] indices into the event's particles, ascending */
};

struct dijet {
    double m_jj; /* GeV, mass of the sum of the two jets */
    struct jet jet[2];
};

/* A finder for radius in (0, pi/2] and inclusive jets above pt_min GeV. On STATUS_OK
 * *out is the caller's, to be given to jet_finder_destroy; else it is NULL. */
MUST_CHECK status jet_finder_create(jet_finder **out, double radius, double pt_min);
/* Frees *self and sets it to NULL; does nothing if it is NULL already. */
void jet_finder_destroy(jet_finder **self);

/* Finds the two leading jets of n particles (pt in GeV; pt == 0 is padding and skipped).
 * Returns DROP_REASONS when *out was filled, else the reason why the event has no dijet:
 * DROP_NOT_FINITE, DROP_NEGATIVE_PT, DROP_ETA_RANGE, DROP_NO_JET or DROP_ONE_JET (in this
 * order of precedence). The arrays in *out belong to the finder and hold until its next
 * call. */
enum drop_reason jet_finder_find(jet_finder *self, size_t n, const float pt[], const float eta[],
                                 const float phi[], struct dijet *out);

#ifdef __cplusplus
}
#endif

#endif
