/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recombine: sequential recombination of particles, E scheme, step by step, on plain arrays.
 * Every particle has a weight w: pT^-2 for anti-kT (Cacciari, Salam, Soyez, JHEP 04 (2008)
 * 063), pT^2 for kT (Ellis, Soper, Phys. Rev. D 48 (1993) 3160). Of all
 * d_ij = min(w_i, w_j) (dy^2 + dphi^2) / R^2 and d_iB = w_i the least comes next.
 *
 * Short cut: if (i, j) is the next pair and w_i <= w_j, then j is the nearest of those that
 * weigh no less than i. So one number per particle, w_i times the squared distance to that
 * neighbour, is enough. When a neighbour goes away the number stays a lower bound: the
 * neighbour is looked for again only when it comes up as the least, which for most is never.
 *
 * Not for callers outside this room: jets.h is. */
#ifndef COMMON_KERNELS_RECOMBINE_H
#define COMMON_KERNELS_RECOMBINE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/kernels/codebook.h"
#include "common/status/status.h"

/* Most particles; with more of them other algorithms (FastJet's) are faster. */
enum { RECOMBINE_MAX = 2048 };
/* Slots are looked at in groups of so many. */
enum { RECOMBINE_LANES = 8 };
/* nearest: none inside R. */
enum { RECOMBINE_BEAM = -1 };

enum recombine_measure { RECOMBINE_ANTI_KT, RECOMBINE_KT };

struct momentum {
    double px, py, pz, e; /* GeV */
};
/* Where a momentum points: rapidity, azimuth in [0, 2 pi], pT^2 in GeV^2. */
struct direction {
    double rapidity, phi, pt2;
};

/* Those not yet gone, in no order: slots 0 to n - 1. Slots from n on hold what meets nobody:
 * infinite weight and score, rapidity 1e200. */
struct recombine_slots {
    size_t n;
    alignas(64) double rapidity[RECOMBINE_MAX];
    alignas(64) double phi[RECOMBINE_MAX];
    alignas(64) double weight[RECOMBINE_MAX];
    alignas(64) double score[RECOMBINE_MAX];    /* lower bound of the least d R^2 it accounts for */
    alignas(64) int64_t nearest[RECOMBINE_MAX]; /* whom it is with: index of a momentum, or BEAM */
};

struct newcomer {
    double rapidity, phi, weight;
    int64_t index;  /* of its momentum */
    double radius2; /* neighbours further away do not count */
};
struct meeting {
    double distance2; /* radius2 if there is none */
    int64_t slot;     /* of the neighbour, the lowest of equals, or RECOMBINE_BEAM */
};

/* The hot loops, once per instruction set, all with the same bits: nothing is summed across
 * slots, and products and sums are rounded one by one. */
struct recombine_path {
    /* Tells every slot of smaller weight of the newcomer, and the newcomer of its nearest among
     * the others. */
    struct meeting (*meet)(struct recombine_slots *slots, const struct newcomer *newcomer);
    /* Slot of the least score, the lowest of equals; n > 0. */
    size_t (*least)(const struct recombine_slots *slots);
};
extern const struct recombine_path recombine_path_plain;
#ifdef __x86_64__
extern const struct recombine_path recombine_path_avx2;
extern const struct recombine_path recombine_path_avx512;
#endif

typedef struct recombination recombination;

/* For tests: path is the instruction set to use, which the machine must have. On STATUS_OK *out
 * is the caller's, to be given to recombination_destroy; else it is NULL. */
MUST_CHECK status recombination_create(recombination **out, enum recombine_measure measure,
                                       double radius, enum codebook_path path);
void recombination_destroy(recombination **self);

/* Forgets all particles. */
void recombination_reset(recombination *self);
/* Adds a particle, which gets the next index, from 0; at most RECOMBINE_MAX, before any step. */
void recombination_add(recombination *self, const struct momentum *p,
                       const struct direction *direction);

/* One step: two merge (false), or one has no neighbour nearer than itself to the beam and leaves
 * (true). *index is that of the merged momentum, new, or of the one that left. Something must
 * remain. */
bool recombination_step(recombination *self, size_t *index);
size_t recombination_remaining(const recombination *self);
/* slot in 0 .. remaining - 1. */
size_t recombination_index(const recombination *self, size_t slot);

const struct momentum *recombination_momentum(const recombination *self, size_t index);
/* The particles of a momentum as a chain: the first, and the one after, -1 at the end. */
int32_t recombination_first(const recombination *self, size_t index);
int32_t recombination_next(const recombination *self, int32_t particle);

/* As FastJet defines them: rapidity from E + |pz| and pT^2 + max(m^2, 0), which keeps its digits
 * for fast and for light ones. */
struct direction momentum_direction(const struct momentum *p);
struct momentum momentum_sum(const struct momentum *a, const struct momentum *b);
/* Squared distance in rapidity and azimuth. */
double direction_distance2(double rapidity1, double phi1, double rapidity2, double phi2);

#endif
