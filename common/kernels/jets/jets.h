/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jets: the two leading anti-kT jets of an event and their substructure.
 * anti-kT (Cacciari, Salam, Soyez, JHEP 04 (2008) 063), E scheme, particles massless:
 * d_ij = min(pT_i^-2, pT_j^-2) (dy^2 + dphi^2) / R^2, d_iB = pT_i^-2. N-subjettiness (Thaler,
 * Van Tilburg, JHEP 03 (2011) 015) tau_N = sum_i pT_i min_a dR(i, a) / pT_jet about the N
 * exclusive kT (R = 1) axes.
 *
 * Two engines find the same jets of the same constituents. The native one (recombine.h) stops
 * as soon as no jet to come could be one of the two leading, and hands events of more than 2,048
 * particles to the other. FastJet 3.4 is the reference. Their numbers agree but for rounding:
 * a particle's rapidity is its eta here and recomputed from its momentum there. */
#ifndef COMMON_KERNELS_JETS_JETS_H
#define COMMON_KERNELS_JETS_JETS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/cpu/instruction_set.h"
#include "common/records/drop_reason.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jet_finder jet_finder;

struct jet {
    double pt;                   /* GeV */
    double eta;                  /* pseudorapidity */
    double phi;                  /* [0, 2 pi) */
    double mass;                 /* GeV, not below 0 */
    size_t n;                    /* constituents */
    const uint32_t *constituent; /* [n] indices into the event's particles, ascending */
};

struct dijet {
    double m_jj; /* GeV, mass of the sum of the two jets */
    struct jet jet[2];
};

/* In the order of the choices of analysis.jets.engine. */
enum jet_engine { JET_ENGINE_NATIVE, JET_ENGINE_FASTJET };

/* A finder for radius in (0, pi/2] and inclusive jets above pt_min GeV. On STATUS_OK *out is the
 * caller's, to be given to jet_finder_destroy; else it is NULL. */
MUST_CHECK status jet_finder_create(jet_finder **out, enum jet_engine engine, double radius,
                                    double pt_min);
/* Frees *self and sets it to NULL; does nothing if it is NULL already. */
void jet_finder_destroy(jet_finder **self);
/* For tests and benches, native engine: use another instruction set than the best one. All give
 * the same bits. The machine must have it. */
MUST_CHECK status jet_finder_use(jet_finder *self, enum instruction_set set);

/* Finds the two leading jets of n particles (pt in GeV; pt == 0 is padding and skipped).
 * Returns DROP_REASONS when *out was filled, else the reason why the event has no dijet:
 * DROP_NOT_FINITE, DROP_NEGATIVE_PT, DROP_ETA_RANGE, DROP_NO_JET or DROP_ONE_JET (in this
 * order of precedence). The arrays in *out belong to the finder and hold until its next
 * call. */
enum drop_reason jet_finder_find(jet_finder *self, size_t n, const float pt[], const float eta[],
                                 const float phi[], struct dijet *out);

/* tau_1, tau_2 and tau_3 of jet 0 or 1 of the dijet found last, at any time until the next call of
 * jet_finder_find. A jet of no more than N constituents has tau_N = 0. */
void jet_finder_subjettiness(jet_finder *self, size_t jet, double tau[3]);

#ifdef __cplusplus
}
#endif

#endif
