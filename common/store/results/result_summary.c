/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_summary: reads a result file back, trusting nothing in it. */
#include "common/store/results/result_summary.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/disk/hdf5_util.h"
#include "common/store/results/result_attributes.h"
#include "common/store/results/result_dataset.h"

static status check_kind(const struct result_access *source)
{
    if (result_has_group(source, RESULT_SCORE_MLS) ||
        !result_has_group(source, RESULT_SCAN_CLASSES))
        return STATUS_OK;
    log_error("%s: is the result of a composition scorer, which `clusterscan report` shows; "
              "expected that of an mls_scorer",
              source->path);
    return STATUS_BAD_INPUT;
}

/* Attributes and drop reasons, which become the summary's. */
static status read_about(struct result_summary *out, struct result_access *source)
{
    struct result_attributes about;
    const status outcome = result_attributes_read(&about, source);
    if (outcome != STATUS_OK) {
        result_attributes_fini(&about);
        return outcome;
    }
    out->run_id = about.run_id;
    out->log_id = about.log_id;
    out->version = about.version;
    out->analysis = about.analysis;
    out->tally = about.tally;
    out->final = about.final;
    return STATUS_OK;
}

static status read_scalar(struct result_access *source, enum result_id id, double *out)
{
    double *value;
    const status outcome = result_read(source, id, &value);
    if (outcome == STATUS_OK)
        *out = *value;
    free(value);
    return outcome;
}

/* The lengths that everything else must have. */
static status read_frame(struct result_summary *out, struct result_access *source)
{
    const struct result_part parts[] = {RESULT_PART(RESULT_SCORE_MLS, &out->mls),
                                        RESULT_PART(RESULT_EDGES, &out->edges),
                                        RESULT_PART(RESULT_SELECTION_LABEL, &out->label),
                                        RESULT_PART(RESULT_HISTORY_EVENTS, &out->history_events)};
    const status outcome = result_read_parts(source, sizeof parts / sizeof *parts, parts);
    if (outcome != STATUS_OK)
        return outcome;
    const hsize_t members = source->lengths[DIMENSION_MEMBER],
                  edges = source->lengths[DIMENSION_EDGE];
    if (members == 0 || edges < 2 || edges > INT32_MAX) {
        log_error("%s: damaged: no members or no mass bins", source->path);
        return STATUS_BAD_INPUT;
    }
    source->lengths[DIMENSION_BIN] = edges - 1;
    out->members = (size_t)members;
    out->clusters = (size_t)source->lengths[DIMENSION_CLUSTER];
    out->bins = (uint32_t)(edges - 1);
    out->slices = (size_t)source->lengths[DIMENSION_SLICE];
    return STATUS_OK;
}

static status read_numbers(struct result_summary *out, struct result_access *source)
{
    const struct result_part parts[] = {RESULT_PART(RESULT_SCORE_BIN, &out->bin),
                                        RESULT_PART(RESULT_SELECTION_RICH, &out->rich),
                                        RESULT_PART(RESULT_SELECTION_BACKGROUND, &out->background)};
    status outcome = result_read_parts(source, sizeof parts / sizeof *parts, parts);
    if (outcome == STATUS_OK && result_has(source, RESULT_SELECTION_DEPLETED))
        outcome = result_read(source, RESULT_SELECTION_DEPLETED, &out->depleted);
    if (outcome == STATUS_OK && result_has(source, RESULT_HISTORY_MLS_MEAN))
        outcome = result_read(source, RESULT_HISTORY_MLS_MEAN, &out->history_mean);
    if (outcome == STATUS_OK)
        outcome = read_scalar(source, RESULT_SCORE_MLS_MEAN, &out->mls_mean);
    if (outcome == STATUS_OK)
        outcome = read_scalar(source, RESULT_SCORE_MLS_MEDIAN, &out->mls_median);
    if (outcome == STATUS_OK)
        outcome = read_scalar(source, RESULT_SCORE_MLS_MAX, &out->mls_max);
    if (outcome == STATUS_OK)
        outcome = read_scalar(source, RESULT_SCORE_MLS_MIN, &out->mls_min);
    return outcome;
}

static status take_verdict(struct result_summary *out, const struct result_access *source,
                           const char *name, const char *state, const char *text)
{
    struct result_verdict *verdict = &out->verdicts[out->n_verdicts++];
    verdict->name = strdup(name);
    verdict->text = strdup(text);
    while (verdict->state < VERDICT_STATES &&
           strcmp(state, verdict_state_name(verdict->state)) != 0)
        verdict->state++;
    if (verdict->state == VERDICT_STATES) {
        log_error("%s: /%s is '%.60s', expected good, doubtful or bad", source->path,
                  result_dataset(RESULT_VERDICT_STATE)->path, state);
        return STATUS_BAD_INPUT;
    }
    return verdict->name != NULL && verdict->text != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Three lists of texts that belong together. */
static status read_verdicts(struct result_summary *out, struct result_access *source)
{
    struct result_texts name, state = {0}, text = {0};
    if (!result_has_group(source, RESULT_VERDICT_NAME))
        return STATUS_OK;
    status outcome = result_read_texts(source, RESULT_VERDICT_NAME, &name);
    if (outcome == STATUS_OK)
        outcome = result_read_texts(source, RESULT_VERDICT_STATE, &state);
    if (outcome == STATUS_OK)
        outcome = result_read_texts(source, RESULT_VERDICT_TEXT, &text);
    if (outcome == STATUS_OK)
        out->verdicts = calloc(name.n + 1, sizeof *out->verdicts);
    if (outcome == STATUS_OK && out->verdicts == NULL)
        outcome = STATUS_NO_MEMORY;
    for (size_t i = 0; outcome == STATUS_OK && i < name.n; i++)
        outcome = take_verdict(out, source, name.text + i * name.size, state.text + i * state.size,
                               text.text + i * text.size);
    free(name.text);
    free(state.text);
    free(text.text);
    return outcome;
}

/* Notes of whole files, or of rows. */
static status read_notes(struct result_summary *out, struct result_access *source, bool rows)
{
    const enum result_id of_file = rows ? RESULT_QUARANTINED_FILE : RESULT_REFUSED_FILE;
    const enum result_id of_reason = rows ? RESULT_QUARANTINED_REASON : RESULT_REFUSED_REASON;
    struct result_texts file, reason = {0};
    uint64_t *first = NULL, *count = NULL;
    if (!result_has_group(source, of_file))
        return STATUS_OK;
    status outcome = result_read_texts(source, of_file, &file);
    if (outcome == STATUS_OK)
        outcome = result_read_texts(source, of_reason, &reason);
    if (outcome == STATUS_OK && rows)
        outcome = result_read(source, RESULT_QUARANTINED_FIRST_ROW, &first);
    if (outcome == STATUS_OK && rows)
        outcome = result_read(source, RESULT_QUARANTINED_ROWS, &count);
    for (size_t i = 0; outcome == STATUS_OK && i < file.n; i++) {
        const struct input_note note = {.file = file.text + i * file.size,
                                        .reason = reason.text + i * reason.size,
                                        .first_row = rows ? first[i] : 0,
                                        .rows = rows ? count[i] : 0};
        outcome = input_notes_add(&out->notes, &note);
    }
    free(file.text);
    free(reason.text);
    free(first);
    free(count);
    return outcome;
}

static status check_numbers(const struct result_summary *out, const struct result_access *source)
{
    const struct {
        enum result_id id;
        double value;
    } scalars[] = {{RESULT_SCORE_MLS_MEAN, out->mls_mean},
                   {RESULT_SCORE_MLS_MEDIAN, out->mls_median},
                   {RESULT_SCORE_MLS_MAX, out->mls_max},
                   {RESULT_SCORE_MLS_MIN, out->mls_min}};
    enum result_id wrong = RESULT_DATASETS;
    for (uint32_t i = 0; i < out->bins; i++)
        if (!(out->edges[i] < out->edges[i + 1]) || !isfinite(out->edges[i + 1] - out->edges[i]))
            wrong = RESULT_EDGES;
    for (size_t m = 0; m < out->members; m++) {
        if (out->bin[m] < -1 || out->bin[m] >= (int32_t)out->bins)
            wrong = RESULT_SCORE_BIN;
        if (!isfinite(out->mls[m]))
            wrong = RESULT_SCORE_MLS;
    }
    for (size_t s = 0; out->history_mean != NULL && s < out->slices; s++)
        if (!isfinite(out->history_mean[s]))
            wrong = RESULT_HISTORY_MLS_MEAN;
    for (size_t i = 0; i < out->members * out->bins; i++)
        if (!(out->background[i] >= 0) || isinf(out->background[i]))
            wrong = RESULT_SELECTION_BACKGROUND;
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++)
        if (!isfinite(scalars[i].value))
            wrong = scalars[i].id;
    if (wrong == RESULT_DATASETS)
        return STATUS_OK;
    log_error("%s: damaged: /%s holds an impossible number", source->path,
              result_dataset(wrong)->path);
    return STATUS_BAD_INPUT;
}

status result_summary_read(struct result_summary *out, const char *path)
{
    assert(out != NULL && path != NULL);
    *out = (struct result_summary){0};
    struct result_access source;
    hdf5_guard(path);
    status outcome = result_open(&source, path);
    if (outcome != STATUS_OK) {
        hdf5_guard(NULL);
        return outcome;
    }
    outcome = check_kind(&source);
    if (outcome == STATUS_OK)
        outcome = read_about(out, &source);
    if (outcome == STATUS_OK)
        outcome = read_frame(out, &source);
    if (outcome == STATUS_OK)
        outcome = read_numbers(out, &source);
    if (outcome == STATUS_OK)
        outcome = read_verdicts(out, &source);
    if (outcome == STATUS_OK)
        outcome = read_notes(out, &source, false);
    if (outcome == STATUS_OK)
        outcome = read_notes(out, &source, true);
    if (outcome == STATUS_OK)
        outcome = check_numbers(out, &source);
    H5Fclose(source.file);
    hdf5_guard(NULL);
    if (outcome != STATUS_OK)
        result_summary_fini(out);
    return outcome;
}

enum verdict_state result_summary_worst(const struct result_summary *self)
{
    enum verdict_state worst = VERDICT_GOOD;
    for (size_t i = 0; i < self->n_verdicts; i++)
        if (self->verdicts[i].state > worst)
            worst = self->verdicts[i].state;
    return worst;
}

size_t result_summary_best(const struct result_summary *self)
{
    size_t best = 0;
    for (size_t m = 1; m < self->members; m++)
        if (self->mls[m] > self->mls[best])
            best = m;
    return best;
}

void result_summary_fini(struct result_summary *self)
{
    free(self->run_id);
    free(self->log_id);
    free(self->version);
    free(self->analysis);
    free(self->edges);
    free(self->mls);
    free(self->bin);
    free(self->label);
    free(self->rich);
    free(self->depleted);
    free(self->background);
    free(self->history_events);
    free(self->history_mean);
    for (size_t i = 0; i < self->n_verdicts; i++) {
        free(self->verdicts[i].name);
        free(self->verdicts[i].text);
    }
    free(self->verdicts);
    input_notes_fini(&self->notes);
    *self = (struct result_summary){0};
}
