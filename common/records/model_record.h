/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_record: one trained member of the ensemble, the message of a trainer.
 *
 * Every clustering is told by prototypes: images c_0 .. c_{p-1}, each with a scale and a bias, and
 * each of one cluster. A jet x belongs to the cluster
 *     map[q]  of the q with the least  score_q = scale_q |x - c_q|^2 + bias_q,
 * the lowest q on a tie. Where the cutoff is finite, the last cluster, clusters - 1, is that of
 * noise: jets whose least score is above the cutoff get it.
 *
 *   k-means               p = k, scale 1, bias 0, no cutoff, map q -> q
 *   round Gaussians       a prototype per component of weight w and variance v in d dimensions:
 *                         scale 1/(2 v), bias (d/2) ln(2 pi v) - ln w, so that the score is the
 *                         negative logarithm of its share of the density
 *   hierarchical          many prototypes, mapped to the cluster they were joined to
 *   density (DBSCAN)      the core jets, scale 1, bias 0, cutoff eps^2 and map */
#ifndef COMMON_RECORDS_MODEL_RECORD_H
#define COMMON_RECORDS_MODEL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"

enum { MODEL_ALGORITHM_SIZE = 40, MODEL_PROTOTYPES_MAX = UINT16_MAX };

struct model_record {
    uint32_t member;
    uint32_t generation; /* 1: the only training of a run */
    char algorithm[MODEL_ALGORITHM_SIZE];
    uint32_t clusters;   /* k */
    uint32_t prototypes; /* p, 1 .. MODEL_PROTOTYPES_MAX */
    uint32_t pixels;     /* per image */
    uint64_t jets;       /* trained on */
    uint64_t steps;      /* of the training */
    uint64_t seed;
    double inertia;         /* what the training minimised: sum of squared distances of its jets, or
                               the negative logarithm of their likelihood */
    double window[2];       /* training window in m_jj, half-open */
    double cutoff;          /* of the score; infinity: none */
    const float *prototype; /* [p, pixels] pre-image space, power applied */
    const double *scale;    /* [p] of |x - c|^2, above 0 */
    const double *bias;     /* [p] */
    const uint16_t *map;    /* [p] cluster of each */
};

/* NULL, or what is wrong inside a model whose arrays have the right lengths. */
const char *model_record_fault(const struct model_record *record);
/* Whether it is one of a k-means: one prototype per cluster, in order, scales 1, biases 0, no
 * cutoff. The centres of the clusters then say all of it. */
bool model_record_is_plain(const struct model_record *record);
/* A copy whose arrays lie in *memory, to be given to free. STATUS_NO_MEMORY leaves NULL there. */
MUST_CHECK status model_record_copy(struct model_record *out, void **memory,
                                    const struct model_record *record);

#endif
