/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/robust_selector/robust_selector.h"

#include <stdlib.h>

#include "common/kernels/statistics/cluster_selection.h"
#include "common/kernels/statistics/robust.h"
#include "common/stage/slice_sum.h"

struct selector {
    struct analysis analysis;
    struct selection_settings settings;
    slice_sum *sum;
    double *z;
    uint8_t *label;
    uint64_t *rich;
    uint64_t *depleted;
    double *background;
};

void robust_selector_destroy(void **state)
{
    struct selector *self = *state;
    if (self == NULL)
        return;
    slice_sum_destroy(&self->sum);
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
    self->z = calloc(members * clusters * bins, sizeof *self->z);
    self->label = calloc(members * clusters, sizeof *self->label);
    self->rich = calloc(members * bins, sizeof *self->rich);
    self->depleted = calloc(members * bins, sizeof *self->depleted);
    self->background = calloc(members * bins, sizeof *self->background);
    if (self->z == NULL || self->label == NULL || self->rich == NULL || self->depleted == NULL ||
        self->background == NULL)
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

status robust_selector_create(void **out, const struct stage_setup *setup)
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
    const status done = slice_sum_create(&self->sum, setup);
    return done == STATUS_OK ? allocate(self) : done;
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

status robust_selector_process(void *state, const struct stage_item *item,
                               struct stage_outlet *outlet)
{
    struct selector *self = state;
    const struct spectra_record *sum;
    status done = slice_sum_add(self->sum, &item->record->spectra, &sum);
    if (done != STATUS_OK || sum == NULL)
        return done;
    for (size_t m = 0; done == STATUS_OK && m < sum->members; m++)
        done = select_member(self, sum, m);
    if (done != STATUS_OK)
        return done;
    const struct selection_record selection = {.summed = *sum,
                                               .z = self->z,
                                               .label = self->label,
                                               .rich = self->rich,
                                               .depleted = self->depleted,
                                               .background = self->background};
    return outlet->emit(outlet, &selection);
}

status robust_selector_finish(void *state, size_t input, uint64_t total,
                              struct stage_outlet *outlet)
{
    const struct selector *self = state;
    (void)input;
    (void)outlet;
    return slice_sum_finish(self->sum, total);
}
