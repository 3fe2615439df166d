/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_summary: reads a result file back, trusting nothing in it. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "common/store/hdf5_util.h"
#include "common/store/result_file.h"

/* The open file and its name for messages. */
struct source {
    hid_t file;
    const char *path;
};

static status bad_attribute(const struct source *source, const char *name)
{
    log_error("%s: attribute %s is missing or of a wrong type: no result file of clusterscan",
              source->path, name);
    return STATUS_BAD_INPUT;
}

static bool is_variable_text(hid_t attribute, hid_t type)
{
    const hid_t space = H5Aget_space(attribute);
    const bool scalar = space >= 0 && H5Sget_simple_extent_type(space) == H5S_SCALAR;
    if (space >= 0)
        H5Sclose(space);
    return scalar && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0;
}

static status read_text(const struct source *source, const char *name, char **out)
{
    char *text = NULL;
    const hid_t attribute = H5Aopen(source->file, name, H5P_DEFAULT);
    const hid_t type = attribute >= 0 ? H5Aget_type(attribute) : H5I_INVALID_HID;
    if (type >= 0 && is_variable_text(attribute, type) && H5Aread(attribute, type, &text) >= 0 &&
        text != NULL) {
        *out = strdup(text);
        H5free_memory(text);
    }
    if (type >= 0)
        H5Tclose(type);
    if (attribute >= 0)
        H5Aclose(attribute);
    if (text == NULL)
        return bad_attribute(source, name);
    return *out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status read_number(const struct source *source, const char *name, uint64_t *out)
{
    bool done = false;
    const hid_t attribute = H5Aopen(source->file, name, H5P_DEFAULT);
    const hid_t type = attribute >= 0 ? H5Aget_type(attribute) : H5I_INVALID_HID;
    const hid_t space = attribute >= 0 ? H5Aget_space(attribute) : H5I_INVALID_HID;
    if (type >= 0 && space >= 0 && H5Tget_class(type) == H5T_INTEGER &&
        H5Sget_simple_extent_type(space) == H5S_SCALAR)
        done = H5Aread(attribute, H5T_NATIVE_UINT64, out) >= 0;
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (attribute >= 0)
        H5Aclose(attribute);
    return done ? STATUS_OK : bad_attribute(source, name);
}

static status read_attributes(struct result_summary *out, const struct source *source,
                              uint64_t *dropped)
{
    status outcome = read_text(source, "run_id", &out->run_id);
    if (outcome == STATUS_OK && H5Aexists(source->file, "log_id") > 0)
        outcome = read_text(source, "log_id", &out->log_id);
    if (outcome == STATUS_OK)
        outcome = read_text(source, "version", &out->version);
    if (outcome == STATUS_OK)
        outcome = read_text(source, "analysis", &out->analysis);
    if (outcome == STATUS_OK)
        outcome = read_number(source, "events_read", &out->tally.read);
    if (outcome == STATUS_OK)
        outcome = read_number(source, "events_counted", &out->tally.counted);
    if (outcome == STATUS_OK)
        outcome = read_number(source, "events_dropped", dropped);
    if (outcome == STATUS_OK)
        outcome = read_number(source, "events_quarantined", &out->tally.quarantined);
    return outcome;
}

/* Texts of one fixed length into out[n][size], each ended by a zero. */
static status read_reasons(const struct source *source, hsize_t *n, size_t *size, char **out)
{
    const char *const name = "dropped/reason";
    *out = NULL;
    const hid_t dataset = hdf5_find(source->file, name) == HDF5_DATASET
                              ? H5Dopen2(source->file, name, H5P_DEFAULT)
                              : H5I_INVALID_HID;
    const hid_t type = dataset >= 0 ? H5Dget_type(dataset) : H5I_INVALID_HID;
    const hid_t memory = H5Tcopy(H5T_C_S1);
    hsize_t dims[HDF5_RANK_MAX];
    enum { LONGEST = 256 };
    if (type >= 0 && memory >= 0 && H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type) &&
        H5Tget_size(type) <= LONGEST && hdf5_shape(dataset, dims) == 1 && dims[0] <= LONGEST) {
        *n = dims[0];
        *size = H5Tget_size(type) + 1;
        *out = calloc((size_t)*n + 1, *size);
        H5Tset_size(memory, *size);
        H5Tset_cset(memory, H5Tget_cset(type));
        if (*out != NULL && H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, *out) < 0) {
            free(*out);
            *out = NULL;
        }
    }
    if (memory >= 0)
        H5Tclose(memory);
    if (type >= 0)
        H5Tclose(type);
    if (dataset >= 0)
        H5Dclose(dataset);
    if (*out != NULL)
        return STATUS_OK;
    log_error("%s: /%s is missing or no list of texts", source->path, name);
    return STATUS_BAD_INPUT;
}

static status take_count(struct result_summary *out, const struct source *source,
                         const char *reason, uint64_t count)
{
    for (int r = 0; r < DROP_REASONS; r++) {
        if (strcmp(reason, drop_reason_name((enum drop_reason)r)) == 0) {
            out->tally.dropped[r] += count;
            return STATUS_OK;
        }
    }
    log_error("%s: /dropped/reason names '%s', which this version does not know", source->path,
              reason);
    return STATUS_BAD_INPUT;
}

static status read_dropped(struct result_summary *out, const struct source *source)
{
    hsize_t n;
    size_t size;
    char *reasons;
    void *counts = NULL;
    status outcome = read_reasons(source, &n, &size, &reasons);
    if (outcome == STATUS_OK)
        outcome = hdf5_read(source->file, source->path, "dropped/count", HDF5_U64, 1, &n, &counts);
    for (size_t i = 0; outcome == STATUS_OK && i < n; i++)
        outcome = take_count(out, source, reasons + i * size, ((const uint64_t *)counts)[i]);
    free(counts);
    free(reasons);
    return outcome;
}

static status check_tally(const struct result_summary *out, const struct source *source,
                          uint64_t dropped)
{
    if (tally_adds_up(&out->tally) && tally_dropped(&out->tally) == dropped)
        return STATUS_OK;
    log_error("%s: damaged: %" PRIu64 " events read, but %" PRIu64 " counted + %" PRIu64
              " dropped + %" PRIu64 " quarantined",
              source->path, out->tally.read, out->tally.counted, dropped, out->tally.quarantined);
    return STATUS_BAD_INPUT;
}

static status read_array(const struct source *source, const char *name, enum hdf5_element element,
                         int rank, const hsize_t dims[], void *out)
{
    hsize_t must[HDF5_RANK_MAX];
    for (int d = 0; d < rank; d++)
        must[d] = dims[d];
    void *array;
    const status outcome = hdf5_read(source->file, source->path, name, element, rank, must, &array);
    memcpy(out, &array, sizeof array);
    return outcome;
}

static status read_scalar(const struct source *source, const char *name, double *out)
{
    double *value;
    const status outcome = read_array(source, name, HDF5_F64, 0, NULL, &value);
    if (outcome == STATUS_OK)
        *out = *value;
    free(value);
    return outcome;
}

/* The lengths that everything else must have. */
static status read_frame(struct result_summary *out, const struct source *source)
{
    hsize_t edges = HDF5_ANY, members = HDF5_ANY, label[] = {HDF5_ANY, HDF5_ANY};
    hsize_t slices = HDF5_ANY;
    void *array;
    status outcome =
        hdf5_read(source->file, source->path, "score/mls", HDF5_F64, 1, &members, &array);
    out->mls = array;
    if (outcome != STATUS_OK)
        return outcome;
    outcome = hdf5_read(source->file, source->path, "edges", HDF5_F64, 1, &edges, &array);
    out->edges = array;
    if (outcome != STATUS_OK)
        return outcome;
    label[0] = members;
    outcome = hdf5_read(source->file, source->path, "selection/label", HDF5_U8, 2, label, &array);
    out->label = array;
    if (outcome != STATUS_OK)
        return outcome;
    outcome = hdf5_read(source->file, source->path, "history/events", HDF5_U64, 1, &slices, &array);
    free(array);
    if (outcome != STATUS_OK)
        return outcome;
    if (members == 0 || edges < 2 || edges > INT32_MAX) {
        log_error("%s: damaged: no members or no mass bins", source->path);
        return STATUS_BAD_INPUT;
    }
    out->members = (size_t)members;
    out->clusters = (size_t)label[1];
    out->bins = (uint32_t)(edges - 1);
    out->slices = (size_t)slices;
    return STATUS_OK;
}

static status read_numbers(struct result_summary *out, const struct source *source)
{
    const hsize_t per_bin[] = {out->members, out->bins};
    status outcome = read_array(source, "score/bin", HDF5_I32, 1, per_bin, &out->bin);
    if (outcome == STATUS_OK)
        outcome = read_array(source, "selection/rich", HDF5_U64, 2, per_bin, &out->rich);
    if (outcome == STATUS_OK)
        outcome =
            read_array(source, "selection/background", HDF5_F64, 2, per_bin, &out->background);
    if (outcome == STATUS_OK)
        outcome = read_scalar(source, "score/mls_mean", &out->mls_mean);
    if (outcome == STATUS_OK)
        outcome = read_scalar(source, "score/mls_median", &out->mls_median);
    if (outcome == STATUS_OK)
        outcome = read_scalar(source, "score/mls_max", &out->mls_max);
    if (outcome == STATUS_OK)
        outcome = read_scalar(source, "score/mls_min", &out->mls_min);
    return outcome;
}

static status check_numbers(const struct result_summary *out, const struct source *source)
{
    const char *wrong = NULL;
    for (uint32_t i = 0; i < out->bins; i++)
        if (!(out->edges[i] < out->edges[i + 1]) || !isfinite(out->edges[i + 1] - out->edges[i]))
            wrong = "/edges";
    for (size_t m = 0; m < out->members; m++) {
        if (out->bin[m] < -1 || out->bin[m] >= (int32_t)out->bins)
            wrong = "/score/bin";
        if (!isfinite(out->mls[m]))
            wrong = "/score/mls";
    }
    if (!isfinite(out->mls_mean + out->mls_median + out->mls_max + out->mls_min))
        wrong = "/score";
    if (wrong == NULL)
        return STATUS_OK;
    log_error("%s: damaged: %s holds an impossible number", source->path, wrong);
    return STATUS_BAD_INPUT;
}

status result_file_read(struct result_summary *out, const char *path)
{
    assert(out != NULL && path != NULL);
    *out = (struct result_summary){0};
    struct source source = {.path = path};
    uint64_t dropped = 0;
    status outcome = hdf5_open(&source.file, path);
    if (outcome != STATUS_OK)
        return outcome;
    outcome = read_attributes(out, &source, &dropped);
    if (outcome == STATUS_OK)
        outcome = read_dropped(out, &source);
    if (outcome == STATUS_OK)
        outcome = check_tally(out, &source, dropped);
    if (outcome == STATUS_OK)
        outcome = read_frame(out, &source);
    if (outcome == STATUS_OK)
        outcome = read_numbers(out, &source);
    if (outcome == STATUS_OK)
        outcome = check_numbers(out, &source);
    H5Fclose(source.file);
    if (outcome != STATUS_OK)
        result_summary_fini(out);
    return outcome;
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
    free(self->background);
    *self = (struct result_summary){0};
}
