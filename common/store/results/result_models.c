/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/results/result_models.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

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
static bool write_codebook(const struct result_access *to, size_t members,
                           const struct model_record models[])
{
    const size_t each = (size_t)models[0].clusters * models[0].pixels;
    float *centres = malloc(members * each * sizeof *centres);
    double *inertia = malloc(members * sizeof *inertia);
    uint64_t *steps = malloc(members * sizeof *steps), *seed = malloc(members * sizeof *seed);
    bool done = centres != NULL && inertia != NULL && steps != NULL && seed != NULL &&
                result_make_group(to, RESULT_CODEBOOK_CENTRES);
    for (size_t m = 0; done && m < members; m++) {
        done = fill_centres(&models[m], centres + m * each);
        inertia[m] = models[m].inertia;
        steps[m] = models[m].steps;
        seed[m] = models[m].seed;
    }
    done = done && result_write(to, RESULT_CODEBOOK_CENTRES, centres) &&
           result_write(to, RESULT_CODEBOOK_INERTIA, inertia) &&
           result_write(to, RESULT_CODEBOOK_STEPS, steps) &&
           result_write(to, RESULT_CODEBOOK_SEED, seed);
    free(centres);
    free(inertia);
    free(steps);
    free(seed);
    return done;
}

size_t result_models_prototypes(size_t members, const struct model_record models[])
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

static bool write_algorithms(const struct result_access *to, size_t members,
                             const struct model_record models[])
{
    const char **name = malloc(members * sizeof *name);
    for (size_t m = 0; name != NULL && m < members; m++)
        name[m] = models[m].algorithm;
    const bool done = name != NULL && result_write_texts(to, RESULT_MODEL_ALGORITHM, name);
    free(name);
    return done;
}

static bool write_prototypes(const struct result_access *to, size_t members,
                             const struct model_record models[])
{
    struct result_models all = {0};
    const size_t n = result_models_prototypes(members, models);
    bool done = allocate(&all, members, n, models[0].pixels);
    if (done)
        lay_out(&all, members, models);
    done = done && result_make_group(to, RESULT_MODEL_ALGORITHM) &&
           write_algorithms(to, members, models) &&
           result_write(to, RESULT_MODEL_PROTOTYPES, all.prototypes) &&
           result_write(to, RESULT_MODEL_CUTOFF, all.cutoff) &&
           result_write(to, RESULT_MODEL_PROTOTYPE, all.prototype) &&
           result_write(to, RESULT_MODEL_SCALE, all.scale) &&
           result_write(to, RESULT_MODEL_BIAS, all.bias) &&
           result_write(to, RESULT_MODEL_MAP, all.map);
    result_models_fini(&all);
    return done;
}

bool result_models_write(const struct result_access *to, size_t members,
                         const struct model_record models[])
{
    bool plain = true;
    for (size_t m = 0; m < members; m++)
        plain = plain && model_record_is_plain(&models[m]);
    return write_codebook(to, members, models) && (plain || write_prototypes(to, members, models));
}

/* ---- reading ---- */

/* The arrays of the group `model`, each as long as the prototypes say. */
static status read_prototypes(struct result_models *out, struct result_access *from)
{
    const status done = result_read(from, RESULT_MODEL_PROTOTYPES, &out->prototypes);
    if (done != STATUS_OK)
        return done;
    from->lengths[DIMENSION_PROTOTYPE] = 0;
    for (hsize_t m = 0; m < from->lengths[DIMENSION_MEMBER]; m++)
        from->lengths[DIMENSION_PROTOTYPE] += out->prototypes[m];
    out->n = (size_t)from->lengths[DIMENSION_PROTOTYPE];
    const struct result_part parts[] = {
        RESULT_PART(RESULT_MODEL_PROTOTYPE, &out->prototype),
        RESULT_PART(RESULT_MODEL_CUTOFF, &out->cutoff),
        RESULT_PART(RESULT_MODEL_SCALE, &out->scale),
        RESULT_PART(RESULT_MODEL_BIAS, &out->bias),
        RESULT_PART(RESULT_MODEL_MAP, &out->map),
    };
    return result_read_parts(from, sizeof parts / sizeof *parts, parts);
}

/* What a k-means has: every centre is a prototype, and only distances count. */
static status make_plain(struct result_models *out, const struct result_access *from)
{
    const size_t members = from->lengths[DIMENSION_MEMBER];
    const size_t clusters = from->lengths[DIMENSION_CLUSTER];
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
static status make_records(struct result_models *out, const struct result_access *from,
                           const float prototype[])
{
    const size_t members = from->lengths[DIMENSION_MEMBER];
    const size_t pixels = from->lengths[DIMENSION_PIXEL];
    size_t at = 0;
    out->record = calloc(members + 1, sizeof *out->record);
    if (out->record == NULL)
        return STATUS_NO_MEMORY;
    for (size_t m = 0; m < members; m++) {
        out->record[m] =
            (struct model_record){.member = (uint32_t)m,
                                  .generation = 1,
                                  .algorithm = "stored",
                                  .clusters = (uint32_t)from->lengths[DIMENSION_CLUSTER],
                                  .prototypes = out->prototypes[m],
                                  .pixels = (uint32_t)pixels,
                                  .cutoff = out->cutoff[m],
                                  .prototype = prototype + at * pixels,
                                  .scale = out->scale + at,
                                  .bias = out->bias + at,
                                  .map = out->map + at};
        at += out->prototypes[m];
        const char *fault = model_record_fault(&out->record[m]);
        if (fault == NULL)
            continue;
        log_error("%s: damaged: model of member %u: %s", from->path, (unsigned)m, fault);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

status result_models_read(struct result_models *out, struct result_access *from,
                          const float centres[])
{
    *out = (struct result_models){0};
    const bool plain = !result_has_group(from, RESULT_MODEL_ALGORITHM);
    out->stored = !plain;
    const status done = plain ? make_plain(out, from) : read_prototypes(out, from);
    return done == STATUS_OK ? make_records(out, from, plain ? centres : out->prototype) : done;
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
