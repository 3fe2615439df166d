/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/spectrum_accumulator/spectrum_accumulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "common/kernels/clustering/model.h"
#include "common/kernels/statistics/mass_bins.h"
#include "common/kernels/statistics/spectra.h"
#include "common/stage/model_arrivals.h"

/* What labelling a batch needs; grows with the largest one and stays. */
struct scratch {
    size_t offset_room;
    size_t label_room;
    size_t bin_room;
    uint64_t *offset; /* [jets + 1] */
    uint16_t *label;  /* [ensemble][jets] */
    int32_t *bin;     /* [jets / 2] */
};

struct accumulator {
    struct analysis analysis;
    struct mass_bins bins;
    const struct stage_input *inputs;
    uint32_t replica;
    uint32_t replicas;
    smearing *smear;
    struct model_arrivals arrivals;
    model **model; /* [ensemble] */
    struct scratch scratch;
    struct spectra_record spectra; /* slice: the one being filled */
    uint64_t *counts;
    uint64_t *signal;
};

void spectrum_accumulator_destroy(void **state)
{
    struct accumulator *self = *state;
    if (self == NULL)
        return;
    for (uint32_t m = 0; self->model != NULL && m < self->analysis.training.ensemble; m++)
        model_destroy(&self->model[m]);
    free(self->model);
    model_arrivals_fini(&self->arrivals);
    smearing_destroy(&self->smear);
    free(self->scratch.offset);
    free(self->scratch.label);
    free(self->scratch.bin);
    free(self->counts);
    free(self->signal);
    free(self);
    *state = NULL;
}

static size_t cells_per_member(const struct accumulator *self)
{
    return (size_t)self->analysis.training.clusters * self->bins.n;
}

status spectrum_accumulator_create(void **out, const struct stage_setup *setup)
{
    struct accumulator *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    const struct analysis *analysis = &setup->analysis;
    self->analysis = *analysis;
    self->bins = (struct mass_bins){analysis->spectra.window[0], analysis->spectra.window[1],
                                    analysis->spectra.bins};
    self->inputs = setup->inputs;
    self->replica = setup->replica;
    self->replicas = setup->replicas;
    const size_t cells = analysis->training.ensemble * cells_per_member(self);
    self->model = calloc(analysis->training.ensemble, sizeof(model *));
    self->counts = calloc(cells, sizeof *self->counts);
    self->signal = calloc(cells, sizeof *self->signal);
    if (self->model == NULL || self->counts == NULL || self->signal == NULL)
        return STATUS_NO_MEMORY;
    self->spectra = (struct spectra_record){.generation = 1,
                                            .members = analysis->training.ensemble,
                                            .clusters = analysis->training.clusters,
                                            .bins = self->bins.n,
                                            .counts = self->counts,
                                            .signal = self->signal};
    const status done = model_arrivals_init(&self->arrivals, analysis);
    return done == STATUS_OK
               ? smearing_create(&self->smear, analysis->image.pixels, analysis->image.smear)
               : done;
}

void spectrum_accumulator_filter(void *state, size_t input, struct feed_filter *filter)
{
    const struct accumulator *self = state;
    if (self->inputs[input].type == MESSAGE_MODEL)
        return;
    filter->modulus = self->replicas;
    filter->remainder = self->replica;
    filter->mass[0] = self->bins.lo;
    filter->mass[1] = self->bins.hi;
}

static status take_model(struct accumulator *self, const struct model_record *record)
{
    const status done = model_arrivals_note(&self->arrivals, record);
    if (done != STATUS_OK)
        return done;
    model_destroy(&self->model[record->member]);
    return model_create(&self->model[record->member], record, self->smear);
}

static status reserve(struct scratch *self, uint32_t jets, uint32_t members)
{
    status done = ARRAY_RESERVE(&self->offset, &self->offset_room, (size_t)jets + 1);
    if (done == STATUS_OK)
        done = ARRAY_RESERVE(&self->label, &self->label_room, members * (size_t)jets + 1);
    return done == STATUS_OK ? ARRAY_RESERVE(&self->bin, &self->bin_room, (size_t)jets / 2 + 1)
                             : done;
}

/* Offsets and bins of a batch, the same for every member. */
static void prepare(struct accumulator *self, const struct image_batch *batch, uint32_t source)
{
    struct scratch *scratch = &self->scratch;
    for (uint32_t j = 0; j < 2 * batch->events; j++)
        scratch->offset[j] = batch->offset[j];
    scratch->offset[2 * batch->events] = batch->lit;
    for (uint32_t e = 0; e < batch->events; e++) {
        scratch->bin[e] = mass_bins_find(&self->bins, (double)batch->m_jj[e]);
        if (scratch->bin[e] < 0)
            continue;
        self->spectra.in_window++;
        self->spectra.labelled += batch->label != NULL && batch->label[e] >= 0;
        self->spectra.digest += spectra_event_hash(source, batch->row[e]);
    }
}

static status count_batch(struct accumulator *self, const struct image_batch *batch,
                          uint32_t source)
{
    struct scratch *scratch = &self->scratch;
    const uint32_t members = self->analysis.training.ensemble;
    const status reserved = reserve(scratch, 2 * batch->events, members);
    if (reserved != STATUS_OK)
        return reserved;
    tally_add_batch(&self->spectra.tally, batch);
    prepare(self, batch, source);
    const struct sparse_images images = {.n = 2 * (size_t)batch->events,
                                         .offset = scratch->offset,
                                         .pixel = batch->pixel,
                                         .value = batch->intensity};
    models_label_fractions(members, self->model, self->analysis.image.power, &images,
                           scratch->label);
    for (uint32_t m = 0; m < members; m++) {
        const size_t cell = m * cells_per_member(self);
        spectra_add(batch->events, scratch->label + m * images.n, scratch->bin, batch->label,
                    self->bins.n, self->counts + cell, self->signal + cell);
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
        return take_model(self, &item->record->model);
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
        return model_arrivals_check(&self->arrivals);
    const uint64_t slice = self->analysis.stream.slice;
    return emit_slices(self, (total + slice - 1) / slice * slice, outlet);
}
