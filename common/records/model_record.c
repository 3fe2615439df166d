/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/records/model_record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A short word: what a person or a program may call an algorithm. */
static bool is_word(const char text[MODEL_ALGORITHM_SIZE])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    const size_t length = strnlen(text, MODEL_ALGORITHM_SIZE);
    return length > 0 && length < MODEL_ALGORITHM_SIZE && strspn(text, letters) == length;
}

static const char *prototype_fault(const struct model_record *record, uint32_t q)
{
    if (!isfinite(record->scale[q]) || !(record->scale[q] > 0.0))
        return "a scale is not finite or not above 0";
    if (!isfinite(record->bias[q]))
        return "a bias is not finite";
    if (record->map[q] >= record->clusters)
        return "a prototype is mapped to a cluster that is not below clusters";
    return NULL;
}

const char *model_record_fault(const struct model_record *record)
{
    if (!is_word(record->algorithm))
        return "the algorithm is no word of a-z, 0-9, _ and -";
    if (record->clusters == 0 || record->clusters > UINT16_MAX)
        return "it has no clusters, or more than 65535";
    if (record->prototypes == 0 || record->prototypes > MODEL_PROTOTYPES_MAX)
        return "it has no prototypes, or more than 65535";
    if (isnan(record->cutoff) || record->cutoff == -INFINITY)
        return "the cutoff is not a number or infinity";
    if (!isfinite(record->inertia))
        return "the inertia is not finite";
    const char *fault = NULL;
    for (uint32_t q = 0; fault == NULL && q < record->prototypes; q++)
        fault = prototype_fault(record, q);
    const size_t values = (size_t)record->prototypes * record->pixels;
    for (size_t i = 0; fault == NULL && i < values; i++)
        if (!isfinite(record->prototype[i]))
            fault = "a prototype is not finite";
    return fault;
}

bool model_record_is_plain(const struct model_record *record)
{
    bool plain = record->prototypes == record->clusters && record->cutoff == INFINITY;
    for (uint32_t q = 0; plain && q < record->prototypes; q++)
        plain = record->map[q] == q && record->scale[q] == 1.0 && record->bias[q] == 0.0;
    return plain;
}

status model_record_copy(struct model_record *out, void **memory, const struct model_record *record)
{
    const size_t p = record->prototypes, values = p * record->pixels;
    double *scale = malloc(p * (2 * sizeof(double) + sizeof(uint16_t)) + values * sizeof(float));
    *memory = scale;
    if (scale == NULL)
        return STATUS_NO_MEMORY;
    double *bias = scale + p;
    float *prototype = (float *)(bias + p);
    uint16_t *map = (uint16_t *)(prototype + values);
    memcpy(scale, record->scale, p * sizeof *scale);
    memcpy(bias, record->bias, p * sizeof *bias);
    memcpy(prototype, record->prototype, values * sizeof *prototype);
    memcpy(map, record->map, p * sizeof *map);
    *out = *record;
    out->scale = scale;
    out->bias = bias;
    out->prototype = prototype;
    out->map = map;
    return STATUS_OK;
}
