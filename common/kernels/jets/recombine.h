/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recombine: sequential recombination of particles, E scheme, step by step, on plain arrays.
 * Every momentum has a weight w: pT^-2 for anti-kT (Cacciari, Salam, Soyez, JHEP 04 (2008)
 * 063), pT^2 for kT (Ellis, Soper, Phys. Rev. D 48 (1993) 3160). Of all
 * d_ij = min(w_i, w_j) (dy^2 + dphi^2) / R^2 and d_iB = w_i the least comes next.
 *
 * Short cut: if (i, j) is the next pair and w_i <= w_j, then j is the nearest of those that
 * weigh no less than i. So one number per momentum, its score, w_i times the squared distance to
 * that neighbour, is enough. When the neighbour goes away the score stays a lower bound: the
 * neighbour is looked for again only when it comes up as the least, which for most is never.
 *
 * The particles stand in the order of their weights, so that each has to look only at those
 * behind it; merged momenta, few at a time, stand behind them in no order.
 *
 * Not for callers outside this room: jets.h is. */
#ifndef COMMON_KERNELS_JETS_RECOMBINE_H
#define COMMON_KERNELS_JETS_RECOMBINE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/cpu/instruction_set.h"

/* Most particles; with more of them other algorithms (FastJet's) are faster. */
enum { RECOMBINE_MAX = 2048 };
/* Most lanes of any instruction set: arrays are padded to multiples. */
enum { RECOMBINE_LANES = 8 };
enum { RECOMBINE_SLOTS = RECOMBINE_MAX + RECOMBINE_MAX / 2 + 2 * RECOMBINE_LANES };

struct momentum {
    double px, py, pz, e; /* GeV */
};

enum recombine_measure { RECOMBINE_ANTI_KT, RECOMBINE_KT };

/* nearest, where it is no slot. */
#define RECOMBINE_BEAM (-1.0) /* none inside R */
#define RECOMBINE_LOST (-2.0) /* gone */
/* rapidity of empty slots: the square of its distance from any jet is infinite. */
#define RECOMBINE_NOWHERE 1e200

/* By index: the particles 0 to n - 1, then the merged in order. GeV, rad. */
struct recombine_momenta {
    alignas(64) double pt[2 * RECOMBINE_MAX]; /* of particles; of merged the sum of theirs */
    alignas(64) double rapidity[RECOMBINE_MAX];
    alignas(64) double phi[RECOMBINE_MAX]; /* [0, 2 pi] */
    alignas(64) double px[2 * RECOMBINE_MAX];
    alignas(64) double py[2 * RECOMBINE_MAX];
    alignas(64) double pz[2 * RECOMBINE_MAX];
    alignas(64) double e[2 * RECOMBINE_MAX];
    int32_t parent[RECOMBINE_MAX][2]; /* of the merged: indices, of momentum n first */
};

/* Those not yet gone. Slots 0 to sorted - 1: particles by weight, ascending, the last
 * RECOMBINE_LANES - 1 or fewer of them empty. Then those that came later. An empty slot has an
 * infinite score. */
struct recombine_slots {
    size_t sorted, end; /* multiples of RECOMBINE_LANES */
    size_t used;        /* slots from here to end were never filled */
    alignas(64) double rapidity[RECOMBINE_SLOTS];
    alignas(64) double phi[RECOMBINE_SLOTS];
    alignas(64) double weight[RECOMBINE_SLOTS];
    alignas(64) double score[RECOMBINE_SLOTS]; /* lower bound of the least d R^2 it accounts for */
    alignas(64) double nearest[RECOMBINE_SLOTS]; /* whom it is with: slot, BEAM or LOST */
    int32_t index[RECOMBINE_SLOTS];              /* of its momentum */
};

/* A score and the slot that has it, the first of equals. */
struct recombine_least {
    double value, number;
};

typedef struct recombination {
    struct recombine_slots slots;
    struct recombine_momenta momenta;
    const struct recombine_loops *loops;
    enum recombine_measure measure;
    double radius, radius2;
    size_t particles, merged, remaining;
    struct recombine_least least; /* score */
} recombination;

/* The loops, once per instruction set, all with the same bits: nothing is summed across lanes, and
 * products and sums are rounded one by one. */
struct recombine_loops {
    /* pt, rapidity and phi (within 2 pi of 0) of n massless particles are there: makes the rest,
     * and phi positive. Writes up to the next multiple of RECOMBINE_LANES. */
    void (*complete)(struct recombine_momenta *momenta, size_t n);
    /* Rapidity, phi and weight of the first n, sorted slots are there: finds their neighbours. */
    void (*meet_all)(struct recombine_slots *slots, size_t n, double radius2);
    struct recombine_least (*find_least)(const struct recombine_slots *slots);
    /* As recombination_step. */
    bool (*step)(recombination *self, size_t *index);
    /* sum_i pT_i min_a dR(i, a) of the first n momenta about the axes. */
    double (*spread)(const struct recombine_momenta *momenta, size_t n, size_t axes,
                     const double rapidity[], const double phi[]);
};
extern const struct recombine_loops recombine_loops_plain;
#ifdef __x86_64__
extern const struct recombine_loops recombine_loops_avx2;
extern const struct recombine_loops recombine_loops_avx512;
#endif

/* set is the instruction set to use, which the machine must have. On STATUS_OK *out is the
 * caller's, to be given to recombination_destroy; else it is NULL. */
MUST_CHECK status recombination_create(recombination **out, enum recombine_measure measure,
                                       double radius, enum instruction_set set);
void recombination_destroy(recombination **self);

/* Completes the momenta of n <= RECOMBINE_MAX massless particles of which pt > 0, rapidity and phi
 * are there. */
void recombination_complete(recombination *self, size_t n);
/* Begins with the first n of the momenta, which must be there with ascending weights. */
void recombination_start(recombination *self, size_t n);
/* One step: two merge (false), or one has no neighbour nearer than itself to the beam and leaves
 * (true). *index is that of the merged momentum, new, or of the one that left. Something must
 * remain. */
bool recombination_step(recombination *self, size_t *index);

struct momentum recombination_momentum(const recombination *self, size_t index);
/* Of two momenta. */
struct momentum recombination_sum(const recombination *self, const size_t index[2]);
/* sum_i pT_i min_a dR(i, a) of the particles about the three or fewer that remain. */
double recombination_spread(const recombination *self);

/* For the paths: makes room when most slots are empty. */
void recombination_tidy(recombination *self);

#endif
