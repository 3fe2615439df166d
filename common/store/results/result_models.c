/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/results/result_models.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/disk/hdf5_util.h"

/* The mean of the prototypes of every cluster, [clusters, pixels]; false when out of memory. */
static bool fill_centres(const struct model_record *model, float centres[])
{
    const size_t pixels = model->pixels, values = model->clusters * pixels;
    if (model_record_is_plain(model)) {
        memcpy(centres, model->prototype, values * sizeof *centres);
        return true;
    }
    double *sum = calloc(values + model->clusters, sizeof *sum);
    if (sum == NULL)
        return false;
    double *count = sum + values;
    for (uint32_t q = 0; q < model->prototypes; q++) {
        const uint16_t cluster = model->map[q];
        count[cluster] += 1.0;
        for (size_t i = 0; i < pixels; i++)
            sum[cluster * pixels + i] += (double)model->prototype[q * pixels + i];
    }
    for (size_t i = 0; i < values; i++)
        centres[i] = count[i / pixels] > 0.0 ? (float)(sum[i] / count[i / pixels]) : 0.0f;
    free(sum);
    return true;
}

/* The members' centres, one behind the other, and their numbers. */
static bool write_codebook(hid_t file, size_t members, const struct model_record models[])
{
    const size_t each = (size_t)models[0].clusters * models[0].pixels;
    float *centres = malloc(members * each * sizeof *centres);
    double *inertia = malloc(members * sizeof *inertia);
    uint64_t *steps = malloc(members * sizeof *steps), *seed = malloc(members * sizeof *seed);
    bool done = centres != NULL && inertia != NULL && steps != NULL && seed != NULL &&
                hdf5_make_group(file, "codebook");
    for (size_t m = 0; done && m < members; m++) {
        done = fill_centres(&models[m], centres + m * each);
        inertia[m] = models[m].inertia;
        steps[m] = models[m].steps;
        seed[m] = models[m].seed;
    }
    const hsize_t dims[] = {members, models[0].clusters, models[0].pixels};
    done = done && hdf5_write(file, "codebook/centres", HDF5_F32, 3, dims, centres) &&
           hdf5_write(file, "codebook/inertia", HDF5_F64, 1, dims, inertia) &&
           hdf5_write(file, "codebook/steps", HDF5_U64, 1, dims, steps) &&
           hdf5_write(file, "codebook/seed", HDF5_U64, 1, dims, seed);
    free(centres);
    free(inertia);
    free(steps);
    free(seed);
    return done;
}

static size_t all_prototypes(size_t members, const struct model_record models[])
{
    size_t n = 0;
    for (size_t m = 0; m < members; m++)
        n += models[m].prototypes;
    return n;
}

/* Room for what the group `model` holds of n prototypes. */
static bool allocate(struct result_models *self, size_t members, size_t n, size_t pixels)
{
    self->prototypes = calloc(members + 1, sizeof *self->prototypes);
    self->cutoff = calloc(members + 1, sizeof *self->cutoff);
    self->prototype = malloc((n * pixels + 1) * sizeof *self->prototype);
    self->scale = calloc(n + 1, sizeof *self->scale);
    self->bias = calloc(n + 1, sizeof *self->bias);
    self->map = calloc(n + 1, sizeof *self->map);
    return self->prototypes != NULL && self->cutoff != NULL && self->prototype != NULL &&
           self->scale != NULL && self->bias != NULL && self->map != NULL;
}

static void lay_out(struct result_models *self, size_t members, const struct model_record models[])
{
    size_t at = 0;
    for (size_t m = 0; m < members; m++) {
        const struct model_record *model = &models[m];
        const size_t p = model->prototypes, pixels = model->pixels;
        self->prototypes[m] = model->prototypes;
        self->cutoff[m] = model->cutoff;
        memcpy(self->prototype + at * pixels, model->prototype,
               p * pixels * sizeof *self->prototype);
        memcpy(self->scale + at, model->scale, p * sizeof *self->scale);
        memcpy(self->bias + at, model->bias, p * sizeof *self->bias);
        memcpy(self->map + at, model->map, p * sizeof *self->map);
        at += p;
    }
}

static bool write_algorithms(hid_t file, size_t members, const struct model_record models[])
{
    const char **name = malloc(members * sizeof *name);
    for (size_t m = 0; name != NULL && m < members; m++)
        name[m] = models[m].algorithm;
    const bool done = name != NULL && hdf5_write_texts(file, "model/algorithm", members, name);
    free(name);
    return done;
}

static bool write_prototypes(hid_t file, size_t members, const struct model_record models[])
{
    struct result_models all = {0};
    const size_t n = all_prototypes(members, models);
    bool done = allocate(&all, members, n, models[0].pixels);
    if (done)
        lay_out(&all, members, models);
    const hsize_t per_member = members, dims[] = {n, models[0].pixels};
    done = done && hdf5_make_group(file, "model") && write_algorithms(file, members, models) &&
           hdf5_write(file, "model/prototypes", HDF5_U32, 1, &per_member, all.prototypes) &&
           hdf5_write(file, "model/cutoff", HDF5_F64, 1, &per_member, all.cutoff) &&
           hdf5_write(file, "model/prototype", HDF5_F32, 2, dims, all.prototype) &&
           hdf5_write(file, "model/scale", HDF5_F64, 1, dims, all.scale) &&
           hdf5_write(file, "model/bias", HDF5_F64, 1, dims, all.bias) &&
           hdf5_write(file, "model/map", HDF5_U16, 1, dims, all.map);
    result_models_fini(&all);
    return done;
}

bool result_models_write(hid_t file, size_t members, const struct model_record models[])
{
    bool plain = true;
    for (size_t m = 0; m < members; m++)
        plain = plain && model_record_is_plain(&models[m]);
    return write_codebook(file, members, models) &&
           (plain || write_prototypes(file, members, models));
}

/* ---- reading ---- */

static status read_array(hid_t file, const char *path, const char *name, enum hdf5_element element,
                         hsize_t n, void *out)
{
    void *array = NULL;
    const status done = hdf5_read(file, path, name, element, 1, &n, &array);
    memcpy(out, &array, sizeof array);
    return done;
}

/* The arrays of the group `model`, each as long as the prototypes say. */
static status read_prototypes(struct result_models *out, hid_t file, const char *path,
                              const hsize_t shape[3])
{
    status done = read_array(file, path, "model/prototypes", HDF5_U32, shape[0], &out->prototypes);
    if (done != STATUS_OK)
        return done;
    hsize_t n = 0;
    for (hsize_t m = 0; m < shape[0]; m++)
        n += out->prototypes[m];
    hsize_t dims[] = {n, shape[2]};
    void *array = NULL;
    done = hdf5_read(file, path, "model/prototype", HDF5_F32, 2, dims, &array);
    out->prototype = array;
    out->n = (size_t)n;
    if (done == STATUS_OK)
        done = read_array(file, path, "model/cutoff", HDF5_F64, shape[0], &out->cutoff);
    if (done == STATUS_OK)
        done = read_array(file, path, "model/scale", HDF5_F64, n, &out->scale);
    if (done == STATUS_OK)
        done = read_array(file, path, "model/bias", HDF5_F64, n, &out->bias);
    return done == STATUS_OK ? read_array(file, path, "model/map", HDF5_U16, n, &out->map) : done;
}

/* What a k-means has: every centre is a prototype, and only distances count. */
static status make_plain(struct result_models *out, const hsize_t shape[3])
{
    const size_t members = shape[0], clusters = shape[1];
    if (!allocate(out, members, members * clusters, 0))
        return STATUS_NO_MEMORY;
    free(out->prototype);
    out->prototype = NULL;
    out->n = members * clusters;
    for (size_t m = 0; m < members; m++) {
        out->prototypes[m] = (uint32_t)clusters;
        out->cutoff[m] = INFINITY;
    }
    for (size_t i = 0; i < members * clusters; i++) {
        out->scale[i] = 1.0;
        out->map[i] = (uint16_t)(i % clusters);
    }
    return STATUS_OK;
}

/* Makes records of the arrays; prototype [prototypes of all members, pixels]. */
static status make_records(struct result_models *out, const char *path, const hsize_t shape[3],
                           const float prototype[])
{
    size_t at = 0;
    out->record = calloc(shape[0] + 1, sizeof *out->record);
    if (out->record == NULL)
        return STATUS_NO_MEMORY;
    for (hsize_t m = 0; m < shape[0]; m++) {
        out->record[m] = (struct model_record){.member = (uint32_t)m,
                                               .generation = 1,
                                               .algorithm = "stored",
                                               .clusters = (uint32_t)shape[1],
                                               .prototypes = out->prototypes[m],
                                               .pixels = (uint32_t)shape[2],
                                               .cutoff = out->cutoff[m],
                                               .prototype = prototype + at * shape[2],
                                               .scale = out->scale + at,
                                               .bias = out->bias + at,
                                               .map = out->map + at};
        at += out->prototypes[m];
        const char *fault = model_record_fault(&out->record[m]);
        if (fault == NULL)
            continue;
        log_error("%s: damaged: model of member %u: %s", path, (unsigned)m, fault);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

status result_models_read(struct result_models *out, hid_t file, const char *path,
                          const hsize_t shape[3], const float centres[])
{
    *out = (struct result_models){0};
    const bool plain = hdf5_find(file, "model") == HDF5_MISSING;
    out->stored = !plain;
    const status done = plain ? make_plain(out, shape) : read_prototypes(out, file, path, shape);
    return done == STATUS_OK ? make_records(out, path, shape, plain ? centres : out->prototype)
                             : done;
}

void result_models_fini(struct result_models *self)
{
    free(self->record);
    free(self->prototypes);
    free(self->cutoff);
    free(self->prototype);
    free(self->scale);
    free(self->bias);
    free(self->map);
    *self = (struct result_models){0};
}
