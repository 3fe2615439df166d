/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stage/slice_sum.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

/* More slices than the accumulators can be apart (they are fed jointly). */
enum { PENDING = 32 };

struct pending {
    size_t copies; /* that have sent this slice */
    struct spectra_record sum;
    uint64_t *counts; /* and signal behind them; NULL: no copy has sent it */
};

struct slice_sum {
    size_t members, clusters, bins;
    size_t copies; /* accumulators */
    uint64_t next; /* slice to be completed */
    struct pending pending[PENDING];
    uint64_t *told; /* counts of the last emitted slice */
    size_t n_spare;
    uint64_t *spare[PENDING]; /* counts that slices left behind: few are pending at once */
};

status slice_sum_create(slice_sum **out, const struct stage_setup *setup)
{
    slice_sum *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->members = setup->analysis.training.ensemble;
    self->clusters = setup->analysis.training.clusters;
    self->bins = setup->analysis.spectra.bins;
    for (size_t i = 0; i < setup->n_inputs; i++)
        self->copies += setup->inputs[i].copies;
    return STATUS_OK;
}

void slice_sum_destroy(slice_sum **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < PENDING; i++)
        free((*self)->pending[i].counts);
    for (size_t i = 0; i < (*self)->n_spare; i++)
        free((*self)->spare[i]);
    free((*self)->told);
    free(*self);
    *self = NULL;
}

static status check(const slice_sum *self, const struct spectra_record *spectra)
{
    if (spectra->members != self->members || spectra->clusters != self->clusters ||
        spectra->bins != self->bins) {
        log_error("spectra of %u members, %u clusters, %u bins: expected %zu, %zu, %zu",
                  spectra->members, spectra->clusters, spectra->bins, self->members, self->clusters,
                  self->bins);
        return STATUS_BAD_INPUT;
    }
    if (spectra->slice < self->next || spectra->slice - self->next >= PENDING) {
        log_error("spectra of slice %llu while slice %llu is not complete",
                  (unsigned long long)spectra->slice, (unsigned long long)self->next);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

/* The first copy's spectra of a slice. */
static status begin(slice_sum *self, struct pending *to, const struct spectra_record *spectra)
{
    const size_t cells = self->members * self->clusters * self->bins;
    const size_t bytes = cells * sizeof *to->counts;
    to->counts = self->n_spare > 0 ? self->spare[--self->n_spare] : malloc(2 * bytes);
    if (to->counts == NULL)
        return STATUS_NO_MEMORY;
    to->copies = 1;
    to->sum = *spectra;
    to->sum.counts = to->counts;
    to->sum.signal = to->counts + cells;
    memcpy(to->counts, spectra->counts, bytes);
    memcpy(to->counts + cells, spectra->signal, bytes);
    return STATUS_OK;
}

static void add(const slice_sum *self, struct pending *to, const struct spectra_record *spectra)
{
    const size_t cells = self->members * self->clusters * self->bins;
    to->copies++;
    tally_add(&to->sum.tally, &spectra->tally);
    to->sum.in_window += spectra->in_window;
    to->sum.labelled += spectra->labelled;
    to->sum.digest += spectra->digest;
    for (size_t i = 0; i < cells; i++) {
        to->counts[i] += spectra->counts[i];
        to->counts[cells + i] += spectra->signal[i];
    }
}

/* The next slice, whose counts stay until the next call. */
static const struct spectra_record *take_next(slice_sum *self)
{
    struct pending *slice = &self->pending[self->next % PENDING];
    if (slice->copies != self->copies)
        return NULL;
    self->told = slice->counts;
    slice->counts = NULL;
    slice->copies = 0;
    self->next++;
    return &slice->sum;
}

status slice_sum_add(slice_sum *self, const struct spectra_record *spectra,
                     const struct spectra_record **complete)
{
    *complete = NULL;
    if (self->told != NULL)
        self->spare[self->n_spare++] = self->told;
    self->told = NULL;
    status done = check(self, spectra);
    if (done != STATUS_OK)
        return done;
    struct pending *to = &self->pending[spectra->slice % PENDING];
    if (to->copies > 0)
        add(self, to, spectra);
    else
        done = begin(self, to, spectra);
    if (done == STATUS_OK)
        *complete = take_next(self);
    return done;
}

status slice_sum_finish(const slice_sum *self, uint64_t total)
{
    if (self->next == total)
        return STATUS_OK;
    log_error("the accumulators ended after %llu slices, but only %llu are complete",
              (unsigned long long)total, (unsigned long long)self->next);
    return STATUS_BAD_INPUT;
}
