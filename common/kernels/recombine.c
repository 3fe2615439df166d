/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/recombine.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TWO_PI 6.283185307179586

static const struct recombine_path *path_of(enum codebook_path path)
{
    assert(path <= codebook_best_path());
#ifdef __x86_64__
    if (path == CODEBOOK_AVX512)
        return &recombine_path_avx512;
    if (path == CODEBOOK_AVX2)
        return &recombine_path_avx2;
#endif
    return &recombine_path_plain;
}

status recombination_create(recombination **out, enum recombine_measure measure, double radius,
                            enum codebook_path path)
{
    assert(out != NULL && radius > 0);
    *out = NULL;
    recombination *self = aligned_alloc(alignof(recombination), sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    memset(self, 0, sizeof *self);
    self->path = path_of(path);
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

/* Many turns: the arc tangent of what sine and cosine make of them. */
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
    /* The lanes beyond compute with something finite. */
    for (size_t i = n; i < rounded_up(n); i++)
        momenta->pt[i] = momenta->rapidity[i] = momenta->phi[i] = 0;
    self->path->complete(momenta, n);
}

/* Slots first to end - 1 hold nobody; in the order of the weights they are the last. */
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

/* The first n slots are in order; what comes later comes behind them. */
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
    self->path->meet_all(slots, n, self->radius2);
    self->least = self->path->find_least(slots);
}

bool recombination_step(recombination *self, size_t *index)
{
    assert(self->remaining > 0);
    return self->path->step(self, index);
}

static bool is_empty(const struct recombine_slots *slots, size_t slot)
{
    return slots->rapidity[slot] == RECOMBINE_NOWHERE;
}

/* Those of slots first to end - 1 that are not empty; returns how many. */
static size_t list_slots(const struct recombine_slots *slots, size_t first, size_t end,
                         int32_t list[])
{
    size_t n = 0;
    for (size_t slot = first; slot < end; slot++) {
        list[n] = (int32_t)slot;
        n += !is_empty(slots, slot);
    }
    return n;
}

/* Few of them. */
static void sort_by_weight(const struct recombine_slots *slots, size_t n, int32_t list[])
{
    for (size_t i = 1; i < n; i++) {
        const int32_t moving = list[i];
        size_t at = i;
        for (; at > 0 && slots->weight[list[at - 1]] > slots->weight[moving]; at--)
            list[at] = list[at - 1];
        list[at] = moving;
    }
}

/* Merges two ordered lists. */
static void merge_orders(const struct recombine_slots *slots, size_t n1, const int32_t order1[],
                         size_t n2, const int32_t order2[], int32_t order[])
{
    size_t i = 0;
    size_t j = 0;
    while (i < n1 || j < n2) {
        const bool first =
            j == n2 || (i < n1 && slots->weight[order1[i]] <= slots->weight[order2[j]]);
        order[i + j] = first ? order1[i] : order2[j];
        i += first;
        j += !first;
    }
}

static void reorder(size_t n, const int32_t order[], double values[])
{
    double moved[RECOMBINE_MAX];
    for (size_t i = 0; i < n; i++)
        moved[i] = values[order[i]];
    memcpy(values, moved, n * sizeof *values);
}

void recombination_tidy(recombination *self)
{
    struct recombine_slots *slots = &self->slots;
    int32_t particles[RECOMBINE_MAX + 1], merged[RECOMBINE_MAX + 1], order[RECOMBINE_MAX];
    int32_t index[RECOMBINE_MAX];
    double now_at[RECOMBINE_SLOTS];
    const size_t n1 = list_slots(slots, 0, slots->sorted, particles);
    const size_t n2 = list_slots(slots, slots->sorted, slots->used, merged);
    sort_by_weight(slots, n2, merged);
    const size_t n = n1 + n2;
    merge_orders(slots, n1, particles, n2, merged, order);
    for (size_t slot = 0; slot < slots->used; slot++)
        now_at[slot] = RECOMBINE_LOST;
    for (size_t i = 0; i < n; i++) {
        now_at[order[i]] = (double)i;
        index[i] = slots->index[order[i]];
    }
    memcpy(slots->index, index, n * sizeof *index);
    reorder(n, order, slots->rapidity);
    reorder(n, order, slots->phi);
    reorder(n, order, slots->weight);
    reorder(n, order, slots->score);
    reorder(n, order, slots->nearest);
    for (size_t i = 0; i < n; i++)
        if (slots->nearest[i] >= 0)
            slots->nearest[i] = now_at[(size_t)slots->nearest[i]];
    close_ranks(slots, n);
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
    return self->path->spread(&self->momenta, self->particles, axes, rapidity, phi);
}
