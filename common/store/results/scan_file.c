/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/results/scan_file.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/store/disk/hdf5_util.h"
#include "common/store/results/result_dataset.h"
#include "common/store/results/result_output.h"

/* ---- writing ---- */

static bool write_windows(const struct result_access *to, const struct scan_result *result)
{
    const struct scan_record *scan = result->scan;
    double *edge = malloc((2 * (size_t)scan->windows + 1) * sizeof *edge);
    if (edge == NULL)
        return false;
    double *low = edge, *high = edge + scan->windows;
    for (uint32_t w = 0; w < scan->windows; w++) {
        low[w] = mass_bins_edge(&result->bins, scan->first[w]);
        high[w] = mass_bins_edge(&result->bins, scan->first[w] + scan->bins[w]);
    }
    const bool done = result_write(to, RESULT_SCAN_LOW, low) &&
                      result_write(to, RESULT_SCAN_HIGH, high) &&
                      result_write(to, RESULT_SCAN_STATISTIC, scan->t) &&
                      result_write(to, RESULT_SCAN_NULL_MEAN, scan->null_mean) &&
                      result_write(to, RESULT_SCAN_NULL_SD, scan->null_sd);
    free(edge);
    return done;
}

static bool write_answer(const struct result_access *to, const struct scan_result *result)
{
    const struct scan_record *scan = result->scan;
    const uint8_t extrapolated = scan->extrapolated != 0;
    return result_write(to, RESULT_SCAN_LARGEST, &scan->largest) &&
           result_write(to, RESULT_SCAN_PULL, &scan->s) &&
           result_write(to, RESULT_SCAN_REACHED, &scan->reached) &&
           result_write(to, RESULT_SCAN_LN_P, &scan->ln_p) &&
           result_write(to, RESULT_SCAN_Z, &scan->z) &&
           result_write(to, RESULT_SCAN_EXTRAPOLATED, &extrapolated) &&
           (scan->toys == 0 || result_write(to, RESULT_SCAN_TOY_PULL, result->toy_pull));
}

static bool write_history(const struct result_access *to, const struct scan_result *result)
{
    return result_write(to, RESULT_SCAN_HISTORY_EVENTS, result->history_events) &&
           result_write(to, RESULT_SCAN_HISTORY_TOYS, result->history_toys) &&
           result_write(to, RESULT_SCAN_HISTORY_LN_P, result->history_ln_p) &&
           result_write(to, RESULT_SCAN_HISTORY_Z, result->history_z);
}

static bool fill(hid_t file, const void *what)
{
    const struct scan_result *result = what;
    const struct result_access to = {.file = file,
                                     .lengths = {[DIMENSION_MEMBER] = result->members,
                                                 [DIMENSION_EDGE] = (hsize_t)result->bins.n + 1,
                                                 [DIMENSION_SLICE] = result->slices,
                                                 [DIMENSION_REASON] = DROP_REASONS,
                                                 [DIMENSION_WINDOW] = result->scan->windows,
                                                 [DIMENSION_TOY] = result->scan->toys}};
    return result_attributes_write(&to, &result->origin) &&
           result_output_edges(&to, &result->bins) && result_make_group(&to, RESULT_SCAN_CLASSES) &&
           result_write(&to, RESULT_SCAN_CLASSES, result->classes) &&
           (result->scan->windows == 0 || write_windows(&to, result)) &&
           write_answer(&to, result) && write_history(&to, result) && result_describe(&to);
}

status scan_file_write(const char *path, const struct scan_result *result)
{
    assert(path != NULL && result != NULL && result->members > 0 && result->slices > 0);
    if (!tally_adds_up(&result->origin.tally)) {
        log_error("%s: not written: the events counted, dropped and quarantined are not those read",
                  path);
        return STATUS_BAD_SHAPE;
    }
    return result_output_write(path, fill, result);
}

/* ---- reading ---- */

bool scan_file_is(const char *path)
{
    hdf5_silence();
    hdf5_guard(path);
    const hid_t access = hdf5_file_access();
    struct result_access source = {.path = path};
    source.file = access >= 0 ? H5Fopen(path, H5F_ACC_RDONLY, access) : H5I_INVALID_HID;
    const bool is = source.file >= 0 && result_has_group(&source, RESULT_SCAN_CLASSES);
    if (source.file >= 0)
        H5Fclose(source.file);
    if (access >= 0)
        H5Pclose(access);
    hdf5_guard(NULL);
    return is;
}

/* The first number of a scalar dataset. */
#define READ_SCALAR(from, id, out)                          \
    do {                                                    \
        const status read_ = result_read(from, id, &value); \
        if (read_ == STATUS_OK)                             \
            *(out) = *value;                                \
        free(value);                                        \
        if (read_ != STATUS_OK)                             \
            return read_;                                   \
    } while (0)

static status read_numbers(struct scan_summary *out, struct result_access *from)
{
    double *value;
    READ_SCALAR(from, RESULT_SCAN_PULL, &out->pull);
    READ_SCALAR(from, RESULT_SCAN_LN_P, &out->ln_p);
    READ_SCALAR(from, RESULT_SCAN_Z, &out->z);
    return STATUS_OK;
}

static status read_counts(struct scan_summary *out, struct result_access *from)
{
    uint32_t *value;
    READ_SCALAR(from, RESULT_SCAN_LARGEST, &out->largest);
    READ_SCALAR(from, RESULT_SCAN_REACHED, &out->reached);
    return STATUS_OK;
}

static status read_flag(struct scan_summary *out, struct result_access *from)
{
    uint8_t *value;
    READ_SCALAR(from, RESULT_SCAN_EXTRAPOLATED, &out->extrapolated);
    return STATUS_OK;
}

static status read_windows(struct scan_summary *out, struct result_access *from)
{
    const struct result_part parts[] = {RESULT_PART(RESULT_SCAN_LOW, &out->low),
                                        RESULT_PART(RESULT_SCAN_HIGH, &out->high),
                                        RESULT_PART(RESULT_SCAN_STATISTIC, &out->statistic),
                                        RESULT_PART(RESULT_SCAN_NULL_MEAN, &out->null_mean),
                                        RESULT_PART(RESULT_SCAN_NULL_SD, &out->null_sd)};
    if (!result_has(from, RESULT_SCAN_LOW))
        return STATUS_OK;
    const status done = result_read_parts(from, sizeof parts / sizeof *parts, parts);
    if (done == STATUS_OK)
        out->windows = (size_t)from->lengths[DIMENSION_WINDOW];
    return done;
}

static status read_toys(struct scan_summary *out, struct result_access *from)
{
    if (!result_has(from, RESULT_SCAN_TOY_PULL))
        return STATUS_OK;
    const status done = result_read(from, RESULT_SCAN_TOY_PULL, &out->toy_pull);
    if (done == STATUS_OK)
        out->toys = (size_t)from->lengths[DIMENSION_TOY];
    return done;
}

static status read_frame(struct scan_summary *out, struct result_access *from)
{
    const struct result_part parts[] = {
        RESULT_PART(RESULT_EDGES, &out->edges),
        RESULT_PART(RESULT_SCAN_CLASSES, &out->classes),
        RESULT_PART(RESULT_SCAN_HISTORY_EVENTS, &out->history_events),
        RESULT_PART(RESULT_SCAN_HISTORY_TOYS, &out->history_toys),
        RESULT_PART(RESULT_SCAN_HISTORY_LN_P, &out->history_ln_p),
        RESULT_PART(RESULT_SCAN_HISTORY_Z, &out->history_z)};
    const status done = result_read_parts(from, sizeof parts / sizeof *parts, parts);
    if (done != STATUS_OK)
        return done;
    out->members = (size_t)from->lengths[DIMENSION_MEMBER];
    out->slices = (size_t)from->lengths[DIMENSION_SLICE];
    out->n_bins = (uint32_t)(from->lengths[DIMENSION_EDGE] - 1);
    return STATUS_OK;
}

/* What the report builds on. */
static status check(const struct scan_summary *self, const char *path)
{
    const bool shapes = self->members > 0 && self->slices > 0 && self->n_bins > 0 &&
                        (self->windows == 0 || self->largest < self->windows) &&
                        self->reached <= self->toys;
    if (shapes && isfinite(self->ln_p) && self->ln_p <= 0 && isfinite(self->z))
        return STATUS_OK;
    log_error("%s: damaged: the scan has no members, slices or bins, or no possible p-value", path);
    return STATUS_BAD_INPUT;
}

static status read_all(struct scan_summary *out, struct result_access *from)
{
    status done = result_attributes_read(&out->about, from);
    if (done == STATUS_OK)
        done = read_frame(out, from);
    if (done == STATUS_OK)
        done = read_windows(out, from);
    if (done == STATUS_OK)
        done = read_toys(out, from);
    if (done == STATUS_OK)
        done = read_numbers(out, from);
    if (done == STATUS_OK)
        done = read_counts(out, from);
    if (done == STATUS_OK)
        done = read_flag(out, from);
    return done == STATUS_OK ? check(out, from->path) : done;
}

status scan_summary_read(struct scan_summary *out, const char *path)
{
    struct result_access from;
    *out = (struct scan_summary){0};
    hdf5_guard(path);
    status done = result_open(&from, path);
    if (done == STATUS_OK) {
        done = read_all(out, &from);
        H5Fclose(from.file);
    }
    hdf5_guard(NULL);
    return done;
}

void scan_summary_fini(struct scan_summary *self)
{
    result_attributes_fini(&self->about);
    free(self->edges);
    free(self->classes);
    free(self->low);
    free(self->high);
    free(self->statistic);
    free(self->null_mean);
    free(self->null_sd);
    free(self->toy_pull);
    free(self->history_events);
    free(self->history_toys);
    free(self->history_ln_p);
    free(self->history_z);
    *self = (struct scan_summary){0};
}
