/* SPDX-License-Identifier: GPL-3.0-or-later */
/* codebook: nearest-centre labels of sparse images, without ever making them dense.
 *
 * The clustered image is x = G s: s = fractions^power divided by its sum, G the Gaussian
 * smearing of sigma pixels (radius int(4 sigma + 0.5), reflecting borders, as
 * scipy.ndimage.gaussian_filter). A centre is c = G m. So
 *     |x - c|^2 = |x|^2 - 2 s.(G'G m) + m.(G'G m)
 * and a label is the arg min over clusters of bias[c] + sum_p W[p][c] s[p], with
 * W = -2 G'G m and bias = m.(G'G m): a gather of the few rows of W that are lit.
 *
 * Labels are the arg min in double, lowest index on a tie. The fast path looks at a table of whole
 * numbers of 16 bits and sums in float with explicit fused multiply-adds, lanes across
 * clusters, so every instruction set gives the same bits; where its error could change
 * the answer the jet is scored again in double. So it may start from square roots in float that
 * are not divided by their sum: the s themselves are computed where the scores of those do not
 * prove the label. */
#ifndef COMMON_KERNELS_CLUSTERING_CODEBOOK_H
#define COMMON_KERNELS_CLUSTERING_CODEBOOK_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/cpu/instruction_set.h"
#include "common/kernels/image/smearing.h"
#include "common/kernels/image/sparse_images.h"

typedef struct codebook codebook;

/* Centres m [k][side * side] in pre-image space, k in 1 .. 65535. The codebook keeps no pointer
 * to centres nor to smear. On STATUS_OK *out is the caller's. */
MUST_CHECK status codebook_create(codebook **out, size_t k, const float centres[],
                                  const smearing *smear);
void codebook_destroy(codebook **self);
/* For tests and benches: use another instruction set than the best one. The machine must have it.
 */
void codebook_use(codebook *self, enum instruction_set set);
/* bias[k], m.(G'G m) of each centre, borrowed. */
const double *codebook_bias(const codebook *self);

/* label[n] of every image: index of the nearest centre. score[n], if not NULL, gets
 * min_c (bias[c] + sum W s), to which |x|^2 is to be added for the squared distance. */
void codebook_label(const codebook *self, const struct sparse_images *images, uint16_t label[],
                    double score[]);
/* The labels of several codebooks, image i by book b in label[b n + i]; some hundred images go
 * through all books before the next ones. */
void codebooks_label(size_t books, codebook *const book[], const struct sparse_images *images,
                     uint16_t label[]);
/* The same labels straight from the fractions: images->value holds what image_to_power takes. */
void codebooks_label_fractions(size_t books, codebook *const book[], double power,
                               const struct sparse_images *images, uint16_t label[]);

#endif
