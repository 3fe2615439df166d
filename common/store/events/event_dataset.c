/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/events/event_dataset.h"

#include <string.h>

#include "common/base/log.h"
#include "common/store/disk/hdf5_filters.h"
#include "common/store/disk/hdf5_util.h"

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
