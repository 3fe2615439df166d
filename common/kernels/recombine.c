/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/recombine.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define TWO_PI 6.283185307179586
/* Far from everybody: its square is infinite. */
#define NOWHERE 1e200

enum { GONE = -1 };

struct recombination {
    struct recombine_slots slots;
    const struct recombine_path *path;
    enum recombine_measure measure;
    double radius2;
    size_t particles;
    size_t momenta;                     /* particles first, then the merged in order */
    int32_t index_of[RECOMBINE_MAX];    /* by slot */
    int32_t slot_of[2 * RECOMBINE_MAX]; /* by index; GONE */
    struct momentum p[2 * RECOMBINE_MAX];
    int32_t first[2 * RECOMBINE_MAX]; /* chain of particles of each momentum */
    int32_t last[2 * RECOMBINE_MAX];
    int32_t next[RECOMBINE_MAX];
};

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

static void clear_slot(struct recombine_slots *slots, size_t slot)
{
    slots->rapidity[slot] = NOWHERE;
    slots->phi[slot] = 0;
    slots->weight[slot] = INFINITY;
    slots->score[slot] = INFINITY;
    slots->nearest[slot] = RECOMBINE_BEAM;
}

status recombination_create(recombination **out, enum recombine_measure measure, double radius,
                            enum codebook_path path)
{
    assert(out != NULL && radius > 0);
    *out = NULL;
    recombination *self = aligned_alloc(alignof(recombination), sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->path = path_of(path);
    self->measure = measure;
    self->radius2 = radius * radius;
    self->slots.n = 0;
    for (size_t slot = 0; slot < RECOMBINE_MAX; slot++)
        clear_slot(&self->slots, slot);
    recombination_reset(self);
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

void recombination_reset(recombination *self)
{
    while (self->slots.n > 0)
        clear_slot(&self->slots, --self->slots.n);
    self->particles = 0;
    self->momenta = 0;
}

struct direction momentum_direction(const struct momentum *p)
{
    const double pt2 = p->px * p->px + p->py * p->py;
    double phi = pt2 == 0 ? 0 : atan2(p->py, p->px);
    if (phi < 0)
        phi += TWO_PI;
    if (phi >= TWO_PI)
        phi -= TWO_PI;
    const double m2 = (p->e + p->pz) * (p->e - p->pz) - pt2;
    const double e_plus_pz = p->e + fabs(p->pz);
    const double size = 0.5 * log((pt2 + (m2 > 0 ? m2 : 0)) / (e_plus_pz * e_plus_pz));
    return (struct direction){p->pz > 0 ? -size : size, phi, pt2};
}

struct momentum momentum_sum(const struct momentum *a, const struct momentum *b)
{
    return (struct momentum){a->px + b->px, a->py + b->py, a->pz + b->pz, a->e + b->e};
}

double direction_distance2(double rapidity1, double phi1, double rapidity2, double phi2)
{
    const double y = rapidity1 - rapidity2;
    const double turn = fabs(phi1 - phi2);
    const double back = TWO_PI - turn;
    const double phi = turn < back ? turn : back;
    return y * y + phi * phi;
}

/* Puts momentum index in a new slot. */
static void enter(recombination *self, size_t index, double rapidity, double phi, double weight)
{
    struct recombine_slots *slots = &self->slots;
    const struct newcomer newcomer = {rapidity, phi, weight, (int64_t)index, self->radius2};
    const struct meeting met = self->path->meet(slots, &newcomer);
    const size_t slot = slots->n++;
    slots->rapidity[slot] = rapidity;
    slots->phi[slot] = phi;
    slots->weight[slot] = weight;
    slots->score[slot] = met.distance2 * weight;
    slots->nearest[slot] = met.slot < 0 ? RECOMBINE_BEAM : self->index_of[met.slot];
    self->index_of[slot] = (int32_t)index;
    self->slot_of[index] = (int32_t)slot;
}

static void enter_momentum(recombination *self, size_t index, const struct direction *direction)
{
    const double weight = self->measure == RECOMBINE_KT ? direction->pt2 : 1.0 / direction->pt2;
    enter(self, index, direction->rapidity, direction->phi, weight);
}

/* The last slot takes the place of this one. */
static void leave(recombination *self, size_t slot)
{
    struct recombine_slots *slots = &self->slots;
    const size_t last = --slots->n;
    self->slot_of[self->index_of[slot]] = GONE;
    if (slot != last) {
        slots->rapidity[slot] = slots->rapidity[last];
        slots->phi[slot] = slots->phi[last];
        slots->weight[slot] = slots->weight[last];
        slots->score[slot] = slots->score[last];
        slots->nearest[slot] = slots->nearest[last];
        self->index_of[slot] = self->index_of[last];
        self->slot_of[self->index_of[slot]] = (int32_t)slot;
    }
    clear_slot(slots, last);
}

void recombination_add(recombination *self, const struct momentum *p,
                       const struct direction *direction)
{
    assert(self->particles < RECOMBINE_MAX && self->momenta == self->particles);
    const size_t index = self->momenta++;
    self->particles++;
    self->p[index] = *p;
    self->first[index] = self->last[index] = (int32_t)index;
    self->next[index] = -1;
    enter_momentum(self, index, direction);
}

static size_t merge(recombination *self, size_t slot, size_t other_slot)
{
    const size_t a = (size_t)self->index_of[slot];
    const size_t b = (size_t)self->index_of[other_slot];
    leave(self, slot > other_slot ? slot : other_slot); /* the higher first: the lower one stays */
    leave(self, slot > other_slot ? other_slot : slot);
    const size_t index = self->momenta++;
    self->p[index] = momentum_sum(&self->p[a], &self->p[b]);
    self->first[index] = self->first[a];
    self->last[index] = self->last[b];
    self->next[self->last[a]] = self->first[b];
    const struct direction direction = momentum_direction(&self->p[index]);
    enter_momentum(self, index, &direction);
    return index;
}

/* Its neighbour is gone: finds the one it has now. */
static void look_again(recombination *self, size_t slot)
{
    const size_t index = (size_t)self->index_of[slot];
    const double rapidity = self->slots.rapidity[slot];
    const double phi = self->slots.phi[slot];
    const double weight = self->slots.weight[slot];
    leave(self, slot);
    enter(self, index, rapidity, phi, weight);
}

bool recombination_step(recombination *self, size_t *index)
{
    assert(self->slots.n > 0);
    for (;;) {
        const size_t slot = self->path->least(&self->slots);
        const int64_t nearest = self->slots.nearest[slot];
        if (nearest == RECOMBINE_BEAM) {
            *index = (size_t)self->index_of[slot];
            leave(self, slot);
            return true;
        }
        if (self->slot_of[nearest] != GONE) {
            *index = merge(self, slot, (size_t)self->slot_of[nearest]);
            return false;
        }
        look_again(self, slot);
    }
}

size_t recombination_remaining(const recombination *self)
{
    return self->slots.n;
}

size_t recombination_index(const recombination *self, size_t slot)
{
    assert(slot < self->slots.n);
    return (size_t)self->index_of[slot];
}

const struct momentum *recombination_momentum(const recombination *self, size_t index)
{
    assert(index < self->momenta);
    return &self->p[index];
}

int32_t recombination_first(const recombination *self, size_t index)
{
    assert(index < self->momenta);
    return self->first[index];
}

int32_t recombination_next(const recombination *self, int32_t particle)
{
    return self->next[particle];
}
