/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stage/batch_labels.h"

#include <stdlib.h>

#include "common/base/array.h"

status batch_labels_init(struct batch_labels *self, const struct analysis *analysis)
{
    *self = (struct batch_labels){
        .bins = {analysis->spectra.window[0], analysis->spectra.window[1], analysis->spectra.bins},
        .power = analysis->image.power};
    const status done = model_arrivals_init(&self->arrivals, analysis);
    if (done != STATUS_OK)
        return done;
    self->model = calloc(self->arrivals.members, sizeof(model *));
    if (self->model == NULL)
        return STATUS_NO_MEMORY;
    return smearing_create(&self->smear, analysis->image.pixels, analysis->image.smear);
}

void batch_labels_fini(struct batch_labels *self)
{
    for (uint32_t m = 0; self->model != NULL && m < self->arrivals.members; m++)
        model_destroy(&self->model[m]);
    free(self->model);
    smearing_destroy(&self->smear);
    model_arrivals_fini(&self->arrivals);
    free(self->offset);
    free(self->label);
    free(self->bin);
    *self = (struct batch_labels){0};
}

status batch_labels_take(struct batch_labels *self, const struct model_record *record)
{
    const status done = model_arrivals_note(&self->arrivals, record);
    if (done != STATUS_OK)
        return done;
    model_destroy(&self->model[record->member]);
    return model_create(&self->model[record->member], record, self->smear);
}

static status reserve(struct batch_labels *self, size_t jets)
{
    status done = ARRAY_RESERVE(&self->offset, &self->offset_room, jets + 1);
    if (done == STATUS_OK)
        done = ARRAY_RESERVE(&self->label, &self->label_room, self->arrivals.members * jets + 1);
    return done == STATUS_OK ? ARRAY_RESERVE(&self->bin, &self->bin_room, jets / 2 + 1) : done;
}

status batch_labels_make(struct batch_labels *self, const struct image_batch *batch)
{
    const size_t jets = 2 * (size_t)batch->events;
    const status reserved = reserve(self, jets);
    if (reserved != STATUS_OK)
        return reserved;
    for (size_t j = 0; j < jets; j++)
        self->offset[j] = batch->offset[j];
    self->offset[jets] = batch->lit;
    for (uint32_t e = 0; e < batch->events; e++)
        self->bin[e] = mass_bins_find(&self->bins, (double)batch->m_jj[e]);
    const struct sparse_images images = {
        .n = jets, .offset = self->offset, .pixel = batch->pixel, .value = batch->intensity};
    models_label_fractions(self->arrivals.members, self->model, self->power, &images, self->label);
    return STATUS_OK;
}
