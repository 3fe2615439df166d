/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_models: the models of a result file (result_file.h), written and read.
 * The group `codebook` says all of models in which only distances count, those of a k-means. Other
 * models have their prototypes in the group `model`, those of all members one behind the other;
 * the centres in `codebook` are then the means of each cluster's prototypes (zero where it has
 * none), for pictures and comparisons. */
#ifndef COMMON_STORE_RESULTS_RESULT_MODELS_H
#define COMMON_STORE_RESULTS_RESULT_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/records/model_record.h"
#include "common/store/results/result_dataset.h"

/* Prototypes of all members together: the length of DIMENSION_PROTOTYPE. */
size_t result_models_prototypes(size_t members, const struct model_record models[]);
/* Writes both groups, the second where a model wants it; members > 0, all of one shape of clusters
 * and pixels. False if HDF5 refuses or memory is short. */
bool result_models_write(const struct result_access *to, size_t members,
                         const struct model_record models[]);

struct result_models {
    struct model_record *record; /* [members] what labels need of them: clusters, prototypes and
                                    their pixels, scales, biases, map and cutoff */
    bool stored;                 /* the group `model` is there */
    size_t n;                    /* prototypes of all members: what the records lie in */
    uint32_t *prototypes;        /* [members] */
    double *cutoff;              /* [members] */
    float *prototype;            /* [n, pixels]; NULL unless stored */
    double *scale;               /* [n] */
    double *bias;                /* [n] */
    uint16_t *map;               /* [n] */
};

/* Reads what labels need. centres [members, clusters, pixels] is what `codebook` holds; the records
 * may point into it. STATUS_BAD_INPUT (logged with path and dataset) for a dataset that is missing,
 * of another shape or type, or holds what no model may. What is filled in, also on failure, is the
 * caller's, to be given to result_models_fini. */
MUST_CHECK status result_models_read(struct result_models *out, struct result_access *from,
                                     const float centres[]);
/* Frees what is in *self and zeroes it. */
void result_models_fini(struct result_models *self);

#endif
