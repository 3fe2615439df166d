/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/results/result_dataset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

static void shape_of(const struct result_access *self, const struct result_dataset *dataset,
                     hsize_t dims[HDF5_RANK_MAX])
{
    for (int d = 0; d < dataset->rank; d++)
        dims[d] = self->lengths[dataset->dimensions[d]];
}

/* ---- writing ---- */

bool result_write_as(const struct result_access *to, enum result_id id, enum hdf5_element element,
                     const void *numbers)
{
    const struct result_dataset *dataset = result_dataset(id);
    assert(element == dataset->element);
    hsize_t dims[HDF5_RANK_MAX];
    shape_of(to, dataset, dims);
    return hdf5_write(to->file, dataset->path, element, dataset->rank, dims, numbers);
}

/* Texts of one fixed length, as plain readers of HDF5 like them. */
bool result_write_texts(const struct result_access *to, enum result_id id,
                        const char *const texts[])
{
    const struct result_dataset *row = result_dataset(id);
    assert(row->element == HDF5_TEXT && row->rank == 1);
    return hdf5_write_texts(to->file, row->path, (size_t)to->lengths[row->dimensions[0]], texts);
}

bool result_make_group(const struct result_access *to, enum result_id id)
{
    return hdf5_make_group(to->file, result_group_name(id));
}

static bool add_text(hid_t dataset, const char *name, const char *text)
{
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5I_INVALID_HID;
    bool done = false;
    if (type >= 0 && space >= 0 && H5Tset_size(type, strlen(text) + 1) >= 0 &&
        H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        attribute = H5Acreate2(dataset, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0) {
        done = H5Awrite(attribute, type, text) >= 0;
        H5Aclose(attribute);
    }
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return done;
}

bool result_describe(const struct result_access *to)
{
    bool done = true;
    for (enum result_id id = 0; done && id < RESULT_DATASETS; id++) {
        const struct result_dataset *row = result_dataset(id);
        if (!result_has(to, id))
            continue;
        const hid_t dataset = H5Dopen2(to->file, row->path, H5P_DEFAULT);
        done = dataset >= 0 && add_text(dataset, "units", row->unit) &&
               add_text(dataset, "description", row->help);
        if (dataset >= 0)
            H5Dclose(dataset);
    }
    return done;
}

/* ---- reading ---- */

status result_open(struct result_access *out, const char *path)
{
    *out = (struct result_access){.path = path};
    for (int d = 0; d < DIMENSIONS; d++)
        out->lengths[d] = HDF5_ANY;
    return hdf5_open(&out->file, path);
}

bool result_has(const struct result_access *from, enum result_id id)
{
    return hdf5_find(from->file, result_dataset(id)->path) != HDF5_MISSING;
}

bool result_has_group(const struct result_access *from, enum result_id id)
{
    return hdf5_find(from->file, result_group_name(id)) != HDF5_MISSING;
}

status result_read_as(struct result_access *from, enum result_id id, enum hdf5_element element,
                      void *out)
{
    const struct result_dataset *dataset = result_dataset(id);
    assert(element == dataset->element);
    hsize_t dims[HDF5_RANK_MAX];
    void *numbers;
    shape_of(from, dataset, dims);
    const status outcome =
        hdf5_read(from->file, from->path, dataset->path, element, dataset->rank, dims, &numbers);
    for (int d = 0; outcome == STATUS_OK && d < dataset->rank; d++)
        from->lengths[dataset->dimensions[d]] = dims[d];
    memcpy(out, &numbers, sizeof numbers); /* whatever the caller's type of pointer is */
    return outcome;
}

status result_read_parts(struct result_access *from, size_t n, const struct result_part parts[])
{
    status outcome = STATUS_OK;
    for (size_t i = 0; outcome == STATUS_OK && i < n; i++)
        outcome = result_read_as(from, parts[i].id, parts[i].element, parts[i].out);
    return outcome;
}

/* Type and shape of an open dataset of texts; STATUS_OK fills in out->n and out->size. */
static status check_texts(const struct result_access *from, const struct result_dataset *row,
                          hid_t dataset, hid_t type, struct result_texts *out)
{
    enum { LONGEST = 1 << 16, MOST = 1 << 20 };
    if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type)) {
        char is[40];
        hdf5_type_text(type, sizeof is, is);
        log_error("%s: /%s has element type %s, expected text of a fixed length", from->path,
                  row->path, is);
        return STATUS_BAD_INPUT;
    }
    hsize_t dims[HDF5_RANK_MAX];
    const hsize_t length = from->lengths[row->dimensions[0]];
    const int rank = hdf5_shape(dataset, dims);
    if (rank != 1 || (length != HDF5_ANY && dims[0] != length)) {
        char is[80], must[80];
        hdf5_shape_text(rank, dims, sizeof is, is);
        hdf5_shape_text(1, &length, sizeof must, must);
        log_error("%s: /%s has shape %s, expected %s", from->path, row->path, is, must);
        return STATUS_BAD_INPUT;
    }
    const size_t size = H5Tget_size(type);
    if (size > LONGEST || dims[0] > MOST ||
        hdf5_times(dims[0], size) > H5Dget_storage_size(dataset)) {
        log_error("%s: /%s claims more bytes than the file has: damaged", from->path, row->path);
        return STATUS_BAD_INPUT;
    }
    out->n = (size_t)dims[0];
    out->size = size + 1;
    return STATUS_OK;
}

/* Of a dataset and its type that were checked. */
static status read_texts(const struct result_access *from, const struct result_dataset *row,
                         hid_t dataset, hid_t type, struct result_texts *out)
{
    const hid_t memory = H5Tcopy(H5T_C_S1);
    status outcome = STATUS_NO_MEMORY;
    out->text = calloc(out->n + 1, out->size);
    if (out->text != NULL && memory >= 0 && H5Tset_size(memory, out->size) >= 0 &&
        H5Tset_cset(memory, H5Tget_cset(type)) >= 0)
        outcome = STATUS_OK;
    if (outcome == STATUS_OK && out->n > 0 &&
        H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, out->text) < 0) {
        log_error("%s: /%s cannot be read: truncated or damaged", from->path, row->path);
        outcome = STATUS_BAD_INPUT;
    }
    if (outcome != STATUS_OK) {
        free(out->text);
        out->text = NULL;
    }
    if (memory >= 0)
        H5Tclose(memory);
    return outcome;
}

status result_read_texts(struct result_access *from, enum result_id id, struct result_texts *out)
{
    const struct result_dataset *row = result_dataset(id);
    assert(row->element == HDF5_TEXT && row->rank == 1);
    *out = (struct result_texts){0};
    const hid_t dataset = hdf5_find(from->file, row->path) == HDF5_DATASET
                              ? H5Dopen2(from->file, row->path, H5P_DEFAULT)
                              : H5I_INVALID_HID;
    const hid_t type = dataset >= 0 ? H5Dget_type(dataset) : H5I_INVALID_HID;
    status outcome = STATUS_BAD_INPUT;
    if (type < 0)
        log_error("%s: dataset /%s is missing", from->path, row->path);
    else
        outcome = check_texts(from, row, dataset, type, out);
    if (outcome == STATUS_OK)
        outcome = read_texts(from, row, dataset, type, out);
    if (outcome == STATUS_OK)
        from->lengths[row->dimensions[0]] = out->n;
    if (type >= 0)
        H5Tclose(type);
    if (dataset >= 0)
        H5Dclose(dataset);
    return outcome;
}
