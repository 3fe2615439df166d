/* SPDX-License-Identifier: GPL-3.0-or-later */
/* poisson_selector: cluster spectra in, signal-rich clusters out, by another test statistic.
 *   in   spectra    the counts of every accumulator up to slice s
 *   out  selection  what robust_selector gives, with z = (n - e) / sqrt(e) of every cluster and
 * mass bin, e = (counts of the cluster) x (counts of the bin) / (all counts): the residuals of a
 * chi-square test that mass and cluster are independent Keeps the sums of the slices that some
 * accumulator has still to send.
 *
 * A stage of its own, built against the installed library:
 *   cc -std=c17 poisson_selector.c $(pkg-config --cflags --libs clusterscan) -o poisson_selector
 * settings: threshold, in place of analysis.selection.threshold. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/stage/slice_sum.h"
#include "common/stage/stage.h"

struct selector {
    size_t members, clusters, bins;
    double threshold;
    slice_sum *sum;
    double *z;      /* [members, clusters, bins] */
    uint8_t *label; /* [members, clusters] */
    uint64_t *rich; /* [members, bins], so are the next two */
    uint64_t *depleted;
    double *background;
};

static void selector_destroy(void **state)
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
    const size_t cells = self->members * self->clusters * self->bins;
    self->z = calloc(cells, sizeof *self->z);
    self->label = calloc(self->members * self->clusters, sizeof *self->label);
    self->rich = calloc(self->members * self->bins, sizeof *self->rich);
    self->depleted = calloc(self->members * self->bins, sizeof *self->depleted);
    self->background = calloc(self->members * self->bins, sizeof *self->background);
    const bool good = self->z != NULL && self->label != NULL && self->rich != NULL &&
                      self->depleted != NULL && self->background != NULL;
    return good ? STATUS_OK : STATUS_NO_MEMORY;
}

static status selector_create(void **out, const struct stage_setup *setup)
{
    struct selector *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->members = setup->analysis.training.ensemble;
    self->clusters = setup->analysis.training.clusters;
    self->bins = setup->analysis.spectra.bins;
    const json_t *threshold = json_object_get(setup->settings, "threshold");
    if (threshold != NULL && !json_is_number(threshold)) {
        log_error("settings.threshold must be a number (standard deviations)");
        return STATUS_BAD_INPUT;
    }
    self->threshold =
        threshold != NULL ? json_number_value(threshold) : setup->analysis.selection.threshold;
    const status done = slice_sum_create(&self->sum, setup);
    return done == STATUS_OK ? allocate(self) : done;
}

/* Labels one cluster; in_bin[bins] are the counts of all clusters together, all their sum. */
static uint8_t judge(const struct selector *self, const uint64_t counts[], const uint64_t in_bin[],
                     uint64_t all, double z[])
{
    uint64_t total = 0;
    for (size_t b = 0; b < self->bins; b++)
        total += counts[b];
    uint8_t label = 0;
    for (size_t b = 0; b < self->bins; b++) {
        const double expected = all > 0 ? (double)total * (double)in_bin[b] / (double)all : 0;
        z[b] = expected > 0 ? ((double)counts[b] - expected) / sqrt(expected) : 0;
        if (z[b] > self->threshold)
            label = 1;
    }
    return label;
}

/* The bins of member m: who is rich, and what that leaves. rich holds all counts at first. */
static void select_member(struct selector *self, size_t m, const uint64_t counts[])
{
    const size_t bins = self->bins;
    uint64_t *rich = self->rich + m * bins;
    uint64_t *depleted = self->depleted + m * bins;
    uint64_t all = 0;
    memset(rich, 0, bins * sizeof *rich);
    memset(depleted, 0, bins * sizeof *depleted);
    for (size_t i = 0; i < self->clusters * bins; i++) {
        rich[i % bins] += counts[i];
        all += counts[i];
    }
    for (size_t k = 0; k < self->clusters; k++) {
        const size_t row = m * self->clusters + k;
        self->label[row] = judge(self, counts + k * bins, rich, all, self->z + row * bins);
        for (size_t b = 0; b < bins && self->label[row] == 0; b++)
            depleted[b] += counts[k * bins + b];
    }
    uint64_t sum_depleted = 0;
    for (size_t b = 0; b < bins; b++) {
        rich[b] -= depleted[b];
        sum_depleted += depleted[b];
    }
    for (size_t b = 0; b < bins; b++)
        self->background[m * bins + b] =
            sum_depleted > 0
                ? (double)depleted[b] * (double)(all - sum_depleted) / (double)sum_depleted
                : 0;
}

static status selector_process(void *state, const struct stage_item *item,
                               struct stage_outlet *outlet)
{
    struct selector *self = state;
    const struct spectra_record *sum;
    const status done = slice_sum_add(self->sum, &item->record->spectra, &sum);
    if (done != STATUS_OK || sum == NULL)
        return done;
    for (size_t m = 0; m < self->members; m++)
        select_member(self, m, sum->counts + m * self->clusters * self->bins);
    const struct selection_record selection = {.summed = *sum,
                                               .z = self->z,
                                               .label = self->label,
                                               .rich = self->rich,
                                               .depleted = self->depleted,
                                               .background = self->background};
    return outlet->emit(outlet, &selection);
}

int main(int argc, char **argv)
{
    static const struct stage_feed feed = {.process = selector_process};
    static const struct stage poisson_selector = {
        .name = "poisson_selector",
        .help = "Picks the clusters whose spectrum differs from the sum of all.",
        .output = MESSAGE_SELECTION,
        .create = selector_create,
        .destroy = selector_destroy,
        .feed = &feed,
    };
    return stage_main(&poisson_selector, argc, argv);
}
