/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_writer: a columns file that grows batch by batch under a temporary name. */
#include "common/store/events/event_writer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/disk/atomic_file.h"
#include "common/store/disk/hdf5_util.h"
#include "common/store/events/event_file.h"

/* A column and how much is in it. */
struct column {
    hid_t dataset;
    enum hdf5_element element;
    hsize_t length;
};
enum column_name { OFFSET, PT, ETA, PHI, LABEL, COLUMNS };

struct event_writer {
    char *path;
    atomic_file *target;
    hid_t file;
    struct column columns[COLUMNS]; /* LABEL is made when the first batch has labels */
    bool begun;
    uint64_t *offsets; /* [offsets_room] of a batch */
    size_t offsets_room;
};

/* HDF5 keeps no code of what went wrong; errno is still that of its last write. */
static status write_failed(const event_writer *self)
{
    const int error = errno;
    const status outcome = error != 0 ? status_of_errno(error) : STATUS_IO;
    log_error("%s: cannot be written: %s", self->path,
              error != 0 ? strerror(error) : "HDF5 refused");
    return outcome;
}

/* Chunked to grow, but not compressed: shuffle and the fastest gzip take a fifth off float32
 * momenta for ten times the time. */
static hid_t column_properties(void)
{
    const hsize_t chunk = 65536;
    const hid_t made = hdf5_dataset_properties();
    if (made >= 0 && H5Pset_chunk(made, 1, &chunk) >= 0)
        return made;
    if (made >= 0)
        H5Pclose(made);
    return H5I_INVALID_HID;
}

static bool make_column(event_writer *self, enum column_name column)
{
    static const struct {
        const char *name;
        enum hdf5_element element;
    } kinds[COLUMNS] = {
        [OFFSET] = {"events/offset", HDF5_U64}, [PT] = {"events/pt", HDF5_F32},
        [ETA] = {"events/eta", HDF5_F32},       [PHI] = {"events/phi", HDF5_F32},
        [LABEL] = {"events/label", HDF5_I8},
    };
    const hsize_t none = 0, any = H5S_UNLIMITED;
    const hid_t space = H5Screate_simple(1, &none, &any);
    const hid_t made = column_properties();
    struct column *self_column = &self->columns[column];
    self_column->element = kinds[column].element;
    if (space >= 0 && made >= 0)
        self_column->dataset =
            H5Dcreate2(self->file, kinds[column].name, hdf5_file_type(kinds[column].element), space,
                       H5P_DEFAULT, made, H5P_DEFAULT);
    if (made >= 0)
        H5Pclose(made);
    if (space >= 0)
        H5Sclose(space);
    return self_column->dataset >= 0;
}

static bool append(struct column *self, size_t n, const void *data)
{
    if (n == 0)
        return true;
    const hsize_t start = self->length, count = n, length = self->length + n;
    if (H5Dset_extent(self->dataset, &length) < 0)
        return false;
    const hid_t in_memory = H5Screate_simple(1, &count, NULL);
    const hid_t in_file = H5Dget_space(self->dataset);
    const bool done =
        in_memory >= 0 && in_file >= 0 &&
        H5Sselect_hyperslab(in_file, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0 &&
        H5Dwrite(self->dataset, hdf5_memory_type(self->element), in_memory, in_file, H5P_DEFAULT,
                 data) >= 0;
    if (in_file >= 0)
        H5Sclose(in_file);
    if (in_memory >= 0)
        H5Sclose(in_memory);
    if (done)
        self->length = length;
    return done;
}

static bool make_file(event_writer *self)
{
    const hid_t access = hdf5_file_access();
    const hid_t made = H5Pcreate(H5P_FILE_CREATE);
    if (access >= 0 && made >= 0 && H5Pset_obj_track_times(made, false) >= 0)
        self->file = H5Fcreate(atomic_file_temporary(self->target), H5F_ACC_TRUNC, made, access);
    if (made >= 0)
        H5Pclose(made);
    if (access >= 0)
        H5Pclose(access);
    if (self->file < 0 || !hdf5_make_group(self->file, "events"))
        return false;
    for (int c = 0; c < LABEL; c++)
        if (!make_column(self, (enum column_name)c))
            return false;
    return append(&self->columns[OFFSET], 1, &(uint64_t){0});
}

status event_writer_create(event_writer **out, const char *path)
{
    assert(out != NULL && path != NULL);
    *out = NULL;
    event_writer *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->file = H5I_INVALID_HID;
    for (size_t c = 0; c < COLUMNS; c++)
        self->columns[c].dataset = H5I_INVALID_HID;
    self->path = strdup(path);
    status outcome =
        self->path != NULL ? atomic_file_create(&self->target, path) : STATUS_NO_MEMORY;
    if (outcome == STATUS_OK) {
        errno = 0;
        outcome = make_file(self) ? STATUS_OK : write_failed(self);
    }
    if (outcome == STATUS_OK)
        *out = self;
    else
        event_writer_destroy(&self);
    return outcome;
}

/* The ends of the batch's events, counted over the whole file. */
static status rebase_offsets(event_writer *self, const struct event_batch *batch)
{
    if (self->offsets_room < batch->events) {
        uint64_t *larger = realloc(self->offsets, batch->events * sizeof *larger);
        if (larger == NULL)
            return STATUS_NO_MEMORY;
        self->offsets = larger;
        self->offsets_room = batch->events;
    }
    for (size_t e = 0; e < batch->events; e++)
        self->offsets[e] = self->columns[PT].length + batch->offset[e + 1];
    return STATUS_OK;
}

status event_writer_add(event_writer *self, const struct event_batch *batch)
{
    const bool labelled = batch->label != NULL;
    assert(!self->begun || labelled == (self->columns[LABEL].dataset >= 0));
    const status outcome = rebase_offsets(self, batch);
    if (outcome != STATUS_OK)
        return outcome;
    errno = 0;
    if (!self->begun && labelled && !make_column(self, LABEL))
        return write_failed(self);
    self->begun = true;
    if (append(&self->columns[OFFSET], batch->events, self->offsets) &&
        append(&self->columns[PT], batch->particles, batch->pt) &&
        append(&self->columns[ETA], batch->particles, batch->eta) &&
        append(&self->columns[PHI], batch->particles, batch->phi) &&
        (!labelled || append(&self->columns[LABEL], batch->events, batch->label)))
        return STATUS_OK;
    return write_failed(self);
}

/* Closes what HDF5 has open; false if not all of it could be written. */
static bool close_file(event_writer *self)
{
    bool done = true;
    for (size_t c = 0; c < COLUMNS; c++) {
        if (self->columns[c].dataset >= 0)
            done = H5Dclose(self->columns[c].dataset) >= 0 && done;
        self->columns[c].dataset = H5I_INVALID_HID;
    }
    if (self->file >= 0)
        done = H5Fclose(self->file) >= 0 && done;
    self->file = H5I_INVALID_HID;
    return done;
}

status event_writer_commit(event_writer **self)
{
    assert(self != NULL && *self != NULL);
    errno = 0;
    /* Flushed while all is still open: closing what cannot be written is beyond HDF5. */
    const bool written = H5Fflush((*self)->file, H5F_SCOPE_GLOBAL) >= 0 && close_file(*self);
    status outcome = written ? STATUS_OK : write_failed(*self);
    if (outcome == STATUS_OK) {
        outcome = atomic_file_commit(&(*self)->target);
        if (outcome == STATUS_NO_SPACE)
            log_error("%s: cannot be written: no space left", (*self)->path);
    }
    event_writer_destroy(self);
    return outcome;
}

void event_writer_destroy(event_writer **self)
{
    if (self == NULL || *self == NULL)
        return;
    /* In this order: the space that the file had is then there for what HDF5 has left to write. */
    atomic_file_destroy(&(*self)->target);
    (void)close_file(*self);
    free((*self)->offsets);
    free((*self)->path);
    free(*self);
    *self = NULL;
}
