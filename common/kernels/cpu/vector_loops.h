/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vector_loops: the hot loops of images and clusterings, once per instruction set, and the tables
 * that they run over. Not for callers outside kernels (tests apart). */
#ifndef COMMON_KERNELS_CPU_VECTOR_LOOPS_H
#define COMMON_KERNELS_CPU_VECTOR_LOOPS_H

#include <stddef.h>
#include <stdint.h>

#include "common/kernels/cpu/instruction_set.h"

/* Clusters scored together: their float sums fill four AVX-512 or eight AVX2 registers. */
enum { VECTOR_BLOCK = 64 };
/* Clusters scored together in double. */
enum { VECTOR_LANES = 8 };

/* The table that is read first: whole numbers of 16 bits, for short rows make it fast. A row of
 * stride columns is stride / 2 words; each group of 32 columns is 16 words, of which word w holds
 *     bits 31 to 16: column 16 + w (the whole word, read as a number)
 *     bits 15 to 0:  column w      (the word shifted left by 16, read as a number).
 * start is 0, or infinity for a column without a cluster. stride is a multiple of VECTOR_BLOCK;
 * both arrays are aligned to 64 bytes. */
struct score_table {
    size_t stride;
    float *start;  /* [stride] */
    int32_t *word; /* [pixels][stride / 2] */
};

static inline float word_upper(int32_t word)
{
    return (float)word;
}

static inline float word_lower(int32_t word)
{
    return (float)(int32_t)((uint32_t)word << 16);
}

/* Outcome of the float scores of one image. The index is right unless another cluster has the
 * same score. */
struct nearest {
    float best;
    float second;
    float sum; /* of the values of the image */
    uint32_t index;
};

/* G'G on one axis: A[i][j] is falling(|i - j|), a function that falls with the distance, plus its
 * mirror images at both borders. */
enum { NEAR = 14, FALLING = 16 };
struct smearing_factors {
    uint64_t side;
    uint64_t reach;          /* at most NEAR */
    double falling[FALLING]; /* 0 from reach + 1 on */
};

static inline double factor_at(const struct smearing_factors *self, uint64_t distance)
{
    return self->falling[distance < FALLING - 1 ? distance : FALLING - 1];
}

/* A[i][j]. */
static inline double smearing_factor(const struct smearing_factors *self, uint64_t i, uint64_t j)
{
    return factor_at(self, i > j ? i - j : j - i) +
           (factor_at(self, i + j + 1) + factor_at(self, 2 * self->side - 1 - i - j));
}

/* The best two of both sets of columns together. */
static inline struct nearest nearest_join(struct nearest a, struct nearest b)
{
    if (b.best < a.best)
        return (struct nearest){b.best, a.best < b.second ? a.best : b.second, a.sum, b.index};
    return (struct nearest){a.best, b.best < a.second ? b.best : a.second, a.sum, a.index};
}

/* The hot loops, once per instruction set. Every set gives the same bits: a sum starts and
 * goes on in the order given here, and lanes never meet. The entries of image i end before those
 * of image i + 1 begin, at offset[i + 1]; offsets count from offset[0]: pixel and value point at
 * the first entry of the first image. */
struct vector_loops {
    /* found[n]: sum = 0 + value[0] + value[1] + ..., and the smallest and second-smallest over the
     * columns of fma(t[pixel[m-1]], value[m-1], ... fma(t[pixel[0]], value[0], start)), t being
     * word_upper or word_lower of the column. */
    void (*find_nearest)(const struct score_table *table, size_t n, const uint64_t offset[],
                         const uint16_t pixel[], const float value[], struct nearest found[]);
    /* The same for two tables, in one pass where that is faster. */
    void (*find_nearest_of_two)(const struct score_table *table, const struct score_table *other,
                                size_t n, const uint64_t offset[], const uint16_t pixel[],
                                const float value[], struct nearest found[],
                                struct nearest found_other[]);
    /* sum[n][VECTOR_LANES]: adds value[j] table[stride pixel[j] + lane] of every entry j of the
     * image in turn; each product and each sum is rounded. */
    void (*add_lanes)(size_t n, const uint64_t offset[], const uint16_t pixel[],
                      const float value[], size_t stride, const double table[], double sum[]);
    /* Sum over the pairs q < p of n > 0 pixels of value[q] (value[p] (A[row_p][row_q]
     * A[column_p][column_q])), A as smearing_factor gives it. Rows ascend. For every q the inner
     * sum goes over p in turn; they are added to eight sums by q mod 8, and of those 0 to 4, 2 to
     * 6, 1 to 5, 3 to 7, then the first two and the last two, then these. Every product and every
     * sum is rounded. All arrays have seven more elements, no row or column among them outside the
     * range of those before. */
    double (*sum_pairs)(const struct smearing_factors *factors, size_t n, const uint64_t row[],
                        const uint64_t column[], const double value[]);
    /* out[w] = 0 + factor[0] in[w] + factor[1] in[stride + w] + ... for w < width; each product
     * and each sum is rounded. */
    void (*weighted_sum)(size_t n, const double factor[], size_t stride, const double in[],
                         size_t width, double out[]);
    /* out[n]: the square roots, in float. */
    void (*take_roots)(size_t n, const float in[], float out[]);
};
extern const struct vector_loops vector_loops_plain;
#ifdef __x86_64__
extern const struct vector_loops vector_loops_avx2;
extern const struct vector_loops vector_loops_avx512;
#endif
/* The loops of an instruction set, which the machine must have. */
const struct vector_loops *vector_loops_of(enum instruction_set set);

#endif
