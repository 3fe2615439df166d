/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/events/event_file.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/disk/hdf5_filters.h"
#include "common/store/disk/hdf5_util.h"
#include "common/store/events/event_layouts.h"
#include "common/store/events/event_survey.h"
#include "common/store/events/masterkey.h"
#include "common/store/events/table_name.h"

const char *event_layout_name(enum event_layout layout)
{
    return layout == LAYOUT_LHCO_TABLE ? "lhco-table" : "columns";
}

status event_arrays_reserve(struct event_arrays *self, size_t events, size_t particles)
{
    if (self->offset == NULL || events > self->events_room) {
        uint32_t *offset = realloc(self->offset, (events + 1) * sizeof *offset);
        self->offset = offset != NULL ? offset : self->offset;
        int8_t *label = realloc(self->label, events + 1);
        self->label = label != NULL ? label : self->label;
        if (offset == NULL || label == NULL)
            return STATUS_NO_MEMORY;
        self->events_room = events;
    }
    if (self->pt == NULL || particles > self->particles_room) {
        /* Half as much again, so that batches of slightly different sizes soon fit. */
        const size_t room = particles + particles / 2 + 1;
        float **const arrays[] = {&self->pt, &self->eta, &self->phi};
        for (size_t a = 0; a < 3; a++) {
            float *larger = realloc(*arrays[a], room * sizeof *larger);
            if (larger == NULL)
                return STATUS_NO_MEMORY;
            *arrays[a] = larger;
        }
        self->particles_room = room;
    }
    return STATUS_OK;
}

void event_arrays_fini(struct event_arrays *self)
{
    free(self->offset);
    free(self->label);
    free(self->pt);
    free(self->eta);
    free(self->phi);
}

static const char *type_name(H5T_class_t type_class)
{
    switch (type_class) {
    case H5T_INTEGER:
        return "integer";
    case H5T_FLOAT:
        return "float";
    case H5T_STRING:
        return "text";
    case H5T_COMPOUND:
        return "compound";
    case H5T_VLEN:
        return "objects (variable length)";
    default:
        return "another type";
    }
}

static status check_type(const event_file *self, const char *name, hid_t dataset,
                         H5T_class_t type_class, unsigned *bits)
{
    const hid_t type = H5Dget_type(dataset);
    const H5T_class_t found = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    const size_t size = type >= 0 ? H5Tget_size(type) : 0;
    if (type >= 0)
        H5Tclose(type);
    *bits = (unsigned)(8 * size);
    if (found == type_class && size <= 8 && (found != H5T_FLOAT || size >= 4))
        return STATUS_OK;
    if (found == H5T_ENUM && type_class == H5T_INTEGER) /* what numpy's truth values become */
        return STATUS_OK;
    const char *expected = type_class == H5T_FLOAT ? "float32 or float64" : "integers";
    if (found == H5T_INTEGER || found == H5T_FLOAT)
        log_error("%s: /%s has elements of %u-bit %s, expected %s", self->path, name, *bits,
                  type_name(found), expected);
    else
        log_error("%s: /%s has elements of %s, expected %s", self->path, name, type_name(found),
                  expected);
    return STATUS_BAD_INPUT;
}

/* More than any experiment writes; and no product of two such numbers and an element's size is
 * beyond 64 bits. */
static status check_caps(const event_file *self, const char *name, int rank, const hsize_t dims[])
{
    const hsize_t most[HDF5_RANK_MAX] = {EVENT_ROWS_MAX, 1 << 20};
    for (int d = 0; d < rank; d++) {
        if (dims[d] <= most[d])
            continue;
        char shape[80];
        hdf5_shape_text(rank, dims, sizeof shape, shape);
        log_error("%s: /%s claims %s elements, at most %llu%s are read", self->path, name, shape,
                  (unsigned long long)most[d], d == 0 ? " rows" : " columns");
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

static hsize_t count_chunks(hid_t made, int rank, const hsize_t dims[])
{
    hsize_t chunk[HDF5_RANK_MAX], n = 1;
    if (H5Pget_chunk(made, rank, chunk) != rank)
        return UINT64_MAX;
    for (int d = 0; d < rank; d++)
        n = hdf5_times(n, dims[d] / chunk[d] + (dims[d] % chunk[d] != 0));
    return n;
}

/* What was never written HDF5 reads as zeros: such a file comes from a program that did not end
 * well, or claims any number of rows. */
static status check_written(const event_file *self, const char *name, hid_t dataset, int rank,
                            const hsize_t dims[], unsigned bits)
{
    hsize_t bytes = bits / 8, written = 0, chunks = 1;
    for (int d = 0; d < rank; d++)
        bytes = hdf5_times(bytes, dims[d]);
    const hid_t made = H5Dget_create_plist(dataset);
    const hid_t space = H5Dget_space(dataset);
    const bool chunked = made >= 0 && H5Pget_layout(made) == H5D_CHUNKED;
    if (chunked && bytes > 0) {
        chunks = count_chunks(made, rank, dims);
        if (space < 0 || H5Dget_num_chunks(dataset, space, &written) < 0)
            written = 0;
    } else {
        written = bytes == 0 || H5Dget_storage_size(dataset) == bytes;
    }
    if (space >= 0)
        H5Sclose(space);
    if (made >= 0)
        H5Pclose(made);
    if (written == chunks && (chunked || bytes <= self->bytes))
        return STATUS_OK;
    char shape[80];
    hdf5_shape_text(rank, dims, sizeof shape, shape);
    log_error("%s: /%s claims %s numbers, but %llu of %llu pieces of it were written%s", self->path,
              name, shape, (unsigned long long)(written == chunks ? 0 : written),
              (unsigned long long)chunks, hdf5_writer_hint(self->path));
    return STATUS_BAD_INPUT;
}

static status check_found(const event_file *self, const char *name)
{
    switch (hdf5_find(self->file, name)) {
    case HDF5_DATASET:
        return STATUS_OK;
    case HDF5_LINKED_AWAY:
        log_error("%s: /%s is reached by a soft or external link, expected the dataset itself",
                  self->path, name);
        return STATUS_BAD_INPUT;
    case HDF5_ELSEWHERE:
        log_error("%s: the data of /%s lie in other files, expected all in one", self->path, name);
        return STATUS_BAD_INPUT;
    case HDF5_MISSING:
    case HDF5_GROUP:
    case HDF5_OTHER:
        break;
    }
    log_error("%s: there is no dataset /%s", self->path, name);
    return STATUS_BAD_INPUT;
}

status event_dataset_open(const event_file *self, const char *name, int rank,
                          H5T_class_t type_class, hid_t *out, hsize_t dims[], unsigned *bits)
{
    const status found = check_found(self, name);
    if (found != STATUS_OK)
        return found;
    *out = hdf5_open_forward(self->file, name);
    if (*out < 0) {
        log_error("%s: /%s cannot be opened: damaged", self->path, name);
        return STATUS_BAD_INPUT;
    }
    status outcome = check_type(self, name, *out, type_class, bits);
    if (outcome != STATUS_OK)
        return outcome;
    hsize_t shape[HDF5_RANK_MAX];
    const int found_rank = hdf5_shape(*out, shape);
    if (found_rank != rank) {
        log_error("%s: /%s has %d dimensions, expected %d", self->path, name, found_rank, rank);
        return STATUS_BAD_INPUT;
    }
    memcpy(dims, shape, (size_t)rank * sizeof *dims);
    outcome = check_caps(self, name, rank, shape);
    if (outcome == STATUS_OK)
        outcome = check_written(self, name, *out, rank, shape, *bits);
    return outcome == STATUS_OK ? hdf5_check_filters(self->path, name, *out) : outcome;
}

/* What it is instead; people will point at our own files too. */
static void refuse_layout(const event_file *self, const struct event_survey *survey)
{
    const char *kind = NULL;

    if (hdf5_find(self->file, "score/mls") == HDF5_DATASET)
        kind = "this is a result file of clusterscan (see clusterscan report)";
    else if (hdf5_find(self->file, "batch/seq") == HDF5_DATASET)
        kind = "this is a segment of an image log";
    log_error("%s: unknown layout, expected a table KEY/block0_values or /events/offset: %s%s",
              self->path, kind != NULL ? kind : "found ",
              kind != NULL               ? ""
              : survey->names[0] != '\0' ? survey->names
                                         : "nothing");
}

static bool has_table(const event_file *self, const char *key)
{
    char *values;
    if (asprintf(&values, "%s/block0_values", key) < 0)
        return false;
    const bool has = hdf5_find(self->file, values) != HDF5_MISSING;
    free(values);
    return has;
}

/* Which table is meant, NULL if that is not clear (logged). */
static const char *choose_table(const event_file *self, const struct event_survey *survey,
                                const char *key)
{
    char list[300];
    if (key == NULL && survey->n == 1)
        return survey->table[0];
    event_survey_list(survey, sizeof list, list);
    if (key != NULL)
        log_error("%s: there is no table /%s/block0_values; tables of this file are %s", self->path,
                  key, list);
    else
        log_error("%s: holds more than one table of events: %s. Name one of them, as in %s:%s",
                  self->path, list, self->path, survey->table[0]);
    return NULL;
}

static status open_surveyed(event_file *self, const struct event_survey *survey, const char *key)
{
    const char *columns = "events";
    if (key != NULL && has_table(self, key))
        return event_table_open(self, key);
    if (survey->n > 0 && (key == NULL || strcmp(key, columns) != 0)) {
        const char *table = choose_table(self, survey, key);
        return table != NULL ? event_table_open(self, table) : STATUS_BAD_INPUT;
    }
    if (key != NULL && strcmp(key, columns) != 0)
        log_error("%s: there is no table /%s/block0_values, nor any other", self->path, key);
    else if (hdf5_find(self->file, "events/offset") != HDF5_MISSING)
        return event_columns_open(self);
    else if (survey->linked != NULL)
        log_error("%s: /%s is reached by a soft or external link, expected the dataset itself",
                  self->path, survey->linked);
    else if (survey->frame_table != NULL)
        log_error("%s: /%s is in pandas' format='table', expected format='fixed': write it anew "
                  "with DataFrame.to_hdf(..., format='fixed')",
                  self->path, survey->frame_table);
    else
        refuse_layout(self, survey);
    return STATUS_BAD_INPUT;
}

static status open_layout(event_file *self, const char *key)
{
    struct event_survey survey;
    const status done = event_survey_make(&survey, self->file);
    const status outcome = done == STATUS_OK ? open_surveyed(self, &survey, key) : done;
    if (done == STATUS_BAD_INPUT)
        log_error("%s: truncated or damaged HDF5 file", self->path);
    event_survey_fini(&survey);
    return outcome;
}

static status add_masterkey(event_file *self, const char *masterkey)
{
    if (masterkey == NULL)
        return STATUS_OK;
    if (self->layout != LAYOUT_LHCO_TABLE || self->labelled) {
        log_error("%s: a masterkey (%s) is for tables without labels only; this %s", self->path,
                  masterkey, self->labelled ? "file has labels" : "file has another layout");
        return STATUS_BAD_INPUT;
    }
    self->labelled = true;
    return masterkey_read(masterkey, self->events, &self->masterkey);
}

status event_file_open(event_file **out, const char *name, const char *masterkey)
{
    assert(out != NULL && name != NULL);
    *out = NULL;
    event_file *self = malloc(sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    *self = (event_file){.file = H5I_INVALID_HID};
    event_labels_usual(&self->labels);
    self->table.values = H5I_INVALID_HID;
    self->columns.offset = self->columns.label = H5I_INVALID_HID;
    self->columns.pt.values = self->columns.eta.values = H5I_INVALID_HID;
    self->columns.phi.values = H5I_INVALID_HID;
    struct table_name parts;
    status outcome = table_name_parse(&parts, name);
    self->path = parts.path;
    hdf5_guard(self->path);
    if (outcome == STATUS_OK)
        outcome = hdf5_open(&self->file, self->path);
    if (outcome == STATUS_OK) {
        hsize_t bytes = 0;
        H5Fget_filesize(self->file, &bytes);
        self->bytes = bytes;
        outcome = open_layout(self, parts.key);
    }
    hdf5_guard(NULL);
    free(parts.key);
    if (outcome == STATUS_OK)
        outcome = add_masterkey(self, masterkey);
    if (outcome == STATUS_OK)
        *out = self;
    else
        event_file_close(&self);
    return outcome;
}

void event_file_close(event_file **self)
{
    if (self == NULL || *self == NULL)
        return;
    if ((*self)->reader != NULL)
        (*self)->reader->close(*self);
    if ((*self)->file >= 0)
        H5Fclose((*self)->file);
    event_arrays_fini(&(*self)->arrays);
    free((*self)->masterkey);
    free((*self)->mapped);
    free((*self)->path);
    free(*self);
    *self = NULL;
}

enum event_layout event_file_layout(const event_file *self)
{
    return self->layout;
}

uint64_t event_file_events(const event_file *self)
{
    return self->events;
}

bool event_file_has_labels(const event_file *self)
{
    return self->labelled;
}

const char *event_file_shape(const event_file *self)
{
    return self->shape;
}

void event_labels_usual(struct event_labels *out)
{
    memset(out->meaning, -1, sizeof out->meaning);
    out->meaning[128] = 0;
    out->meaning[129] = 1;
}

void event_labels_from_settings(struct event_labels *out, const json_t *settings)
{
    const json_t *lists[2] = {json_object_get(settings, "labels.background"),
                              json_object_get(settings, "labels.signal")};
    if (lists[0] == NULL && lists[1] == NULL) {
        event_labels_usual(out);
        return;
    }
    memset(out->meaning, -1, sizeof out->meaning);
    for (int8_t meaning = 0; meaning < 2; meaning++)
        for (size_t i = 0; i < json_array_size(lists[meaning]); i++)
            out->meaning[(json_integer_value(json_array_get(lists[meaning], i)) + 128) & 255] =
                meaning;
}

void event_file_set_labels(event_file *self, const struct event_labels *labels)
{
    self->labels = *labels;
}

/* "0 or 1", "0 or 1 or 2"; cut where it does not fit. */
static void known_labels(const struct event_labels *labels, size_t size, char out[])
{
    size_t used = 0;
    out[0] = '\0';
    for (int l = 0; l < 256 && used < size; l++)
        if (labels->meaning[l] >= 0)
            used +=
                (size_t)snprintf(out + used, size - used, "%s%d", used > 0 ? " or " : "", l - 128);
}

/* What the labels of the file mean, into mapped. */
static status map_labels(event_file *self, uint64_t first, uint32_t n, const int8_t label[])
{
    if (self->mapped == NULL || n > self->mapped_room) {
        free(self->mapped);
        self->mapped = malloc((size_t)n + 1);
        self->mapped_room = self->mapped != NULL ? n : 0;
        if (self->mapped == NULL)
            return STATUS_NO_MEMORY;
    }
    for (uint32_t e = 0; e < n; e++) {
        self->mapped[e] = self->labels.meaning[label[e] + 128];
        if (self->mapped[e] >= 0)
            continue;
        char known[80];
        known_labels(&self->labels, sizeof known, known);
        log_error("%s: row %" PRIu64
                  ": label %d, expected %s (the reader's settings.labels say which "
                  "mean background and signal)",
                  self->path, first + e, label[e], known);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

/* In degrees, or damaged: no convention has an azimuth beyond 2 pi. Told once a file. */
static void check_angles(event_file *self, const struct event_batch *batch)
{
    const float most = 6.2832F;
    bool beyond = false;
    for (uint32_t i = 0; i < batch->particles; i++)
        beyond |= !(fabsf(batch->phi[i]) <= most);
    if (!beyond)
        return;
    uint32_t e = 0, i = 0;
    while (fabsf(batch->phi[i]) <= most)
        i++;
    while (batch->offset[e + 1] <= i)
        e++;
    log_warning("%s: row %" PRIu64 ": an azimuth phi of %g: angles are taken to be in radians, "
                "within 2 pi; the jets will be wrong",
                self->path, batch->first_row + e, (double)batch->phi[i]);
    self->told_angles = true;
}

status event_file_read(event_file *self, uint64_t first, uint32_t n, struct event_batch *out)
{
    assert(first <= self->events && n <= self->events - first);
    uint32_t particles;
    status outcome = event_arrays_reserve(&self->arrays, n, 0);
    hdf5_guard(self->path);
    if (outcome == STATUS_OK)
        outcome = self->reader->read(self, first, n, &particles);
    hdf5_guard(NULL);
    if (outcome != STATUS_OK)
        return outcome;
    const int8_t *label = self->masterkey != NULL ? self->masterkey + first : self->arrays.label;
    if (self->labelled)
        outcome = map_labels(self, first, n, label);
    if (outcome != STATUS_OK)
        return outcome;
    *out = (struct event_batch){
        .first_row = first,
        .events = n,
        .particles = particles,
        .offset = self->arrays.offset,
        .pt = self->arrays.pt,
        .eta = self->arrays.eta,
        .phi = self->arrays.phi,
        .label = self->labelled ? self->mapped : NULL,
    };
    if (!self->told_angles)
        check_angles(self, out);
    return STATUS_OK;
}

status event_file_identity(const event_file *self, struct file_identity *out)
{
    int *fd;
    if (H5Fget_vfd_handle(self->file, H5P_DEFAULT, (void **)&fd) < 0)
        return STATUS_IO;
    return file_identity_of_open(*fd, out);
}

status event_file_reread(const event_file *self, struct content *out)
{
    int *fd;
    char path[40];
    if (H5Fget_vfd_handle(self->file, H5P_DEFAULT, (void **)&fd) < 0)
        return STATUS_IO;
    snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
    return content_read(out, path);
}
