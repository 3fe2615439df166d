/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recombine_loops: the loops of recombine.h in terms of lanes. Included by the file of each
 * instruction set, once it has said what lanes are: LANES doubles, worked on side by side. */
#ifndef COMMON_KERNELS_JETS_RECOMBINE_LOOPS_H
#define COMMON_KERNELS_JETS_RECOMBINE_LOOPS_H

#include "common/kernels/jets/elementary.h"
#include "common/kernels/jets/recombine.h"

/* Slots up to which a wrong guess at a branch costs more than storing what did not change. */
enum { FEW = 64 };
/* Slots from which on it pays to take the empty ones away. */
enum { MANY = 128 };

/* --- momenta --- */

static void complete(struct recombine_momenta *momenta, size_t n)
{
    for (size_t i = 0; i < n; i += LANES) {
        const lanes pt = lanes_load(momenta->pt + i);
        const lanes phi = lanes_load(momenta->phi + i);
        lanes sine, cosine;
        sine_cosine(phi, &sine, &cosine);
        lanes_store(momenta->px + i, lanes_multiply(pt, cosine));
        lanes_store(momenta->py + i, lanes_multiply(pt, sine));
        hyperbolic_sine_cosine(lanes_load(momenta->rapidity + i), &sine, &cosine);
        lanes_store(momenta->pz + i, lanes_multiply(pt, sine));
        lanes_store(momenta->e + i, lanes_multiply(pt, cosine));
        const lane_mask negative = lanes_less(phi, lanes_all(0));
        lanes_store_where(negative, momenta->phi + i, lanes_add(phi, lanes_all(TWO_PI)));
    }
}

/* --- neighbours --- */

/* Coordinates and weight of a momentum. */
struct position {
    double rapidity, phi, weight;
};
/* A position in all LANES lanes; `across`: it has neighbours on the other side of phi = 0. */
struct positions {
    lanes rapidity, phi, weight;
    bool across;
};

/* Per lane the smallest value so far and the number of its slot; of ties the lowest slot. */
struct leasts {
    lanes value, number;
};

static inline struct positions everywhere(const struct position *position, bool across)
{
    return (struct positions){lanes_all(position->rapidity), lanes_all(position->phi),
                              lanes_all(position->weight), across};
}

static inline struct leasts none_yet(void)
{
    return (struct leasts){lanes_all(INFINITY), lanes_all(INFINITY)};
}

static inline void take_less(struct leasts *so_far, lanes value, lanes number)
{
    so_far->number = lanes_select(lanes_less(value, so_far->value), number, so_far->number);
    so_far->value = lanes_min(value, so_far->value);
}

static inline struct recombine_least least_of(const struct leasts *found)
{
    alignas(64) double number[LANES];
    lanes_store(number, found->number);
    const double value = lanes_least(found->value);
    unsigned equal = mask_bits(lanes_less(lanes_all(value), found->value)) ^ ((1U << LANES) - 1);
    struct recombine_least least = {value, number[__builtin_ctz(equal)]};
    while (least.number >= 0 && (equal &= equal - 1) != 0)
        least.number = fmin(least.number, number[__builtin_ctz(equal)]);
    return least;
}

/* Squared distances of LANES positions from one. Without `across`, distances over phi = 0 come out
 * too large; they exceed R^2 in any case. */
static inline lanes apart2(lanes rapidity, lanes phi, const struct positions *from)
{
    const lanes y = lanes_subtract(rapidity, from->rapidity);
    lanes turn = lanes_subtract(phi, from->phi);
    if (from->across) {
        turn = lanes_size(turn);
        turn = lanes_min(turn, lanes_subtract(lanes_all(TWO_PI), turn));
    }
    return lanes_add(lanes_multiply(y, y), lanes_multiply(turn, turn));
}

/* Squared distances of LANES slots, from slot k on, from one position. */
static inline lanes distances2(const struct recombine_slots *slots, size_t k,
                               const struct positions *from)
{
    return apart2(lanes_load(slots->rapidity + k), lanes_load(slots->phi + k), from);
}

static inline double distance2(const struct recombine_slots *slots, size_t a, size_t b)
{
    const double y = slots->rapidity[a] - slots->rapidity[b];
    const double turn = fabs(slots->phi[a] - slots->phi[b]);
    const double back = TWO_PI - turn;
    const double phi = turn < back ? turn : back;
    return y * y + phi * phi;
}

/* Nearest neighbour and least score that an inserted jet has found among the slots so far. */
struct meeting {
    struct leasts nearest; /* of those that weigh no less */
    struct leasts score;   /* of all */
};

/* Lowers the scores of LANES slots, from slot k on, to those offered by the jet inserted at slot
 * `at`, where these are less; returns the scores that result. */
static inline lanes offer(struct recombine_slots *slots, size_t k, lanes score, lanes offered,
                          double at)
{
    const lane_mask better = lanes_less(offered, score);
    if (mask_bits(better) == 0)
        return score;
    lanes_store_where(better, slots->score + k, offered);
    lanes_store_where(better, slots->nearest + k, lanes_all(at));
    return lanes_min(offered, score);
}

/* Meeting with LANES slots, from slot k on, whose weights are below that of the inserted jet. */
static inline void meet_lighter(struct recombine_slots *slots, size_t k,
                                const struct positions *inserted, double at, lanes number,
                                struct meeting *met)
{
    const lanes away2 = distances2(slots, k, inserted);
    const lanes offered = lanes_multiply(away2, lanes_load(slots->weight + k));
    const lanes score = offer(slots, k, lanes_load(slots->score + k), offered, at);
    take_less(&met->score, score, number);
}

/* Meeting with LANES slots whose weights are not below that of the inserted jet. */
static inline void meet_heavier(const struct recombine_slots *slots, size_t k,
                                const struct positions *inserted, lanes number, struct meeting *met)
{
    take_less(&met->nearest, distances2(slots, k, inserted), number);
    take_less(&met->score, lanes_load(slots->score + k), number);
}

/* Meeting with LANES slots of any weight. */
static inline void meet_either(struct recombine_slots *slots, size_t k,
                               const struct positions *inserted, double at, lanes number,
                               struct meeting *met)
{
    const lanes empty = lanes_all(INFINITY);
    const lanes away2 = distances2(slots, k, inserted);
    const lanes weight = lanes_load(slots->weight + k);
    const lane_mask lighter = lanes_less(weight, inserted->weight);
    const lanes offered = lanes_select(lighter, lanes_multiply(away2, weight), empty);
    const lanes score = offer(slots, k, lanes_load(slots->score + k), offered, at);
    take_less(&met->nearest, lanes_select(lighter, empty, away2), number);
    take_less(&met->score, score, number);
}

/* The inserted jet, for the empty slot `at`, meets all slots: finds its nearest neighbour and
 * updates the neighbours of those slots for which it is nearer. */
static inline struct meeting meet(struct recombine_slots *slots, const struct position *inserted,
                                  bool across, double at, double radius2)
{
    const struct positions from = everywhere(inserted, across);
    const lanes step = lanes_all(LANES);
    struct meeting met = {{lanes_all(radius2), lanes_all(RECOMBINE_BEAM)}, none_yet()};
    lanes number = lanes_numbers();
    size_t k = 0;
    for (; k < slots->sorted && slots->weight[k + LANES - 1] < inserted->weight; k += LANES) {
        meet_lighter(slots, k, &from, at, number, &met);
        number = lanes_add(number, step);
    }
    if (k < slots->sorted) {
        meet_either(slots, k, &from, at, number, &met);
        number = lanes_add(number, step);
        k += LANES;
    }
    for (; k < slots->sorted; k += LANES) {
        meet_heavier(slots, k, &from, number, &met);
        number = lanes_add(number, step);
    }
    for (; k < slots->end; k += LANES) {
        meet_either(slots, k, &from, at, number, &met);
        number = lanes_add(number, step);
    }
    return met;
}

/* meet without a branch, for few slots: stores cost less than mispredicted branches. */
static inline struct meeting meet_few(struct recombine_slots *slots,
                                      const struct position *inserted, double at, double radius2)
{
    const struct positions from = everywhere(inserted, true);
    const lanes step = lanes_all(LANES);
    const lanes empty = lanes_all(INFINITY);
    const lanes here = lanes_all(at);
    struct meeting met = {{lanes_all(radius2), lanes_all(RECOMBINE_BEAM)}, none_yet()};
    lanes number = lanes_numbers();
    for (size_t k = 0; k < slots->end; k += LANES) {
        const lanes away2 = distances2(slots, k, &from);
        const lanes weight = lanes_load(slots->weight + k);
        const lanes score = lanes_load(slots->score + k);
        const lane_mask lighter = lanes_less(weight, from.weight);
        const lanes offered = lanes_select(lighter, lanes_multiply(away2, weight), empty);
        const lane_mask better = lanes_less(offered, score);
        const lanes least = lanes_min(offered, score);
        lanes_store(slots->score + k, least);
        lanes_store(slots->nearest + k, lanes_select(better, here, lanes_load(slots->nearest + k)));
        take_less(&met.nearest, lanes_select(lighter, empty, away2), number);
        take_less(&met.score, least, number);
        number = lanes_add(number, step);
    }
    return met;
}

static inline struct positions position_of_slot(const struct recombine_slots *slots, size_t slot)
{
    return (struct positions){lanes_all(slots->rapidity[slot]), lanes_all(slots->phi[slot]),
                              lanes_all(slots->weight[slot]), true};
}

/* Finds the neighbours of LANES particles at a time among the particles behind them. */
static void meet_all(struct recombine_slots *slots, size_t n, double radius2)
{
    const lanes one = lanes_all(1);
    for (size_t i = 0; i < n; i += LANES) {
        const lanes own = lanes_add(lanes_all((double)i), lanes_numbers());
        struct leasts found = {lanes_all(radius2), lanes_all(RECOMBINE_BEAM)};
        lanes number = lanes_all((double)i);
        size_t j = i;
        for (; j < n && j < i + LANES; j++) {
            const struct positions other = position_of_slot(slots, j);
            const lane_mask behind = lanes_less(own, number);
            const lanes away2 = distances2(slots, i, &other);
            take_less(&found, lanes_select(behind, away2, lanes_all(INFINITY)), number);
            number = lanes_add(number, one);
        }
        for (; j < n; j++) {
            const struct positions other = position_of_slot(slots, j);
            take_less(&found, distances2(slots, i, &other), number);
            number = lanes_add(number, one);
        }
        lanes_store(slots->nearest + i, found.number);
        lanes_store(slots->score + i, lanes_multiply(found.value, lanes_load(slots->weight + i)));
    }
}

static struct recombine_least find_least(const struct recombine_slots *slots)
{
    struct leasts found = none_yet();
    lanes number = lanes_numbers();
    for (size_t k = 0; k < slots->end; k += LANES) {
        take_less(&found, lanes_load(slots->score + k), number);
        number = lanes_add(number, lanes_all(LANES));
    }
    return least_of(&found);
}

/* --- one step --- */

static inline void leave(struct recombine_slots *slots, size_t slot)
{
    slots->rapidity[slot] = RECOMBINE_NOWHERE;
    slots->score[slot] = INFINITY;
}

/* Fills an empty slot, and finds the least score of all. */
static inline void enter(recombination *self, size_t slot, const struct position *position)
{
    struct recombine_slots *slots = &self->slots;
    const double radius = self->radius;
    const bool across = position->phi < radius || position->phi > TWO_PI - radius;
    const struct meeting met = slots->end <= FEW
                                   ? meet_few(slots, position, (double)slot, self->radius2)
                               : across ? meet(slots, position, true, (double)slot, self->radius2)
                                        : meet(slots, position, false, (double)slot, self->radius2);
    const struct recombine_least nearest = least_of(&met.nearest);
    const struct recombine_least least = least_of(&met.score);
    const double score = nearest.value * position->weight;
    slots->rapidity[slot] = position->rapidity;
    slots->phi[slot] = position->phi;
    slots->weight[slot] = position->weight;
    slots->score[slot] = score;
    slots->nearest[slot] = nearest.number;
    const bool first = score < least.value || (score == least.value && (double)slot < least.number);
    self->least = first ? (struct recombine_least){score, (double)slot} : least;
}

/* Rapidity, phi and weight as FastJet defines them, but for roundings: the rapidity is made of
 * E + |pz| and pT^2 + max(m^2, 0), which keeps its digits for fast and for light momenta. */
static inline struct position position_of(const struct momentum *p, enum recombine_measure measure)
{
    const double pt2 = p->px * p->px + p->py * p->py;
    const double mt2 = (p->e + p->pz) * (p->e - p->pz);
    const double e_plus_pz = p->e + fabs(p->pz);
    const double rapidity =
        copysign(0.5, -p->pz) * logarithm_of_ratio(mt2 > pt2 ? mt2 : pt2, e_plus_pz * e_plus_pz);
    return (struct position){rapidity, azimuth(p->px, p->py),
                             measure == RECOMBINE_KT ? pt2 : 1.0 / pt2};
}

/* Adds momenta a and b; *index is the index of the sum. */
static inline struct momentum add_up(recombination *self, int32_t a, int32_t b, size_t *index)
{
    struct recombine_momenta *momenta = &self->momenta;
    const struct momentum sum = {momenta->px[a] + momenta->px[b], momenta->py[a] + momenta->py[b],
                                 momenta->pz[a] + momenta->pz[b], momenta->e[a] + momenta->e[b]};
    *index = self->particles + self->merged;
    momenta->px[*index] = sum.px;
    momenta->py[*index] = sum.py;
    momenta->pz[*index] = sum.pz;
    momenta->e[*index] = sum.e;
    momenta->pt[*index] = momenta->pt[a] + momenta->pt[b];
    momenta->parent[self->merged][0] = a;
    momenta->parent[self->merged][1] = b;
    self->merged++;
    return sum;
}

/* The slot for the sum of slots a and b: one of them if it stands behind the particles, else a new
 * one. */
static inline size_t slot_for(struct recombine_slots *slots, size_t a, size_t b)
{
    if (a >= slots->sorted)
        return a;
    if (b >= slots->sorted)
        return b;
    if (slots->used == slots->end) {
        for (size_t slot = slots->end; slot < slots->end + RECOMBINE_LANES; slot++) {
            slots->weight[slot] = INFINITY;
            slots->phi[slot] = 0;
            leave(slots, slot);
        }
        slots->end += RECOMBINE_LANES;
    }
    return slots->used++;
}

/* Merges slots a and b: empties both, reserves *slot for momentum *index, the sum, and returns the
 * position of the sum. */
static inline struct position merge(recombination *self, size_t a, size_t b, size_t *slot,
                                    size_t *index)
{
    struct recombine_slots *slots = &self->slots;
    const struct momentum sum = add_up(self, slots->index[a], slots->index[b], index);
    leave(slots, a);
    leave(slots, b);
    *slot = slot_for(slots, a, b);
    slots->index[*slot] = (int32_t)*index;
    self->remaining--;
    return position_of(&sum, self->measure);
}

static inline void take_away(recombination *self, size_t slot)
{
    leave(&self->slots, slot);
    self->remaining--;
    self->least = find_least(&self->slots);
}

/* The stored neighbour is valid if the jet in its slot still has the stored distance. */
static inline bool is_pair(const struct recombine_slots *slots, const struct recombine_least *least)
{
    const size_t slot = (size_t)least->number;
    if (slots->nearest[slot] == RECOMBINE_LOST)
        return false;
    return distance2(slots, slot, (size_t)slots->nearest[slot]) * slots->weight[slot] ==
           least->value;
}

static bool step(recombination *self, size_t *index)
{
    struct recombine_slots *slots = &self->slots;
    if (slots->end > MANY && self->remaining < slots->end / 2) {
        recombination_tidy(self);
        self->least = find_least(slots);
    }
    for (;;) {
        size_t slot = (size_t)self->least.number;
        struct position position = {slots->rapidity[slot], slots->phi[slot], slots->weight[slot]};
        if (slots->nearest[slot] == RECOMBINE_BEAM) {
            *index = (size_t)slots->index[slot];
            take_away(self, slot);
            return true;
        }
        const bool pair = is_pair(slots, &self->least);
        if (pair)
            position = merge(self, slot, (size_t)slots->nearest[slot], &slot, index);
        else
            leave(slots, slot); /* enter finds its present neighbour */
        enter(self, slot, &position);
        if (pair)
            return false;
    }
}

/* --- substructure --- */

static double spread(const struct recombine_momenta *momenta, size_t n, size_t axes,
                     const double rapidity[], const double phi[])
{
    alignas(64) double terms[RECOMBINE_MAX];
    for (size_t i = 0; i < n; i += LANES) {
        lanes nearest = lanes_all(INFINITY);
        for (size_t a = 0; a < axes; a++) {
            const struct positions axis = {lanes_all(rapidity[a]), lanes_all(phi[a]), lanes_all(0),
                                           true};
            nearest = lanes_min(nearest, apart2(lanes_load(momenta->rapidity + i),
                                                lanes_load(momenta->phi + i), &axis));
        }
        lanes_store(terms + i, lanes_multiply(lanes_load(momenta->pt + i), lanes_root(nearest)));
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += terms[i];
    return sum;
}

/* clang-format off */
#define RECOMBINE_PATH {complete, meet_all, find_least, step, spread}
/* clang-format on */

#endif
