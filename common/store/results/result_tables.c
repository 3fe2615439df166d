/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/results/result_tables.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/disk/hdf5_util.h"
#include "common/store/results/result_summary.h"

/* One dataset: where it goes, and its shape. */
struct dataset {
    const char *name;
    enum hdf5_element element;
    int rank;
    const hsize_t *dims;
    void *out; /* of the pointer to its numbers */
};

static status read_dataset(hid_t file, const char *path, const struct dataset *dataset)
{
    hsize_t dims[HDF5_RANK_MAX];
    for (int d = 0; d < dataset->rank; d++)
        dims[d] = dataset->dims[d];
    void *array;
    const status outcome =
        hdf5_read(file, path, dataset->name, dataset->element, dataset->rank, dims, &array);
    memcpy(dataset->out, &array, sizeof array);
    return outcome;
}

static status read_centres(struct result_tables *out, hid_t file, const char *path)
{
    hsize_t dims[] = {out->summary.members, out->summary.clusters, HDF5_ANY};
    void *array;
    const status outcome = hdf5_read(file, path, "codebook/centres", HDF5_F32, 3, dims, &array);
    out->centres = array;
    out->pixels = outcome == STATUS_OK ? (size_t)dims[2] : 0;
    return outcome;
}

static status read_all(struct result_tables *out, hid_t file, const char *path)
{
    const struct result_summary *summary = &out->summary;
    const hsize_t full[] = {summary->members, summary->clusters, summary->bins};
    const hsize_t per_bin[] = {summary->members, summary->bins}, slices = summary->slices;
    const struct dataset datasets[] = {
        {"codebook/inertia", HDF5_F64, 1, full, &out->inertia},
        {"codebook/steps", HDF5_U64, 1, full, &out->steps},
        {"codebook/seed", HDF5_U64, 1, full, &out->seed},
        {"spectra/counts", HDF5_U64, 3, full, &out->counts},
        {"selection/z", HDF5_F64, 3, full, &out->z},
        {"selection/depleted", HDF5_U64, 2, per_bin, &out->depleted},
        {"history/events", HDF5_U64, 1, &slices, &out->history_events},
        {"history/mls_mean", HDF5_F64, 1, &slices, &out->history_mean},
        {"truth/signal_counts", HDF5_U64, 3, full, &out->signal},
    };
    const size_t always = sizeof datasets / sizeof *datasets - 1;
    const size_t n = always + (hdf5_find(file, "truth/signal_counts") != HDF5_MISSING);
    status outcome = read_centres(out, file, path);
    for (size_t i = 0; outcome == STATUS_OK && i < n; i++)
        outcome = read_dataset(file, path, &datasets[i]);
    const hsize_t shape[] = {summary->members, summary->clusters, out->pixels};
    return outcome == STATUS_OK ? result_models_read(&out->models, file, path, shape, out->centres)
                                : outcome;
}

static bool all_finite(size_t n, const double x[])
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
    const char *wrong = NULL;
    if (!all_finite(labels * summary->bins, tables->z))
        wrong = "/selection/z";
    else if (!all_finite(summary->members * summary->bins, summary->background))
        wrong = "/selection/background";
    else if (!all_finite(summary->members, tables->inertia))
        wrong = "/codebook/inertia";
    else if (!all_finite(summary->slices, tables->history_mean))
        wrong = "/history/mls_mean";
    for (size_t i = 0; wrong == NULL && i < labels * tables->pixels; i++)
        if (!isfinite(tables->centres[i]))
            wrong = "/codebook/centres";
    if (wrong == NULL)
        return STATUS_OK;
    log_error("%s: damaged: %s holds a number that is not finite", path, wrong);
    return STATUS_BAD_INPUT;
}

status result_tables_read(struct result_tables *out, const char *path)
{
    assert(out != NULL && path != NULL);
    *out = (struct result_tables){0};
    status outcome = result_summary_read(&out->summary, path);
    if (outcome != STATUS_OK)
        return outcome;
    hid_t file;
    hdf5_guard(path);
    outcome = hdf5_open(&file, path);
    if (outcome == STATUS_OK) {
        outcome = read_all(out, file, path);
        H5Fclose(file);
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
