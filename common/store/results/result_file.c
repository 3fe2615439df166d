/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/results/result_file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/store/results/result_attributes.h"
#include "common/store/results/result_dataset.h"
#include "common/store/results/result_models.h"
#include "common/store/results/result_output.h"

static status mismatch(const char *path, const char *what)
{
    log_error("%s: not written: %s", path, what);
    return STATUS_BAD_SHAPE;
}

/* What comes from several stages must be about the same thing. */
static status check(const char *path, const struct result *result)
{
    const struct spectra_record *summed = &result->selection->summed;
    const struct tally *tally = &summed->tally;
    if (!tally_adds_up(tally)) {
        log_error("%s: not written: %" PRIu64 " events read, but %" PRIu64 " counted + %" PRIu64
                  " dropped + %" PRIu64 " quarantined",
                  path, tally->read, tally->counted, tally_dropped(tally), tally->quarantined);
        return STATUS_BAD_SHAPE;
    }
    if (result->members == 0 || summed->members != result->members ||
        result->score->members != result->members)
        return mismatch(path, "models, selection and score have different members");
    if (summed->bins != result->bins.n)
        return mismatch(path, "the selection has other mass bins");
    for (size_t m = 0; m < result->members; m++)
        if (result->models[m].clusters != summed->clusters ||
            result->models[m].pixels != result->models[0].pixels)
            return mismatch(path, "a model has other clusters or pixels");
    return STATUS_OK;
}

static bool write_verdicts(const struct result_access *to,
                           const struct verdict verdicts[VERDICT_CHECKS])
{
    const char *name[VERDICT_CHECKS], *state[VERDICT_CHECKS], *text[VERDICT_CHECKS];
    for (int i = 0; i < VERDICT_CHECKS; i++) {
        name[i] = verdict_name((enum verdict_check)i);
        state[i] = verdict_state_name(verdicts[i].state);
        text[i] = verdicts[i].text;
    }
    return result_make_group(to, RESULT_VERDICT_NAME) &&
           result_write_texts(to, RESULT_VERDICT_NAME, name) &&
           result_write_texts(to, RESULT_VERDICT_STATE, state) &&
           result_write_texts(to, RESULT_VERDICT_TEXT, text);
}

/* The notes of whole files, or those of rows. */
static bool write_notes(const struct result_access *to, const struct input_notes *notes, bool rows)
{
    const enum result_id of_file = rows ? RESULT_QUARANTINED_FILE : RESULT_REFUSED_FILE;
    const enum result_id of_reason = rows ? RESULT_QUARANTINED_REASON : RESULT_REFUSED_REASON;
    const size_t n = input_notes_count(notes, rows);
    if (n == 0) /* plain tools like no empty datasets */
        return true;
    const char **name = calloc(n + 1, sizeof *name), **reason = calloc(n + 1, sizeof *reason);
    uint64_t *first = calloc(n + 1, sizeof *first), *count = calloc(n + 1, sizeof *count);
    bool done = name != NULL && reason != NULL && first != NULL && count != NULL;
    size_t at = 0;
    for (size_t i = 0; done && i < notes->n; i++) {
        if ((notes->note[i].rows > 0) != rows)
            continue;
        name[at] = notes->note[i].file;
        reason[at] = notes->note[i].reason;
        first[at] = notes->note[i].first_row;
        count[at++] = notes->note[i].rows;
    }
    done = done && result_make_group(to, of_file) && result_write_texts(to, of_file, name) &&
           result_write_texts(to, of_reason, reason) &&
           (!rows || (result_write(to, RESULT_QUARANTINED_FIRST_ROW, first) &&
                      result_write(to, RESULT_QUARANTINED_ROWS, count)));
    free(name);
    free(reason);
    free(first);
    free(count);
    return done;
}

/* True labels are told only if those of all events in the spectra are known. */
static bool truth_known(const struct spectra_record *summed)
{
    return summed->signal != NULL && summed->in_window > 0 && summed->labelled == summed->in_window;
}

static bool write_selection(const struct result_access *to,
                            const struct selection_record *selection)
{
    const struct spectra_record *summed = &selection->summed;
    return result_make_group(to, RESULT_SPECTRA_COUNTS) &&
           result_make_group(to, RESULT_SELECTION_Z) &&
           result_write(to, RESULT_SPECTRA_COUNTS, summed->counts) &&
           result_write(to, RESULT_SELECTION_Z, selection->z) &&
           result_write(to, RESULT_SELECTION_LABEL, selection->label) &&
           result_write(to, RESULT_SELECTION_RICH, selection->rich) &&
           result_write(to, RESULT_SELECTION_DEPLETED, selection->depleted) &&
           result_write(to, RESULT_SELECTION_BACKGROUND, selection->background) &&
           (!truth_known(summed) || (result_make_group(to, RESULT_TRUTH_SIGNAL_COUNTS) &&
                                     result_write(to, RESULT_TRUTH_SIGNAL_COUNTS, summed->signal)));
}

static bool write_score(const struct result_access *to, const struct result *result)
{
    const struct score_record *score = result->score;
    return result_make_group(to, RESULT_SCORE_MLS) &&
           result_make_group(to, RESULT_HISTORY_EVENTS) &&
           result_write(to, RESULT_SCORE_MLS, score->mls) &&
           result_write(to, RESULT_SCORE_BIN, score->bin) &&
           result_write(to, RESULT_SCORE_MLS_MEAN, &score->mean) &&
           result_write(to, RESULT_SCORE_MLS_MEDIAN, &score->median) &&
           result_write(to, RESULT_SCORE_MLS_MAX, &score->max) &&
           result_write(to, RESULT_SCORE_MLS_MIN, &score->min) &&
           result_write(to, RESULT_HISTORY_EVENTS, result->history_events) &&
           result_write(to, RESULT_HISTORY_MLS_MEAN, result->history_mean);
}

static bool write_all(hid_t file, const void *what)
{
    const struct result *result = what;
    const struct result_access to = {
        .file = file,
        .lengths = {[DIMENSION_MEMBER] = result->members,
                    [DIMENSION_CLUSTER] = result->models[0].clusters,
                    [DIMENSION_BIN] = result->bins.n,
                    [DIMENSION_EDGE] = (hsize_t)result->bins.n + 1,
                    [DIMENSION_PROTOTYPE] =
                        result_models_prototypes(result->members, result->models),
                    [DIMENSION_PIXEL] = result->models[0].pixels,
                    [DIMENSION_SLICE] = result->slices,
                    [DIMENSION_REASON] = DROP_REASONS,
                    [DIMENSION_CHECK] = VERDICT_CHECKS,
                    [DIMENSION_FILE] = input_notes_count(result->notes, false),
                    [DIMENSION_RANGE] = input_notes_count(result->notes, true)}};
    const struct result_origin origin = {.run_id = result->run_id,
                                         .log_id = result->log_id,
                                         .version = result->version,
                                         .analysis = result->analysis,
                                         .tally = result->selection->summed.tally,
                                         .final = result->final};
    return result_attributes_write(&to, &origin) && result_output_edges(&to, &result->bins) &&
           result_models_write(&to, result->members, result->models) &&
           write_selection(&to, result->selection) && write_score(&to, result) &&
           write_verdicts(&to, result->verdicts) && write_notes(&to, result->notes, false) &&
           write_notes(&to, result->notes, true) && result_describe(&to);
}

status result_file_write(const char *path, const struct result *result)
{
    assert(path != NULL && result != NULL);
    const status outcome = check(path, result);
    return outcome != STATUS_OK ? outcome : result_output_write(path, write_all, result);
}
