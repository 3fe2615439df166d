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

/* Largest number of particles; beyond it other algorithms (FastJet's) are faster. */
enum { RECOMBINE_MAX = 2048 };
/* Lanes of the widest instruction set: arrays are padded to multiples. */
enum { RECOMBINE_LANES = 8 };
enum { RECOMBINE_SLOTS = RECOMBINE_MAX + RECOMBINE_MAX / 2 + 2 * RECOMBINE_LANES };

struct momentum {
    double px, py, pz, e; /* GeV */
};

enum recombine_measure { RECOMBINE_ANTI_KT, RECOMBINE_KT };

/* Values of `nearest` that are no slots. */
#define RECOMBINE_BEAM (-1.0) /* no neighbour inside R */
#define RECOMBINE_LOST (-2.0) /* the neighbour was removed */
/* rapidity of empty slots: the square of its distance from any jet is infinite. */
#define RECOMBINE_NOWHERE 1e200

/* Momenta by index: particles 0 to n - 1, then merged momenta in order of merging. GeV, rad. */
struct recombine_momenta {
    alignas(64) double pt[2 * RECOMBINE_MAX]; /* merged: sum over their particles */
    alignas(64) double rapidity[RECOMBINE_MAX];
    alignas(64) double phi[RECOMBINE_MAX]; /* [0, 2 pi] */
    alignas(64) double px[2 * RECOMBINE_MAX];
    alignas(64) double py[2 * RECOMBINE_MAX];
    alignas(64) double pz[2 * RECOMBINE_MAX];
    alignas(64) double e[2 * RECOMBINE_MAX];
    int32_t parent[RECOMBINE_MAX][2]; /* indices; row 0 belongs to momentum n */
};

/* The momenta that remain. Slots 0 to sorted - 1: particles by weight, ascending, the last
 * RECOMBINE_LANES - 1 or fewer of them empty. Merged momenta stand behind them. An empty slot has
 * an infinite score. */
struct recombine_slots {
    size_t sorted, end; /* multiples of RECOMBINE_LANES */
    size_t used;        /* slots from here to end were never filled */
    alignas(64) double rapidity[RECOMBINE_SLOTS];
    alignas(64) double phi[RECOMBINE_SLOTS];
    alignas(64) double weight[RECOMBINE_SLOTS];
    alignas(64) double score[RECOMBINE_SLOTS]; /* lower bound of the least d R^2 it accounts for */
    alignas(64) double nearest[RECOMBINE_SLOTS]; /* its neighbour: a slot, BEAM or LOST */
    int32_t index[RECOMBINE_SLOTS];              /* of its momentum */
};

/* A score and its slot; of ties the lowest slot. */
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
    /* Finds the neighbours of the first n slots, whose rapidity, phi and weight are set and which
     * are sorted by weight. */
    void (*meet_all)(struct recombine_slots *slots, size_t n, double radius2);
    struct recombine_least (*find_least)(const struct recombine_slots *slots);
    /* What recombination_step does. */
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
/* Squared distance of two momenta. */
struct momentum recombination_sum(const recombination *self, const size_t index[2]);
/* sum_i pT_i min_a dR(i, a) of the particles about the three or fewer that remain. */
double recombination_spread(const recombination *self);

/* For the loops of each instruction set: moves the slots together when most are empty. */
void recombination_tidy(recombination *self);

#endif
