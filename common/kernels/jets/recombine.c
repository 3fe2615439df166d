/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/jets/recombine.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TWO_PI 6.283185307179586

static const struct recombine_loops *loops_of(enum instruction_set set)
{
    assert(set <= instruction_set_best());
#ifdef __x86_64__
    if (set == INSTRUCTION_SET_AVX512)
        return &recombine_loops_avx512;
    if (set == INSTRUCTION_SET_AVX2)
        return &recombine_loops_avx2;
#endif
    return &recombine_loops_plain;
}

status recombination_create(recombination **out, enum recombine_measure measure, double radius,
                            enum instruction_set set)
{
    assert(out != NULL && radius > 0);
    *out = NULL;
    recombination *self = aligned_alloc(alignof(recombination), sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    memset(self, 0, sizeof *self);
    self->loops = loops_of(set);
    self->measure = measure;
    self->radius = radius;
    self->radius2 = radius * radius;
    *out = self;
    return STATUS_OK;
}

void recombination_destroy(recombination **self)
{
    if (self == NULL)
        return;
    free(*self);
    *self = NULL;
}

static size_t rounded_up(size_t n)
{
    return (n + RECOMBINE_LANES - 1) / RECOMBINE_LANES * RECOMBINE_LANES;
}

/* A large |phi| is reduced by atan2(sin, cos). */
static double within_turn(double phi)
{
    return atan2(sin(phi), cos(phi));
}

void recombination_complete(recombination *self, size_t n)
{
    struct recombine_momenta *momenta = &self->momenta;
    assert(n <= RECOMBINE_MAX);
    for (size_t i = 0; i < n; i++)
        if (!(fabs(momenta->phi[i]) <= TWO_PI))
            momenta->phi[i] = within_turn(momenta->phi[i]);
    /* Lanes of the padding compute with finite numbers. */
    for (size_t i = n; i < rounded_up(n); i++)
        momenta->pt[i] = momenta->rapidity[i] = momenta->phi[i] = 0;
    self->loops->complete(momenta, n);
}

/* Marks slots first to end - 1 as empty: their weight, infinity, sorts last. */
static void clear_slots(struct recombine_slots *slots, size_t first, size_t end)
{
    for (size_t slot = first; slot < end; slot++) {
        slots->rapidity[slot] = RECOMBINE_NOWHERE;
        slots->phi[slot] = 0;
        slots->weight[slot] = INFINITY;
        slots->score[slot] = INFINITY;
        slots->nearest[slot] = RECOMBINE_BEAM;
    }
}

/* The first n slots are sorted; merged momenta come behind them. */
static void close_ranks(struct recombine_slots *slots, size_t n)
{
    slots->sorted = slots->used = slots->end = rounded_up(n);
    clear_slots(slots, n, slots->end);
}

void recombination_start(recombination *self, size_t n)
{
    struct recombine_slots *slots = &self->slots;
    const struct recombine_momenta *from = &self->momenta;
    self->particles = self->remaining = n;
    self->merged = 0;
    memcpy(slots->rapidity, from->rapidity, n * sizeof *slots->rapidity);
    memcpy(slots->phi, from->phi, n * sizeof *slots->phi);
    for (size_t i = 0; i < n; i++) {
        const double pt2 = from->pt[i] * from->pt[i];
        slots->weight[i] = self->measure == RECOMBINE_KT ? pt2 : 1.0 / pt2;
        slots->index[i] = (int32_t)i;
        assert(i == 0 || slots->weight[i] >= slots->weight[i - 1]);
    }
    close_ranks(slots, n);
    self->loops->meet_all(slots, n, self->radius2);
    self->least = self->loops->find_least(slots);
}

bool recombination_step(recombination *self, size_t *index)
{
    assert(self->remaining > 0);
    return self->loops->step(self, index);
}

static bool is_empty(const struct recombine_slots *slots, size_t slot)
{
    return slots->rapidity[slot] == RECOMBINE_NOWHERE;
}

/* Moves the filled slots of first to end - 1 to slots from `to` on, in their order; returns their
 * end and sets now_at to the new slot of each. There is no branch, for it would be mispredicted. */
static size_t move_slots(struct recombine_slots *slots, size_t first, size_t end, size_t to,
                         double now_at[])
{
    for (size_t slot = first; slot < end; slot++) {
        const bool stays = !is_empty(slots, slot);
        now_at[slot] = stays ? (double)to : RECOMBINE_LOST;
        slots->rapidity[to] = slots->rapidity[slot];
        slots->phi[to] = slots->phi[slot];
        slots->weight[to] = slots->weight[slot];
        slots->score[to] = slots->score[slot];
        slots->nearest[to] = slots->nearest[slot];
        slots->index[to] = slots->index[slot];
        to += stays;
    }
    return to;
}

void recombination_tidy(recombination *self)
{
    struct recombine_slots *slots = &self->slots;
    double now_at[RECOMBINE_SLOTS];
    const size_t late = slots->sorted;
    const size_t used = slots->used;
    size_t n = move_slots(slots, 0, late, 0, now_at);
    close_ranks(slots, n);
    n = move_slots(slots, late, used, slots->sorted, now_at);
    slots->used = n;
    slots->end = rounded_up(n);
    clear_slots(slots, n, slots->end);
    for (size_t slot = 0; slot < n; slot++)
        if (slots->nearest[slot] >= 0)
            slots->nearest[slot] = now_at[(size_t)slots->nearest[slot]];
}

struct momentum recombination_momentum(const recombination *self, size_t index)
{
    const struct recombine_momenta *from = &self->momenta;
    assert(index < self->particles + self->merged);
    return (struct momentum){from->px[index], from->py[index], from->pz[index], from->e[index]};
}

struct momentum recombination_sum(const recombination *self, const size_t index[2])
{
    const struct momentum a = recombination_momentum(self, index[0]);
    const struct momentum b = recombination_momentum(self, index[1]);
    return (struct momentum){a.px + b.px, a.py + b.py, a.pz + b.pz, a.e + b.e};
}

double recombination_spread(const recombination *self)
{
    const struct recombine_slots *slots = &self->slots;
    double rapidity[3], phi[3];
    size_t axes = 0;
    assert(self->remaining <= 3);
    for (size_t slot = 0; slot < slots->used; slot++)
        if (!is_empty(slots, slot)) {
            rapidity[axes] = slots->rapidity[slot];
            phi[axes++] = slots->phi[slot];
        }
    return self->loops->spread(&self->momenta, self->particles, axes, rapidity, phi);
}
