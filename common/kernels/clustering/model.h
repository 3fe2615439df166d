/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model: labels of sparse images by the prototypes of a model, without ever making them dense.
 *
 * The clustered image is x = G s: s = fractions^power divided by its sum, G the Gaussian
 * smearing of sigma pixels (radius int(4 sigma + 0.5), reflecting borders, as
 * scipy.ndimage.gaussian_filter). A prototype is c = G m. So
 *     |x - c|^2 = |x|^2 - 2 s.(G'G m) + m.(G'G m)
 * and the score of a prototype (common/records/model_record.h) is
 *     scale |x - c|^2 + bias = scale |x|^2 + b + sum_p W[p] s[p],
 * with W = -2 scale G'G m and b = scale m.(G'G m) + bias: a gather of the few rows of W that are
 * lit. Where all scales are equal, |x|^2 tells no prototypes apart and is left out; only a cutoff
 * wants it, of the best score.
 *
 * The best prototype is the arg min in double, lowest index on a tie. The fast path looks at a
 * table of whole numbers of 16 bits and sums in float with explicit fused multiply-adds, lanes
 * across prototypes, so every instruction set gives the same bits; where its error could change
 * the answer the jet is scored again in double. So it may start from square roots in float that
 * are not divided by their sum: the s themselves are computed where the scores of those do not
 * prove the label. A model whose scales differ is scored in double throughout. */
#ifndef COMMON_KERNELS_CLUSTERING_MODEL_H
#define COMMON_KERNELS_CLUSTERING_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/cpu/instruction_set.h"
#include "common/kernels/image/smearing.h"
#include "common/kernels/image/sparse_images.h"
#include "common/records/model_record.h"

typedef struct model model;

/* The model of a record without a fault and with the pixels of the smearing. It keeps no pointer to
 * the record; smear must outlive it. On STATUS_OK *out is the caller's. */
MUST_CHECK status model_create(model **out, const struct model_record *record,
                               const smearing *smear);
/* k-means: k centres m [k][side * side] in pre-image space, each a cluster of its own, k in
 * 1 .. MODEL_PROTOTYPES_MAX. Otherwise like model_create. */
MUST_CHECK status model_create_nearest(model **out, size_t k, const float centres[],
                                       const smearing *smear);
void model_destroy(model **self);
/* For tests and benches: use another instruction set than the best one. The machine must have it.
 */
void model_use(model *self, enum instruction_set set);

/* label[n] of every image: the cluster of its best prototype, or that of noise. score[n], if not
 * NULL, gets the score of that prototype; where all scales are equal and there is no cutoff,
 * without scale |x|^2, which is to be added to it. */
void model_label(const model *self, const struct sparse_images *images, uint16_t label[],
                 double score[]);
/* The labels of several models, image i by model m in label[m n + i]; some hundred images go
 * through all models, which are of one smearing, before the next ones. */
void models_label(size_t count, model *const models[], const struct sparse_images *images,
                  uint16_t label[]);
/* The same labels straight from the fractions: images->value holds what image_to_power takes. */
void models_label_fractions(size_t count, model *const models[], double power,
                            const struct sparse_images *images, uint16_t label[]);

#endif
