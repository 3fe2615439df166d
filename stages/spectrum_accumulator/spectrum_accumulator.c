/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/spectrum_accumulator/spectrum_accumulator.h"

#include <stdlib.h>
#include <string.h>

#include "common/kernels/statistics/spectra.h"
#include "common/stage/batch_labels.h"

struct accumulator {
    struct analysis analysis;
    const struct stage_input *inputs;
    uint32_t replica;
    uint32_t replicas;
    struct batch_labels labels;
    struct spectra_record spectra; /* slice: the one being filled */
    uint64_t *counts;
    uint64_t *signal;
};

void spectrum_accumulator_destroy(void **state)
{
    struct accumulator *self = *state;
    if (self == NULL)
        return;
    batch_labels_fini(&self->labels);
    free(self->counts);
    free(self->signal);
    free(self);
    *state = NULL;
}

static size_t cells_per_member(const struct accumulator *self)
{
    return (size_t)self->analysis.training.clusters * self->analysis.spectra.bins;
}

status spectrum_accumulator_create(void **out, const struct stage_setup *setup)
{
    struct accumulator *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    const struct analysis *analysis = &setup->analysis;
    self->analysis = *analysis;
    self->inputs = setup->inputs;
    self->replica = setup->replica;
    self->replicas = setup->replicas;
    const size_t cells = analysis->training.ensemble * cells_per_member(self);
    self->counts = calloc(cells, sizeof *self->counts);
    self->signal = calloc(cells, sizeof *self->signal);
    if (self->counts == NULL || self->signal == NULL)
        return STATUS_NO_MEMORY;
    self->spectra = (struct spectra_record){.generation = 1,
                                            .members = analysis->training.ensemble,
                                            .clusters = analysis->training.clusters,
                                            .bins = analysis->spectra.bins,
                                            .counts = self->counts,
                                            .signal = self->signal};
    return batch_labels_init(&self->labels, analysis);
}

void spectrum_accumulator_filter(void *state, size_t input, struct feed_filter *filter)
{
    const struct accumulator *self = state;
    if (self->inputs[input].type == MESSAGE_MODEL)
        return;
    filter->modulus = self->replicas;
    filter->remainder = self->replica;
    memcpy(filter->mass, self->analysis.spectra.window, sizeof filter->mass);
}

/* Adds the events that the spectra count to the numbers that all members share. */
static void note_events(struct accumulator *self, const struct image_batch *batch, uint32_t source)
{
    tally_add_batch(&self->spectra.tally, batch);
    for (uint32_t e = 0; e < batch->events; e++) {
        if (self->labels.bin[e] < 0)
            continue;
        self->spectra.in_window++;
        self->spectra.labelled += batch->label != NULL && batch->label[e] >= 0;
        self->spectra.digest += spectra_event_hash(source, batch->row[e]);
    }
}

static status count_batch(struct accumulator *self, const struct image_batch *batch,
                          uint32_t source)
{
    const status made = batch_labels_make(&self->labels, batch);
    if (made != STATUS_OK)
        return made;
    note_events(self, batch, source);
    for (uint32_t m = 0; m < self->analysis.training.ensemble; m++) {
        const size_t cell = m * cells_per_member(self);
        const uint16_t *label = self->labels.label + 2 * (size_t)m * batch->events;
        spectra_add(batch->events, label, self->labels.bin, batch->label,
                    self->analysis.spectra.bins, self->counts + cell, self->signal + cell);
    }
    return STATUS_OK;
}

/* Emits every slice that ends at or before place `next`, which is not counted yet. */
static status emit_slices(struct accumulator *self, uint64_t next, struct stage_outlet *outlet)
{
    while (next >= (self->spectra.slice + 1) * self->analysis.stream.slice) {
        const status done = outlet->emit(outlet, &self->spectra);
        if (done != STATUS_OK)
            return done;
        self->spectra.slice++;
    }
    return STATUS_OK;
}

status spectrum_accumulator_process(void *state, const struct stage_item *item,
                                    struct stage_outlet *outlet)
{
    struct accumulator *self = state;
    if (item->header->type == MESSAGE_MODEL)
        return batch_labels_take(&self->labels, &item->record->model);
    /* Slices without a place of this partition end here, too. */
    status done = emit_slices(self, item->place, outlet);
    if (done == STATUS_OK)
        done = count_batch(self, &item->record->images, item->header->source);
    /* After the last of its places in a slice, the slice is emitted at once, for the shifter. */
    const uint64_t end = (self->spectra.slice + 1) * self->analysis.stream.slice;
    if (done == STATUS_OK && item->next >= end)
        done = emit_slices(self, end, outlet);
    return done;
}

status spectrum_accumulator_finish(void *state, size_t input, uint64_t total,
                                   struct stage_outlet *outlet)
{
    struct accumulator *self = state;
    if (self->inputs[input].type == MESSAGE_MODEL)
        return model_arrivals_check(&self->labels.arrivals);
    const uint64_t slice = self->analysis.stream.slice;
    return emit_slices(self, (total + slice - 1) / slice * slice, outlet);
}
