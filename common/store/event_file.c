/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/event_file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "common/store/event_layouts.h"
#include "common/store/hdf5_util.h"
#include "common/store/masterkey.h"

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

/* How to get at what a filter packed; package NULL: no package of Debian unpacks it. */
static const struct known_filter {
    H5Z_filter_t id;
    const char *name;
    const char *package;
    const char *otherwise; /* without a package: the command that writes the file anew */
} known_filters[] = {
    {305, "lzo", NULL, "ptrepack --complib=zlib"},
    {307, "bzip2", "hdf5-filter-plugin", NULL},
    {32000, "lzf", "hdf5-plugin-lzf", NULL},
    {32001, "blosc", "hdf5-filter-plugin-blosc-serial", NULL},
    {32004, "lz4", "hdf5-filter-plugin", NULL},
    {32008, "bitshuffle", "bitshuffle", NULL},
    {32013, "zfp", "hdf5-filter-plugin-zfp-serial", NULL},
    {32015, "zstd", NULL, "h5repack -f GZIP=1"},
    {32026, "blosc2", NULL, "ptrepack --complib=zlib"},
};

static const struct known_filter *find_filter(H5Z_filter_t id)
{
    for (size_t i = 0; i < sizeof known_filters / sizeof *known_filters; i++)
        if (known_filters[i].id == id)
            return &known_filters[i];
    return NULL;
}

static status refuse_filter(const event_file *self, const char *name, H5Z_filter_t missing)
{
    const struct known_filter *known = find_filter(missing);
    if (known == NULL)
        log_error("%s: /%s needs HDF5 filter %d, which is not installed", self->path, name,
                  (int)missing);
    else if (known->package != NULL)
        log_error("%s: /%s is compressed with %s, which HDF5 cannot read here: install the "
                  "package %s",
                  self->path, name, known->name, known->package);
    else
        log_error("%s: /%s is compressed with %s (HDF5 filter %d), for which there is no package: "
                  "write the file anew where it can be read, with %s",
                  self->path, name, known->name, (int)missing, known->otherwise);
    return STATUS_BAD_INPUT;
}

/* HDF5 loads a filter's plugin when it is asked for it here. */
static status check_filters(const event_file *self, const char *name, hid_t dataset)
{
    const hid_t made = H5Dget_create_plist(dataset);
    const int n = made >= 0 ? H5Pget_nfilters(made) : 0;
    H5Z_filter_t missing = H5Z_FILTER_NONE;
    for (int i = 0; i < n && missing == H5Z_FILTER_NONE; i++) {
        size_t values = 0;
        const H5Z_filter_t filter =
            H5Pget_filter2(made, (unsigned)i, NULL, &values, NULL, 0, NULL, NULL);
        if (filter > 0 && H5Zfilter_avail(filter) <= 0)
            missing = filter;
    }
    if (made >= 0)
        H5Pclose(made);
    return missing == H5Z_FILTER_NONE ? STATUS_OK : refuse_filter(self, name, missing);
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
    log_error("%s: /%s claims %s numbers, but %llu of %llu pieces of it were written", self->path,
              name, shape, (unsigned long long)(written == chunks ? 0 : written),
              (unsigned long long)chunks);
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
    return outcome == STATUS_OK ? check_filters(self, name, *out) : outcome;
}

/* What the root group has to offer. */
struct survey {
    char *table;      /* a group with block0_values */
    char *linked;     /* one that would be, were it not behind a link */
    bool more_tables; /* than one */
    char names[200];  /* of the first things found, for people */
};

/* Adds one more name, or dots where no more fit. */
static void note_name(struct survey *survey, const char *name)
{
    const size_t used = strlen(survey->names), room = sizeof survey->names - used;
    const char *before = used > 0 ? ", /" : "/";
    if (strlen(name) + sizeof ", /, ..." < room)
        snprintf(survey->names + used, room, "%s%s", before, name);
    else if (used == 0 || survey->names[used - 1] != '.')
        snprintf(survey->names + used, room, used > 0 ? ", ..." : "a very long name ...");
}

static herr_t look_at(hid_t root, const char *name, const H5L_info_t *link, void *context)
{
    struct survey *survey = context;
    (void)link;
    note_name(survey, name);
    char *values;
    if (asprintf(&values, "%s/block0_values", name) < 0)
        return -1;
    const enum hdf5_found found = hdf5_find(root, values);
    free(values);
    if (found == HDF5_LINKED_AWAY) {
        free(survey->linked);
        survey->linked = strdup(name);
    } else if (found == HDF5_DATASET || found == HDF5_ELSEWHERE) {
        survey->more_tables = survey->table != NULL;
        if (survey->table == NULL)
            survey->table = strdup(name);
    }
    return survey->more_tables ? 1 : 0;
}

/* What it is instead; people will point at our own files too. */
static void refuse_layout(const event_file *self, const struct survey *survey)
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

static status open_layout(event_file *self)
{
    struct survey survey = {0};
    status outcome = STATUS_BAD_INPUT;
    const herr_t walked =
        H5Literate(self->file, H5_INDEX_NAME, H5_ITER_INC, NULL, look_at, &survey);
    if (walked < 0)
        log_error("%s: truncated or damaged HDF5 file", self->path);
    else if (survey.more_tables)
        log_error("%s: holds more than one table of events, expected one", self->path);
    else if (survey.table != NULL)
        outcome = event_table_open(self, survey.table);
    else if (hdf5_find(self->file, "events/offset") != HDF5_MISSING)
        outcome = event_columns_open(self);
    else if (survey.linked != NULL)
        log_error("%s: /%s is reached by a soft or external link, expected the dataset itself",
                  self->path, survey.linked);
    else
        refuse_layout(self, &survey);
    free(survey.table);
    free(survey.linked);
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

status event_file_open(event_file **out, const char *path, const char *masterkey)
{
    assert(out != NULL && path != NULL);
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
    self->path = strdup(path);
    hdf5_guard(path);
    status outcome = self->path != NULL ? hdf5_open(&self->file, path) : STATUS_NO_MEMORY;
    if (outcome == STATUS_OK) {
        hsize_t bytes = 0;
        H5Fget_filesize(self->file, &bytes);
        self->bytes = bytes;
        outcome = open_layout(self);
    }
    hdf5_guard(NULL);
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
