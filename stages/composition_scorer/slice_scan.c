/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/composition_scorer/slice_scan.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/parallel.h"

struct slice_scan {
    composition *data;
    uint64_t seed;
    uint32_t toys;
    uint32_t made;
    size_t windows; /* 0: nothing can be tested */
    unsigned threads;
    composition_scratch **scratch; /* [threads] */
    double *observed;              /* [windows] */
    double *t;                     /* [toys][windows] */
    double *pulls;                 /* [toys + 2 windows]: of the toys, then means and spreads */
    uint32_t *first;               /* [windows] */
    uint32_t *bins;                /* [windows] */
    struct toy_null null;
};

static status allocate(slice_scan *self)
{
    const size_t w = self->windows, toys = self->toys;
    self->scratch = calloc(self->threads, sizeof(composition_scratch *));
    self->observed = malloc(w * sizeof *self->observed);
    self->t = malloc(toys * w * sizeof *self->t + 1);
    self->pulls = calloc(toys + 2 * w, sizeof *self->pulls);
    self->first = malloc(w * sizeof *self->first);
    self->bins = malloc(w * sizeof *self->bins);
    if (self->scratch == NULL || self->observed == NULL || self->t == NULL || self->pulls == NULL ||
        self->first == NULL || self->bins == NULL)
        return STATUS_NO_MEMORY;
    for (unsigned i = 0; i < self->threads; i++) {
        const status done = composition_scratch_create(&self->scratch[i], self->data);
        if (done != STATUS_OK)
            return done;
    }
    return STATUS_OK;
}

static status start(slice_scan *self, size_t events)
{
    const status prepared = composition_prepare(self->data, events);
    if (prepared == STATUS_BAD_SHAPE)
        return STATUS_OK; /* windows stays 0 */
    if (prepared != STATUS_OK)
        return prepared;
    self->windows = composition_windows(self->data);
    const status done = allocate(self);
    if (done != STATUS_OK)
        return done;
    composition_observed(self->data, self->scratch[0], self->observed);
    for (size_t w = 0; w < self->windows; w++) {
        self->first[w] = composition_window(self->data, w).first;
        self->bins[w] = composition_window(self->data, w).bins;
    }
    return STATUS_OK;
}

status slice_scan_create(slice_scan **out, composition *data, size_t events, uint32_t toys,
                         uint64_t seed)
{
    assert(toys != 1);
    *out = NULL;
    slice_scan *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->data = data;
    self->seed = seed;
    self->toys = toys;
    self->threads = parallel_cores();
    const status done = start(self, events);
    if (done != STATUS_OK)
        slice_scan_destroy(&self);
    *out = self;
    return done;
}

void slice_scan_destroy(slice_scan **out)
{
    slice_scan *self = *out;
    if (self == NULL)
        return;
    for (unsigned i = 0; self->scratch != NULL && i < self->threads; i++)
        composition_scratch_destroy(&self->scratch[i]);
    free(self->scratch);
    free(self->observed);
    free(self->t);
    free(self->pulls);
    free(self->first);
    free(self->bins);
    free(self);
    *out = NULL;
}

static void make_toy(void *context, size_t i)
{
    const slice_scan *self = context;
    const size_t toy = self->made + i;
    composition_toy(self->data, self->scratch[i], self->seed, toy, self->t + toy * self->windows);
}

bool slice_scan_work(slice_scan *self)
{
    if (self->windows == 0 || self->made == self->toys)
        return false;
    const uint32_t left = self->toys - self->made;
    const uint32_t now = left < self->threads ? left : self->threads;
    parallel_run(now, make_toy, self);
    self->made += now;
    if (self->made == self->toys)
        toy_null_test(self->toys, self->windows, self->observed, self->t, self->pulls, &self->null);
    return self->made < self->toys;
}

void slice_scan_answer(const slice_scan *self, struct scan_record *out)
{
    const bool tested = self->windows > 0 && self->toys > 0;
    assert(!tested || self->made == self->toys);
    out->windows = (uint32_t)self->windows;
    out->toys = tested ? self->toys : 0;
    out->largest = (uint32_t)self->null.largest;
    out->reached = (uint32_t)self->null.reached;
    out->extrapolated = self->null.extrapolated;
    out->s = self->null.s;
    out->ln_p = self->null.log_p;
    out->z = self->null.z;
    out->first = self->first;
    out->bins = self->bins;
    out->t = self->observed;
    out->null_mean = self->windows > 0 ? self->pulls + self->toys : NULL;
    out->null_sd = self->windows > 0 ? self->pulls + self->toys + self->windows : NULL;
}

const double *slice_scan_toy_pulls(const slice_scan *self)
{
    return self->pulls;
}
