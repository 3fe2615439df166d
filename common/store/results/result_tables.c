/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/results/result_tables.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/store/results/result_dataset.h"
#include "common/store/results/result_summary.h"

/* The lengths are those of the summary; an image's pixels are what is found. */
static status read_all(struct result_tables *out, struct result_access *from)
{
    const struct result_summary *summary = &out->summary;
    from->lengths[DIMENSION_MEMBER] = summary->members;
    from->lengths[DIMENSION_CLUSTER] = summary->clusters;
    from->lengths[DIMENSION_BIN] = summary->bins;
    from->lengths[DIMENSION_SLICE] = summary->slices;
    const struct result_part parts[] = {
        RESULT_PART(RESULT_CODEBOOK_CENTRES, &out->centres),
        RESULT_PART(RESULT_CODEBOOK_INERTIA, &out->inertia),
        RESULT_PART(RESULT_CODEBOOK_STEPS, &out->steps),
        RESULT_PART(RESULT_CODEBOOK_SEED, &out->seed),
        RESULT_PART(RESULT_SPECTRA_COUNTS, &out->counts),
        RESULT_PART(RESULT_SELECTION_Z, &out->z),
        RESULT_PART(RESULT_SELECTION_DEPLETED, &out->depleted),
        RESULT_PART(RESULT_HISTORY_EVENTS, &out->history_events),
        RESULT_PART(RESULT_HISTORY_MLS_MEAN, &out->history_mean),
    };
    status outcome = result_read_parts(from, sizeof parts / sizeof *parts, parts);
    if (outcome == STATUS_OK)
        out->pixels = (size_t)from->lengths[DIMENSION_PIXEL];
    if (outcome == STATUS_OK && result_has(from, RESULT_TRUTH_SIGNAL_COUNTS))
        outcome = result_read(from, RESULT_TRUTH_SIGNAL_COUNTS, &out->signal);
    return outcome == STATUS_OK ? result_models_read(&out->models, from, out->centres) : outcome;
}

static bool all_finite(size_t n, const double x[])
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

static bool all_finite_f32(size_t n, const float x[])
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

static status check_numbers(const struct result_tables *tables, const char *path)
{
    const struct result_summary *summary = &tables->summary;
    const size_t labels = summary->members * summary->clusters;
    enum result_id wrong = RESULT_DATASETS;
    if (!all_finite(labels * summary->bins, tables->z))
        wrong = RESULT_SELECTION_Z;
    else if (!all_finite(summary->members * summary->bins, summary->background))
        wrong = RESULT_SELECTION_BACKGROUND;
    else if (!all_finite(summary->members, tables->inertia))
        wrong = RESULT_CODEBOOK_INERTIA;
    else if (!all_finite(summary->slices, tables->history_mean))
        wrong = RESULT_HISTORY_MLS_MEAN;
    else if (!all_finite_f32(labels * tables->pixels, tables->centres))
        wrong = RESULT_CODEBOOK_CENTRES;
    if (wrong == RESULT_DATASETS)
        return STATUS_OK;
    log_error("%s: damaged: /%s holds a number that is not finite", path,
              result_dataset(wrong)->path);
    return STATUS_BAD_INPUT;
}

status result_tables_read(struct result_tables *out, const char *path)
{
    assert(out != NULL && path != NULL);
    *out = (struct result_tables){0};
    status outcome = result_summary_read(&out->summary, path);
    if (outcome != STATUS_OK)
        return outcome;
    struct result_access from;
    hdf5_guard(path);
    outcome = result_open(&from, path);
    if (outcome == STATUS_OK) {
        outcome = read_all(out, &from);
        H5Fclose(from.file);
    }
    hdf5_guard(NULL);
    if (outcome == STATUS_OK)
        outcome = check_numbers(out, path);
    if (outcome != STATUS_OK)
        result_tables_fini(out);
    return outcome;
}

void result_tables_fini(struct result_tables *self)
{
    result_summary_fini(&self->summary);
    result_models_fini(&self->models);
    free(self->centres);
    free(self->inertia);
    free(self->steps);
    free(self->seed);
    free(self->counts);
    free(self->z);
    free(self->depleted);
    free(self->history_events);
    free(self->history_mean);
    free(self->signal);
    *self = (struct result_tables){0};
}
