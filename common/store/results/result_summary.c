/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_summary: reads a result file back, trusting nothing in it. */
#include "common/store/results/result_summary.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/disk/hdf5_util.h"
#include "common/store/results/result_file.h"

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

enum { ID_DIGITS = 32 };

static bool is_id(const char *text)
{
    return strlen(text) == ID_DIGITS && strspn(text, "0123456789abcdef") == ID_DIGITS;
}

/* One id, or several with commas between. */
static bool are_ids(const char *text)
{
    while (strspn(text, "0123456789abcdef") == ID_DIGITS && text[ID_DIGITS] == ',')
        text += ID_DIGITS + 1;
    return is_id(text);
}

/* An id names folders and stands in pictures: nothing but hex digits will do. */
static status read_id(const struct source *source, const char *name, bool fits(const char *text),
                      char **out)
{
    const status outcome = read_text(source, name, out);
    if (outcome != STATUS_OK)
        return outcome;
    if (fits(*out))
        return STATUS_OK;
    log_error("%s: attribute %s is '%.60s', expected 32 hex digits: no result file of clusterscan",
              source->path, name, *out);
    return STATUS_BAD_INPUT;
}

static status read_final(struct result_summary *out, const struct source *source)
{
    uint64_t final = 1;
    status outcome = STATUS_OK;
    if (H5Aexists(source->file, "final") > 0)
        outcome = read_number(source, "final", &final);
    out->final = final != 0;
    return outcome;
}

static status read_attributes(struct result_summary *out, const struct source *source,
                              uint64_t *dropped)
{
    status outcome = read_id(source, "run_id", is_id, &out->run_id);
    if (outcome == STATUS_OK && H5Aexists(source->file, "log_id") > 0)
        outcome = read_id(source, "log_id", are_ids, &out->log_id);
    if (outcome == STATUS_OK)
        outcome = read_final(out, source);
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
static status read_texts(const struct source *source, const char *name, hsize_t *n, size_t *size,
                         char **out)
{
    *out = NULL;
    const hid_t dataset = hdf5_find(source->file, name) == HDF5_DATASET
                              ? H5Dopen2(source->file, name, H5P_DEFAULT)
                              : H5I_INVALID_HID;
    const hid_t type = dataset >= 0 ? H5Dget_type(dataset) : H5I_INVALID_HID;
    const hid_t memory = H5Tcopy(H5T_C_S1);
    hsize_t dims[HDF5_RANK_MAX];
    enum { LONGEST = 1 << 16, MOST = 1 << 20 };
    if (type >= 0 && memory >= 0 && H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type) &&
        H5Tget_size(type) <= LONGEST && hdf5_shape(dataset, dims) == 1 && dims[0] <= MOST &&
        hdf5_times(dims[0], H5Tget_size(type)) <= H5Dget_storage_size(dataset)) {
        *n = dims[0];
        *size = H5Tget_size(type) + 1;
        *out = calloc((size_t)*n + 1, *size);
        H5Tset_size(memory, *size);
        H5Tset_cset(memory, H5Tget_cset(type));
        if (*out != NULL && *n > 0 &&
            H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, *out) < 0) {
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
    status outcome = read_texts(source, "dropped/reason", &n, &size, &reasons);
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
    out->history_events = array;
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
    const hsize_t slices = out->slices;
    status outcome = read_array(source, "score/bin", HDF5_I32, 1, per_bin, &out->bin);
    if (outcome == STATUS_OK)
        outcome = read_array(source, "selection/rich", HDF5_U64, 2, per_bin, &out->rich);
    if (outcome == STATUS_OK && hdf5_find(source->file, "selection/depleted") != HDF5_MISSING)
        outcome = read_array(source, "selection/depleted", HDF5_U64, 2, per_bin, &out->depleted);
    if (outcome == STATUS_OK && hdf5_find(source->file, "history/mls_mean") != HDF5_MISSING)
        outcome = read_array(source, "history/mls_mean", HDF5_F64, 1, &slices, &out->history_mean);
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

/* Three lists of texts that belong together. */
static status read_verdicts(struct result_summary *out, const struct source *source)
{
    static const char *const path[3] = {"verdict/name", "verdict/state", "verdict/text"};
    char *list[3] = {NULL};
    hsize_t n[3] = {0};
    size_t size[3] = {0};
    if (hdf5_find(source->file, "verdict") == HDF5_MISSING)
        return STATUS_OK;
    status outcome = STATUS_OK;
    for (int i = 0; i < 3 && outcome == STATUS_OK; i++)
        outcome = read_texts(source, path[i], &n[i], &size[i], &list[i]);
    if (outcome == STATUS_OK && (n[1] != n[0] || n[2] != n[0])) {
        log_error("%s: damaged: the lists in /verdict have different lengths", source->path);
        outcome = STATUS_BAD_INPUT;
    }
    if (outcome == STATUS_OK)
        out->verdicts = calloc((size_t)n[0] + 1, sizeof *out->verdicts);
    if (outcome == STATUS_OK && out->verdicts == NULL)
        outcome = STATUS_NO_MEMORY;
    for (size_t i = 0; outcome == STATUS_OK && i < n[0]; i++) {
        struct result_verdict *verdict = &out->verdicts[out->n_verdicts++];
        const char *state = list[1] + i * size[1];
        verdict->name = strdup(list[0] + i * size[0]);
        verdict->text = strdup(list[2] + i * size[2]);
        while (verdict->state < VERDICT_STATES &&
               strcmp(state, verdict_state_name(verdict->state)) != 0)
            verdict->state++;
        if (verdict->state == VERDICT_STATES) {
            log_error("%s: /verdict/state is '%.60s', expected good, doubtful or bad", source->path,
                      state);
            outcome = STATUS_BAD_INPUT;
        } else if (verdict->name == NULL || verdict->text == NULL) {
            outcome = STATUS_NO_MEMORY;
        }
    }
    for (int i = 0; i < 3; i++)
        free(list[i]);
    return outcome;
}

/* Notes of whole files, or of rows. */
static status read_notes(struct result_summary *out, const struct source *source, bool rows)
{
    const char *group = rows ? "quarantined" : "refused";
    char path[4][40];
    static const char *const names[4] = {"file", "reason", "first_row", "rows"};
    char *file = NULL, *reason = NULL;
    uint64_t *first = NULL, *count = NULL;
    hsize_t n, n_reason;
    size_t size, reason_size;
    if (hdf5_find(source->file, group) == HDF5_MISSING)
        return STATUS_OK;
    for (int i = 0; i < 4; i++)
        snprintf(path[i], sizeof path[i], "%s/%s", group, names[i]);
    status outcome = read_texts(source, path[0], &n, &size, &file);
    if (outcome == STATUS_OK)
        outcome = read_texts(source, path[1], &n_reason, &reason_size, &reason);
    if (outcome == STATUS_OK && rows)
        outcome = read_array(source, path[2], HDF5_U64, 1, &n, &first);
    if (outcome == STATUS_OK && rows)
        outcome = read_array(source, path[3], HDF5_U64, 1, &n, &count);
    if (outcome == STATUS_OK && n_reason != n) {
        log_error("%s: damaged: the lists in /%s have different lengths", source->path, group);
        outcome = STATUS_BAD_INPUT;
    }
    for (size_t i = 0; outcome == STATUS_OK && i < n; i++) {
        const struct input_note note = {.file = file + i * size,
                                        .reason = reason + i * reason_size,
                                        .first_row = rows ? first[i] : 0,
                                        .rows = rows ? count[i] : 0};
        outcome = input_notes_add(&out->notes, &note);
    }
    free(file);
    free(reason);
    free(first);
    free(count);
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
    for (size_t s = 0; out->history_mean != NULL && s < out->slices; s++)
        if (!isfinite(out->history_mean[s]))
            wrong = "/history/mls_mean";
    for (size_t i = 0; i < out->members * out->bins; i++)
        if (!(out->background[i] >= 0) || isinf(out->background[i]))
            wrong = "/selection/background";
    if (!isfinite(out->mls_mean + out->mls_median + out->mls_max + out->mls_min))
        wrong = "/score";
    if (wrong == NULL)
        return STATUS_OK;
    log_error("%s: damaged: %s holds an impossible number", source->path, wrong);
    return STATUS_BAD_INPUT;
}

status result_summary_read(struct result_summary *out, const char *path)
{
    assert(out != NULL && path != NULL);
    *out = (struct result_summary){0};
    struct source source = {.path = path};
    uint64_t dropped = 0;
    hdf5_guard(path);
    status outcome = hdf5_open(&source.file, path);
    if (outcome != STATUS_OK) {
        hdf5_guard(NULL);
        return outcome;
    }
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

bool result_summary_owner(const char *path, char run_id[33], bool *final)
{
    struct result_summary about = {0};
    hdf5_silence();
    hdf5_guard(path);
    const hid_t access = hdf5_file_access();
    struct source source = {.path = path};
    source.file = access >= 0 ? H5Fopen(path, H5F_ACC_RDONLY, access) : H5I_INVALID_HID;
    bool ours = source.file >= 0 && H5Aexists(source.file, "run_id") > 0 &&
                read_text(&source, "run_id", &about.run_id) == STATUS_OK && is_id(about.run_id) &&
                read_final(&about, &source) == STATUS_OK;
    if (ours)
        snprintf(run_id, 33, "%s", about.run_id);
    *final = ours && about.final;
    if (source.file >= 0)
        H5Fclose(source.file);
    if (access >= 0)
        H5Pclose(access);
    hdf5_guard(NULL);
    result_summary_fini(&about);
    return ours;
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
