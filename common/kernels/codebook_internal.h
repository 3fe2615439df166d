/* SPDX-License-Identifier: GPL-3.0-or-later */
/* codebook_internal: what codebook.c, smearing.c, train.c and the instruction sets share.
 * Not for callers outside this room (tests of it apart). */
#ifndef COMMON_KERNELS_CODEBOOK_INTERNAL_H
#define COMMON_KERNELS_CODEBOOK_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/kernels/codebook.h"

/* Clusters scored together: their float sums fill four AVX-512 or eight AVX2 registers. */
enum { CODEBOOK_BLOCK = 64 };
/* Clusters scored together in double. */
enum { CODEBOOK_LANES = 8 };

/* The float table of a codebook. stride is a multiple of CODEBOOK_BLOCK; columns without a
 * cluster have bias infinity and weight 0. bias and weight are aligned to 64 bytes. */
struct score_table {
    size_t stride;
    float *bias;   /* [stride] */
    float *weight; /* [pixels][stride] */
};

/* Outcome of the float scores. The index is right unless another cluster has the same score. */
struct nearest {
    float best;
    float second;
    size_t index;
};

/* Of two sets of columns together. */
static inline struct nearest nearest_join(struct nearest a, struct nearest b)
{
    if (b.best < a.best)
        return (struct nearest){b.best, a.best < b.second ? a.best : b.second, b.index};
    return (struct nearest){a.best, b.best < a.second ? b.best : a.second, a.index};
}

/* The two hot loops, once per instruction set. Every set gives the same bits: a sum starts and
 * goes on in the order given here, and lanes never meet. */
struct vector_path {
    /* Smallest and second-smallest over the columns of
     * fma(weight[pixel[n-1]], value[n-1], ... fma(weight[pixel[0]], value[0], bias)). */
    struct nearest (*find_nearest)(const struct score_table *table, size_t n,
                                   const uint16_t pixel[], const float value[]);
    /* out[w] = 0 + factor[0] in[w] + factor[1] in[stride + w] + ... for w < width; each product
     * and each sum is rounded. */
    void (*weighted_sum)(size_t n, const double factor[], size_t stride, const double in[],
                         size_t width, double out[]);
};
extern const struct vector_path vector_path_plain;
#ifdef __x86_64__
extern const struct vector_path vector_path_avx2;
extern const struct vector_path vector_path_avx512;
#endif
/* The machine must have it. */
const struct vector_path *vector_path_of(enum codebook_path path);

/* For tests: smearing_twice, and by default every codebook made with it, use this path. */
void smearing_use_path(smearing *self, enum codebook_path path);
const struct vector_path *smearing_path(const smearing *self);
size_t smearing_pixels(const smearing *self);

/* Columns of a table of k centres in double: a multiple of CODEBOOK_LANES. */
size_t codebook_columns(size_t k);
/* A codebook of k centres that are yet to be given by codebook_refresh. */
MUST_CHECK status codebook_create_blank(codebook **out, size_t k, const smearing *smear);
/* New centres mean [pixels][codebook_columns(k)], pixel-major; columns beyond k are ignored but
 * must be finite. scratch as large as mean. Allocates nothing. */
void codebook_refresh(codebook *self, const smearing *smear, const double mean[], double scratch[]);

/* sum[CODEBOOK_LANES] += value[i] table[pixel[i]][..] in the order of i, every product and every
 * sum rounded. table points at the first of the columns wanted. */
void lanes_add(size_t n, const uint16_t pixel[], const float value[], size_t stride,
               const double table[], double sum[]);

#endif
