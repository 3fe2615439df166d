/* SPDX-License-Identifier: GPL-3.0-or-later */
/* robust_selector: cluster spectra in, signal-rich clusters out.
 *   in   spectra    the counts of every accumulator up to slice s
 *   out  selection  standardised spectra, labels, rich and depleted spectra, expected background
 * Keeps the sums of the slices that some accumulator has still to send. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/stats.h"
#include "common/log/log.h"
#include "common/stage/stage.h"

/* More slices than the accumulators can be apart (they are fed jointly). */
enum { PENDING = 32 };

struct pending {
    size_t copies; /* that have sent this slice */
    struct spectra_record sum;
    uint64_t *counts; /* and signal behind them; NULL: no copy has sent it */
};

struct selector {
    struct analysis analysis;
    struct selection_settings settings;
    size_t copies; /* accumulators */
    size_t cells;  /* members x clusters x bins */
    uint64_t next; /* slice to be answered */
    struct pending pending[PENDING];
    size_t n_spare;
    uint64_t *spare[PENDING]; /* counts that answered slices left behind: few are pending at once */
    double *z;
    uint8_t *label;
    uint64_t *rich;
    uint64_t *depleted;
    double *background;
};

static void selector_destroy(void **state)
{
    struct selector *self = *state;
    if (self == NULL)
        return;
    for (size_t i = 0; i < PENDING; i++)
        free(self->pending[i].counts);
    for (size_t i = 0; i < self->n_spare; i++)
        free(self->spare[i]);
    free(self->z);
    free(self->label);
    free(self->rich);
    free(self->depleted);
    free(self->background);
    free(self);
    *state = NULL;
}

static status allocate(struct selector *self)
{
    const size_t members = self->analysis.training.ensemble;
    const size_t clusters = self->analysis.training.clusters;
    const size_t bins = self->analysis.spectra.bins;
    self->cells = members * clusters * bins;
    self->z = calloc(self->cells, sizeof *self->z);
    self->label = calloc(members * clusters, sizeof *self->label);
    self->rich = calloc(members * bins, sizeof *self->rich);
    self->depleted = calloc(members * bins, sizeof *self->depleted);
    self->background = calloc(members * bins, sizeof *self->background);
    if (self->z == NULL || self->label == NULL || self->rich == NULL || self->depleted == NULL ||
        self->background == NULL)
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

static status selector_create(void **out, const struct stage_setup *setup)
{
    struct selector *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    const struct analysis *analysis = &setup->analysis;
    self->analysis = *analysis;
    self->settings = (struct selection_settings){
        .outlier_fraction = analysis->selection.outlier_fraction,
        .threshold = analysis->selection.threshold,
        .sd_factor = analysis->selection.sd_factor > 0
                         ? analysis->selection.sd_factor
                         : robust_sd_factor(analysis->selection.outlier_fraction)};
    for (size_t i = 0; i < setup->n_inputs; i++)
        self->copies += setup->inputs[i].copies;
    return allocate(self);
}

static bool fits(const struct selector *self, const struct spectra_record *spectra)
{
    return spectra->members == self->analysis.training.ensemble &&
           spectra->clusters == self->analysis.training.clusters &&
           spectra->bins == self->analysis.spectra.bins;
}

/* The first copy's spectra of a slice. */
static status begin(struct selector *self, struct pending *to, const struct spectra_record *spectra)
{
    const size_t bytes = self->cells * sizeof *to->counts;
    to->counts = self->n_spare > 0 ? self->spare[--self->n_spare] : malloc(2 * bytes);
    if (to->counts == NULL)
        return STATUS_NO_MEMORY;
    to->copies = 1;
    to->sum = *spectra;
    to->sum.counts = to->counts;
    to->sum.signal = to->counts + self->cells;
    memcpy(to->counts, spectra->counts, bytes);
    memcpy(to->counts + self->cells, spectra->signal, bytes);
    return STATUS_OK;
}

static void add(struct pending *to, const struct spectra_record *spectra, size_t cells)
{
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

static status select_member(struct selector *self, const struct spectra_record *sum, size_t member)
{
    const size_t per_member = (size_t)sum->clusters * sum->bins;
    const size_t cell = member * per_member;
    const size_t bin = member * sum->bins;
    return select_clusters(&self->settings, sum->clusters, sum->bins, sum->counts + cell,
                           self->z + cell, self->label + member * sum->clusters, self->rich + bin,
                           self->depleted + bin, self->background + bin);
}

static status answer(struct selector *self, struct pending *slice, struct stage_outlet *outlet)
{
    for (size_t m = 0; m < slice->sum.members; m++) {
        const status done = select_member(self, &slice->sum, m);
        if (done != STATUS_OK)
            return done;
    }
    const struct selection_record selection = {.summed = slice->sum,
                                               .z = self->z,
                                               .label = self->label,
                                               .rich = self->rich,
                                               .depleted = self->depleted,
                                               .background = self->background};
    self->next++;
    const status emitted = outlet->emit(outlet, &selection);
    self->spare[self->n_spare++] = slice->counts;
    slice->counts = NULL;
    slice->copies = 0;
    return emitted;
}

static status selector_process(void *state, const struct stage_item *item,
                               struct stage_outlet *outlet)
{
    struct selector *self = state;
    const struct spectra_record *spectra = &item->record->spectra;
    if (!fits(self, spectra)) {
        log_error("spectra of %u members, %u clusters, %u bins: expected %u, %u, %u",
                  spectra->members, spectra->clusters, spectra->bins,
                  self->analysis.training.ensemble, self->analysis.training.clusters,
                  self->analysis.spectra.bins);
        return STATUS_BAD_INPUT;
    }
    if (spectra->slice < self->next || spectra->slice - self->next >= PENDING) {
        log_error("spectra of slice %llu while slice %llu is not complete",
                  (unsigned long long)spectra->slice, (unsigned long long)self->next);
        return STATUS_BAD_INPUT;
    }
    struct pending *to = &self->pending[spectra->slice % PENDING];
    if (to->copies > 0) {
        add(to, spectra, self->cells);
    } else {
        const status begun = begin(self, to, spectra);
        if (begun != STATUS_OK)
            return begun;
    }
    /* Every accumulator sends its slices in order, so they are complete in order. */
    struct pending *slice = &self->pending[self->next % PENDING];
    return slice->copies == self->copies ? answer(self, slice, outlet) : STATUS_OK;
}

static status selector_finish(void *state, size_t input, uint64_t total,
                              struct stage_outlet *outlet)
{
    const struct selector *self = state;
    (void)input;
    (void)outlet;
    if (self->next == total)
        return STATUS_OK;
    log_error("the accumulators ended after %llu slices, but only %llu are complete",
              (unsigned long long)total, (unsigned long long)self->next);
    return STATUS_BAD_INPUT;
}

int main(int argc, char **argv)
{
    static const struct stage robust_selector = {
        .name = "robust_selector",
        .help = "Picks the clusters whose spectrum sticks out by robust standardisation.",
        .role = ROLE_FEED,
        .output = MESSAGE_SELECTION,
        .create = selector_create,
        .process = selector_process,
        .finish = selector_finish,
        .destroy = selector_destroy,
    };
    return stage_main(&robust_selector, argc, argv);
}
