/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/mls_scorer/mls_scorer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "common/base/log.h"
#include "common/kernels/statistics/ensemble.h"
#include "common/kernels/statistics/robust.h"
#include "common/kernels/statistics/significance.h"
#include "common/kernels/statistics/verdicts.h"
#include "common/stage/model_arrivals.h"
#include "common/stage/result_renewal.h"
#include "common/store/results/result_file.h"

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
    struct result_renewal renewal;
    const json_t *logs; /* NULL: there is one, whose folder and sources follow */
    const char *folder;
    uint32_t sources;
    struct verdict_settings limits;
    struct verdict verdicts[VERDICT_CHECKS];
    const struct stage_input *inputs;
    struct model_arrivals arrivals;
    struct model_record *model; /* [members] */
    void **kept;                /* [members] what their arrays lie in; NULL: not there yet */
    struct last_selection last;
    struct score_record score;
    double *mls;     /* [members] */
    int32_t *bin;    /* [members] */
    double *scratch; /* [members] */
    size_t slices;
    size_t events_room;
    size_t mean_room;
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

void mls_scorer_destroy(void **state)
{
    struct scorer *self = *state;
    if (self == NULL)
        return;
    for (uint32_t m = 0; self->kept != NULL && m < self->analysis.training.ensemble; m++)
        free(self->kept[m]);
    free(self->kept);
    free(self->model);
    model_arrivals_fini(&self->arrivals);
    last_free(&self->last);
    free(self->mls);
    free(self->bin);
    free(self->scratch);
    free(self->history_events);
    free(self->history_mean);
    result_renewal_fini(&self->renewal);
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

static double number_of(const json_t *settings, const char *key, double fallback)
{
    const json_t *value = json_object_get(settings, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

static status read_settings(struct scorer *self, const json_t *settings)
{
    const struct verdict_settings *usual = &verdict_defaults;
    self->limits = (struct verdict_settings){
        .counts = (uint32_t)number_of(settings, "few_counts", usual->counts),
        .few_doubtful = number_of(settings, "few_doubtful", usual->few_doubtful),
        .few_bad = number_of(settings, "few_bad", usual->few_bad),
        .agreement = number_of(settings, "agreement", usual->agreement),
        .depleted_doubtful = number_of(settings, "depleted_doubtful", usual->depleted_doubtful),
        .depleted_bad = number_of(settings, "depleted_bad", usual->depleted_bad)};
    return result_renewal_init(&self->renewal, settings, self->run_id);
}

status mls_scorer_create(void **out, const struct stage_setup *setup)
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
    self->logs = setup->logs;
    self->folder = setup->folder;
    self->sources = setup->sources;
    status done = read_settings(self, setup->settings);
    if (done == STATUS_OK)
        done = model_arrivals_init(&self->arrivals, &self->analysis);
    if (done != STATUS_OK)
        return done;
    const uint32_t members = setup->analysis.training.ensemble;
    self->model = calloc(members, sizeof *self->model);
    self->kept = calloc(members, sizeof(void *));
    self->mls = calloc(members, sizeof *self->mls);
    self->bin = calloc(members, sizeof *self->bin);
    self->scratch = calloc(members, sizeof *self->scratch);
    if (self->model == NULL || self->kept == NULL || self->mls == NULL || self->bin == NULL ||
        self->scratch == NULL)
        return STATUS_NO_MEMORY;
    return last_allocate(&self->last, &self->analysis);
}

static status take_model(struct scorer *self, const struct model_record *record)
{
    status done = model_arrivals_note(&self->arrivals, record);
    if (done != STATUS_OK)
        return done;
    struct model_record copy;
    void *memory;
    done = model_record_copy(&copy, &memory, record);
    if (done != STATUS_OK)
        return done;
    free(self->kept[record->member]);
    self->kept[record->member] = memory;
    self->model[record->member] = copy;
    return STATUS_OK;
}

/* Logged if it does not fit the analysis, or is inconsistent. */
static bool fits(const struct scorer *self, const struct selection_record *selection)
{
    const struct spectra_record *spectra = &selection->summed;
    const struct analysis *analysis = &self->analysis;
    const bool fit = spectra->members == analysis->training.ensemble &&
                     spectra->clusters == analysis->training.clusters &&
                     spectra->bins == analysis->spectra.bins;
    const char *fault = fit ? selection_fault(selection) : NULL;
    if (!fit)
        log_error("selection of %u members, %u clusters, %u bins: expected %u, %u, %u",
                  spectra->members, spectra->clusters, spectra->bins, analysis->training.ensemble,
                  analysis->training.clusters, analysis->spectra.bins);
    else if (fault != NULL)
        log_error("selection of slice %llu: %s", (unsigned long long)spectra->slice, fault);
    return fit && fault == NULL;
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
                                              selection->depleted + (size_t)m * sum->bins,
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
    status done = ARRAY_RESERVE(&self->history_events, &self->events_room, self->slices + 1);
    if (done == STATUS_OK)
        done = ARRAY_RESERVE(&self->history_mean, &self->mean_room, self->slices + 1);
    if (done != STATUS_OK)
        return done;
    self->history_events[self->slices] = self->score.read;
    self->history_mean[self->slices] = self->score.mean;
    self->slices++;
    return STATUS_OK;
}

/* What speaks against the score. */
static status judge(struct scorer *self)
{
    const struct analysis *analysis = &self->analysis;
    const double fraction = analysis->selection.outlier_fraction;
    const double factor = analysis->selection.sd_factor;
    const struct verdict_input input = {
        .selection = &self->last.record,
        .bin = self->bin,
        .bins = {analysis->spectra.window[0], analysis->spectra.window[1], analysis->spectra.bins},
        .training = {analysis->training.window[0], analysis->training.window[1]},
        .outlier_fraction = fraction,
        .threshold = analysis->selection.threshold,
        .sd_factor = factor > 0 ? factor : robust_sd_factor(fraction)};
    return verdicts_make(self->verdicts, &self->limits, &input);
}

/* What the readers of all logs noted. */
static status read_notes(const struct scorer *self, struct input_notes *out)
{
    *out = (struct input_notes){0};
    if (self->logs == NULL)
        return input_notes_read(out, self->folder, 0, self->sources);
    status done = STATUS_OK;
    for (size_t k = 0; k < json_array_size(self->logs) && done == STATUS_OK; k++) {
        const json_t *log = json_array_get(self->logs, k);
        const char *folder = json_string_value(json_object_get(log, "folder"));
        const json_int_t first = json_integer_value(json_object_get(log, "first_source"));
        const json_int_t sources = json_integer_value(json_object_get(log, "sources"));
        if (folder != NULL)
            done = input_notes_read(out, folder, (uint32_t)first, (uint32_t)sources);
    }
    return done;
}

static status write_results(const struct scorer *self, bool final)
{
    const struct analysis *analysis = &self->analysis;
    struct input_notes notes;
    status done = read_notes(self, &notes);
    const struct result result = {
        .run_id = self->run_id,
        .log_id = self->log_id,
        .version = CLUSTERSCAN_VERSION,
        .analysis = self->analysis_text,
        .bins = {analysis->spectra.window[0], analysis->spectra.window[1], analysis->spectra.bins},
        .members = analysis->training.ensemble,
        .models = self->model,
        .selection = &self->last.record,
        .score = &self->score,
        .slices = self->slices,
        .history_events = self->history_events,
        .history_mean = self->history_mean,
        .verdicts = self->verdicts,
        .notes = &notes,
        .final = final,
    };
    if (done == STATUS_OK)
        done = result_file_write(self->renewal.path, &result);
    input_notes_fini(&notes);
    return done;
}

/* A result to look at while the run goes on. What cannot be written now may be later: only the
 * final one must be. */
static status renew_results(struct scorer *self)
{
    bool due;
    const status checked = result_renewal_check(&self->renewal, &due);
    if (checked != STATUS_OK || !due)
        return checked;
    const status done = write_results(self, false);
    return done == STATUS_NO_MEMORY ? done : STATUS_OK;
}

status mls_scorer_process(void *state, const struct stage_item *item, struct stage_outlet *outlet)
{
    struct scorer *self = state;
    if (item->header->type == MESSAGE_MODEL)
        return take_model(self, &item->record->model);
    const struct selection_record *selection = &item->record->selection;
    if (!fits(self, selection))
        return STATUS_BAD_INPUT;
    keep(&self->last, selection);
    score(self);
    status done = judge(self);
    if (done == STATUS_OK)
        done = add_history(self);
    if (done == STATUS_OK)
        done = outlet->emit(outlet, &self->score);
    return done == STATUS_OK ? renew_results(self) : done;
}

status mls_scorer_finish(void *state, size_t input, uint64_t total, struct stage_outlet *outlet)
{
    const struct scorer *self = state;
    (void)total;
    (void)outlet;
    if (self->inputs[input].type == MESSAGE_MODEL)
        return model_arrivals_check(&self->arrivals);
    if (self->slices == 0) {
        log_error("no batch has arrived: there is nothing to score");
        return STATUS_BAD_INPUT;
    }
    return write_results(self, true);
}

void mls_scorer_describe(void *state, size_t size, char out[])
{
    const struct scorer *self = state;
    if (self->slices == 0)
        return;
    const enum verdict_state worst = verdicts_worst(self->verdicts);
    size_t used = 0;
    const char *before = " (";
    if (worst != VERDICT_GOOD)
        used = (size_t)snprintf(out, size, "%s", verdict_state_name(worst));
    for (int i = 0; i < VERDICT_CHECKS && worst != VERDICT_GOOD && used < size; i++) {
        if (self->verdicts[i].state != worst)
            continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s", before,
                                 verdict_name((enum verdict_check)i));
        before = ", ";
    }
    if (used < size)
        snprintf(out + used, size - used, "%sslice %zu, %llu events read: mean MLS %.2f",
                 worst != VERDICT_GOOD ? "): " : "", self->slices,
                 (unsigned long long)self->score.read, self->score.mean);
}
