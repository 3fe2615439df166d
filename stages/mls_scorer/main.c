/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mls_scorer: selections and codebooks in, the answer out.
 *   in   codebook   every member of the ensemble, to the end, before any selection
 *   in   selection  of every slice
 *   out  score      maximum local significance per member and of the ensemble, per slice
 * Keeps the codebooks, the last selection and one line per slice; writes results.h5 at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/stats.h"
#include "common/log/log.h"
#include "common/stage/stage.h"
#include "common/store/result_file.h"
#include "stages/mls_scorer/low_counts.h"

/* The last selection, copied. */
struct last_selection {
    struct selection_record record;
    uint64_t *counts;
    uint64_t *signal;
    double *z;
    uint8_t *label;
    uint64_t *rich;
    uint64_t *depleted;
    double *background;
};

struct scorer {
    struct analysis analysis;
    const char *run_id;
    const char *log_id;
    const char *analysis_text;
    const char *results;
    const struct stage_input *inputs;
    struct codebook_record *book; /* [members] */
    float **centres;              /* [members] */
    struct last_selection last;
    struct score_record score;
    double *mls;     /* [members] */
    int32_t *bin;    /* [members] */
    double *scratch; /* [members] */
    size_t slices;
    size_t slice_room;
    uint64_t *history_events; /* [slices] */
    double *history_mean;     /* [slices] */
};

static void last_free(struct last_selection *self)
{
    free(self->counts);
    free(self->signal);
    free(self->z);
    free(self->label);
    free(self->rich);
    free(self->depleted);
    free(self->background);
}

static void scorer_destroy(void **state)
{
    struct scorer *self = *state;
    if (self == NULL)
        return;
    for (uint32_t m = 0; self->centres != NULL && m < self->analysis.training.ensemble; m++)
        free(self->centres[m]);
    free(self->centres);
    free(self->book);
    last_free(&self->last);
    free(self->mls);
    free(self->bin);
    free(self->scratch);
    free(self->history_events);
    free(self->history_mean);
    free(self);
    *state = NULL;
}

static status last_allocate(struct last_selection *self, const struct analysis *analysis)
{
    const size_t members = analysis->training.ensemble;
    const size_t labels = members * analysis->training.clusters;
    const size_t bins = members * analysis->spectra.bins;
    const size_t cells = labels * analysis->spectra.bins;
    self->counts = malloc(cells * sizeof *self->counts);
    self->signal = malloc(cells * sizeof *self->signal);
    self->z = malloc(cells * sizeof *self->z);
    self->label = malloc(labels * sizeof *self->label);
    self->rich = malloc(bins * sizeof *self->rich);
    self->depleted = malloc(bins * sizeof *self->depleted);
    self->background = malloc(bins * sizeof *self->background);
    if (self->counts == NULL || self->signal == NULL || self->z == NULL || self->label == NULL ||
        self->rich == NULL || self->depleted == NULL || self->background == NULL)
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

static status scorer_create(void **out, const struct stage_setup *setup)
{
    struct scorer *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->analysis = setup->analysis;
    self->run_id = setup->run_id;
    self->log_id = setup->log_id;
    self->analysis_text = setup->analysis_text;
    self->inputs = setup->inputs;
    self->results = json_string_value(json_object_get(setup->settings, "results"));
    if (self->results == NULL) {
        log_error("settings.results is missing: where shall the result file go?");
        return STATUS_BAD_INPUT;
    }
    const uint32_t members = setup->analysis.training.ensemble;
    self->book = calloc(members, sizeof *self->book);
    self->centres = calloc(members, sizeof(float *));
    self->mls = calloc(members, sizeof *self->mls);
    self->bin = calloc(members, sizeof *self->bin);
    self->scratch = calloc(members, sizeof *self->scratch);
    if (self->book == NULL || self->centres == NULL || self->mls == NULL || self->bin == NULL ||
        self->scratch == NULL)
        return STATUS_NO_MEMORY;
    return last_allocate(&self->last, &self->analysis);
}

static status take_codebook(struct scorer *self, const struct codebook_record *record)
{
    const size_t cells = (size_t)record->clusters * record->pixels;
    if (record->member >= self->analysis.training.ensemble ||
        record->clusters != self->analysis.training.clusters) {
        log_error("codebook of member %u with %u clusters: expected one of %u members, %u clusters",
                  record->member, record->clusters, self->analysis.training.ensemble,
                  self->analysis.training.clusters);
        return STATUS_BAD_INPUT;
    }
    float *centres = malloc(cells * sizeof *centres);
    if (centres == NULL)
        return STATUS_NO_MEMORY;
    memcpy(centres, record->centres, cells * sizeof *centres);
    free(self->centres[record->member]);
    self->centres[record->member] = centres;
    self->book[record->member] = *record;
    self->book[record->member].centres = centres;
    self->book[record->member].bias = NULL;
    return STATUS_OK;
}

static bool fits(const struct scorer *self, const struct spectra_record *spectra)
{
    return spectra->members == self->analysis.training.ensemble &&
           spectra->clusters == self->analysis.training.clusters &&
           spectra->bins == self->analysis.spectra.bins;
}

static void keep(struct last_selection *self, const struct selection_record *selection)
{
    const struct spectra_record *sum = &selection->summed;
    const size_t labels = (size_t)sum->members * sum->clusters;
    const size_t bins = (size_t)sum->members * sum->bins;
    const size_t cells = labels * sum->bins;
    memcpy(self->counts, sum->counts, cells * sizeof *self->counts);
    memcpy(self->signal, sum->signal, cells * sizeof *self->signal);
    memcpy(self->z, selection->z, cells * sizeof *self->z);
    memcpy(self->label, selection->label, labels * sizeof *self->label);
    memcpy(self->rich, selection->rich, bins * sizeof *self->rich);
    memcpy(self->depleted, selection->depleted, bins * sizeof *self->depleted);
    memcpy(self->background, selection->background, bins * sizeof *self->background);
    self->record = (struct selection_record){.summed = *sum,
                                             .z = self->z,
                                             .label = self->label,
                                             .rich = self->rich,
                                             .depleted = self->depleted,
                                             .background = self->background};
    self->record.summed.counts = self->counts;
    self->record.summed.signal = self->signal;
}

static void score(struct scorer *self)
{
    const struct selection_record *selection = &self->last.record;
    const struct spectra_record *sum = &selection->summed;
    for (uint32_t m = 0; m < sum->members; m++)
        self->mls[m] = max_local_significance(sum->bins, selection->rich + (size_t)m * sum->bins,
                                              selection->background + (size_t)m * sum->bins,
                                              self->analysis.score.approximation,
                                              self->analysis.score.deviation, &self->bin[m]);
    const struct ensemble ensemble = ensemble_of(sum->members, self->mls, self->scratch);
    self->score = (struct score_record){.members = sum->members,
                                        .slice = sum->slice,
                                        .read = sum->tally.read,
                                        .mean = ensemble.mean,
                                        .median = ensemble.median,
                                        .max = ensemble.max,
                                        .min = ensemble.min,
                                        .mls = self->mls,
                                        .bin = self->bin};
}

static status add_history(struct scorer *self)
{
    if (self->slices == self->slice_room) {
        const size_t room = self->slice_room == 0 ? 64 : 2 * self->slice_room;
        uint64_t *events = realloc(self->history_events, room * sizeof *events);
        if (events == NULL)
            return STATUS_NO_MEMORY;
        self->history_events = events;
        double *mean = realloc(self->history_mean, room * sizeof *mean);
        if (mean == NULL)
            return STATUS_NO_MEMORY;
        self->history_mean = mean;
        self->slice_room = room;
    }
    self->history_events[self->slices] = self->score.read;
    self->history_mean[self->slices] = self->score.mean;
    self->slices++;
    return STATUS_OK;
}

static status scorer_process(void *state, const struct stage_item *item,
                             struct stage_outlet *outlet)
{
    struct scorer *self = state;
    if (item->header->type == MESSAGE_CODEBOOK)
        return take_codebook(self, &item->record->codebook);
    const struct selection_record *selection = &item->record->selection;
    if (!fits(self, &selection->summed)) {
        log_error("selection of %u members, %u clusters, %u bins: expected %u, %u, %u",
                  selection->summed.members, selection->summed.clusters, selection->summed.bins,
                  self->analysis.training.ensemble, self->analysis.training.clusters,
                  self->analysis.spectra.bins);
        return STATUS_BAD_INPUT;
    }
    keep(&self->last, selection);
    score(self);
    const status added = add_history(self);
    return added == STATUS_OK ? outlet->emit(outlet, &self->score) : added;
}

static status check_codebooks(const struct scorer *self)
{
    for (uint32_t m = 0; m < self->analysis.training.ensemble; m++) {
        if (self->centres[m] != NULL)
            continue;
        log_error("the trainer ended without a codebook of member %u", m);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

static status write_results(const struct scorer *self)
{
    const struct analysis *analysis = &self->analysis;
    if (self->slices == 0) {
        log_error("no batch has arrived: there is nothing to score");
        return STATUS_BAD_INPUT;
    }
    low_counts_tell(&self->last.record);
    const struct result result = {
        .run_id = self->run_id,
        .log_id = self->log_id,
        .version = CLUSTERSCAN_VERSION,
        .analysis = self->analysis_text,
        .bins = {analysis->spectra.window[0], analysis->spectra.window[1], analysis->spectra.bins},
        .members = analysis->training.ensemble,
        .codebooks = self->book,
        .selection = &self->last.record,
        .score = &self->score,
        .slices = self->slices,
        .history_events = self->history_events,
        .history_mean = self->history_mean,
    };
    return result_file_write(self->results, &result);
}

static status scorer_finish(void *state, size_t input, uint64_t total, struct stage_outlet *outlet)
{
    const struct scorer *self = state;
    (void)total;
    (void)outlet;
    return self->inputs[input].type == MESSAGE_CODEBOOK ? check_codebooks(self)
                                                        : write_results(self);
}

static void scorer_describe(void *state, size_t size, char out[])
{
    const struct scorer *self = state;
    if (self->slices > 0)
        snprintf(out, size, "slice %zu, %llu events read: mean MLS %.2f", self->slices,
                 (unsigned long long)self->score.read, self->score.mean);
}

int main(int argc, char **argv)
{
    static const struct stage mls_scorer = {
        .name = "mls_scorer",
        .help = "Measures the excess in the signal-rich clusters and writes the result file.",
        .role = ROLE_FEED,
        .output = MESSAGE_SCORE,
        .create = scorer_create,
        .process = scorer_process,
        .finish = scorer_finish,
        .destroy = scorer_destroy,
        .describe = scorer_describe,
    };
    return stage_main(&mls_scorer, argc, argv);
}
