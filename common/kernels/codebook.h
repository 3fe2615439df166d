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
#ifndef COMMON_KERNELS_CODEBOOK_H
#define COMMON_KERNELS_CODEBOOK_H

#include <stddef.h>
#include <stdint.h>

#include "common/status/status.h"

/* n sparse images: image i has entries offset[i] .. offset[i+1] - 1; pixels ascending. */
struct sparse_images {
    size_t n;
    const uint64_t *offset; /* [n + 1] */
    const uint16_t *pixel;
    const float *value; /* s: sums to 1 per image */
};

/* s of one image: fractions^power divided by their sum (power 0: occupancy); sums and powers
 * in double, rounded once. out may be intensity. n > 0. */
void image_to_power(size_t n, const float intensity[], double power, float out[]);

/* The smearing G of a side x side image, side in 1 .. 256 (a pixel number has 16 bits), sigma in
 * 0 .. 256 pixels; sigma 0 is the identity. */
typedef struct smearing smearing;
MUST_CHECK status smearing_create(smearing **out, uint32_t side, double sigma);
void smearing_destroy(smearing **self);
/* |G s|^2 of one sparse image. */
double smearing_norm2(const smearing *self, size_t n, const uint16_t pixel[], const float value[]);
/* out = G'G in for `lanes` images side by side: in, out [side * side][lanes], pixel-major;
 * in and out must not overlap; scratch [side * side * lanes]. */
void smearing_twice(const smearing *self, size_t lanes, const double in[], double out[],
                    double scratch[]);
/* out[side * side] = G in, one dense image. */
void smearing_once(const smearing *self, const double in[], double out[]);

/* Instruction sets the scorer may use; the widest the machine has by default. */
enum codebook_path { CODEBOOK_PLAIN, CODEBOOK_AVX2, CODEBOOK_AVX512 };
/* Widest path this machine can run. */
enum codebook_path codebook_best_path(void);

typedef struct codebook codebook;

/* Centres m [k][side * side] in pre-image space, k in 1 .. 65535. The codebook keeps no pointer
 * to centres nor to smear. On STATUS_OK *out is the caller's. */
MUST_CHECK status codebook_create(codebook **out, size_t k, const float centres[],
                                  const smearing *smear);
void codebook_destroy(codebook **self);
/* For tests and benches: use another path than the best one. The machine must have it. */
void codebook_use_path(codebook *self, enum codebook_path path);
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
