/* SPDX-License-Identifier: GPL-3.0-or-later */
/* batch_labels: the clusters of the jets of image batches by every member's model, and the mass
 * bins of their events. */
#ifndef COMMON_STAGE_BATCH_LABELS_H
#define COMMON_STAGE_BATCH_LABELS_H

#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/clustering/model.h"
#include "common/kernels/statistics/mass_bins.h"
#include "common/records/image_batch.h"
#include "common/stage/model_arrivals.h"

struct batch_labels {
    struct mass_bins bins;
    double power; /* analysis.image.power */
    struct model_arrivals arrivals;
    smearing *smear;
    model **model; /* [members] */
    /* Of the last batch, n events. */
    uint16_t *label; /* [members][2n] */
    int32_t *bin;    /* [n] -1: outside the spectrum */
    uint64_t *offset;
    size_t offset_room;
    size_t label_room;
    size_t bin_room;
};

/* STATUS_NO_MEMORY; *self is to be given to batch_labels_fini whatever is returned. */
MUST_CHECK status batch_labels_init(struct batch_labels *self, const struct analysis *analysis);
/* Also of one that is all zero. */
void batch_labels_fini(struct batch_labels *self);

/* Takes the model of a member; errors are those of model_arrivals_note and model_create. */
MUST_CHECK status batch_labels_take(struct batch_labels *self, const struct model_record *record);
/* Fills label and bin, once all models are there. Memory grows with the largest batch.
 * STATUS_NO_MEMORY. */
MUST_CHECK status batch_labels_make(struct batch_labels *self, const struct image_batch *batch);

#endif
