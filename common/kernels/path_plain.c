/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path_plain: the hot loops of codebook_internal.h for any machine. */
#include <math.h>
#include <string.h>

#include "common/kernels/codebook_internal.h"

static void score_block(const struct score_table *table, size_t first, size_t n,
                        const uint16_t pixel[], const float value[], float score[])
{
    memcpy(score, table->start + first, CODEBOOK_BLOCK * sizeof *score);
    for (size_t i = 0; i < n; i++) {
        const float *weight = table->weight + pixel[i] * table->stride + first;
        for (size_t c = 0; c < CODEBOOK_BLOCK; c++)
            score[c] = fmaf(weight[c], value[i], score[c]);
    }
}

static struct nearest nearest_of(const struct score_table *table, size_t n, const uint16_t pixel[],
                                 const float value[])
{
    struct nearest found = {.best = INFINITY, .second = INFINITY};
    for (size_t i = 0; i < n; i++)
        found.sum += value[i];
    for (size_t first = 0; first < table->stride; first += CODEBOOK_BLOCK) {
        float score[CODEBOOK_BLOCK];
        score_block(table, first, n, pixel, value, score);
        for (size_t c = 0; c < CODEBOOK_BLOCK; c++) {
            if (score[c] < found.best)
                found = (struct nearest){score[c], found.best, found.sum, (uint32_t)(first + c)};
            else if (score[c] < found.second)
                found.second = score[c];
        }
    }
    return found;
}

static void find_nearest(const struct score_table *table, size_t n, const uint64_t offset[],
                         const uint16_t pixel[], const float value[], struct nearest found[])
{
    for (size_t i = 0; i < n; i++) {
        const size_t begin = (size_t)(offset[i] - offset[0]);
        const size_t some = (size_t)(offset[i + 1] - offset[i]);
        found[i] = nearest_of(table, some, pixel + begin, value + begin);
    }
}

static void add_lanes(size_t n, const uint64_t offset[], const uint16_t pixel[],
                      const float value[], size_t stride, const double table[], double sum[])
{
    for (size_t i = 0; i < n; i++)
        for (uint64_t j = offset[i] - offset[0]; j < offset[i + 1] - offset[0]; j++)
            for (size_t lane = 0; lane < CODEBOOK_LANES; lane++)
                sum[i * CODEBOOK_LANES + lane] +=
                    (double)value[j] * table[pixel[j] * stride + lane];
}

static double sum_pairs(const struct smearing_factors *factors, size_t n, const uint64_t row[],
                        const uint64_t column[], const double value[])
{
    double sum[8] = {0.0};
    for (size_t q = 0; q < n; q++) {
        double others = 0.0;
        for (size_t p = q + 1; p < n && row[p] - row[q] <= factors->reach; p++)
            others += value[p] * (smearing_factor(factors, row[p], row[q]) *
                                  smearing_factor(factors, column[p], column[q]));
        sum[q % 8] += value[q] * others;
    }
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

static void weighted_sum(size_t n, const double factor[], size_t stride, const double in[],
                         size_t width, double out[])
{
    for (size_t w = 0; w < width; w++) {
        double sum = 0.0;
        for (size_t i = 0; i < n; i++)
            sum += factor[i] * in[i * stride + w];
        out[w] = sum;
    }
}

static void take_roots(size_t n, const float in[], float out[])
{
    for (size_t i = 0; i < n; i++)
        out[i] = sqrtf(in[i]);
}

const struct vector_path vector_path_plain = {
    .find_nearest = find_nearest,
    .add_lanes = add_lanes,
    .sum_pairs = sum_pairs,
    .weighted_sum = weighted_sum,
    .take_roots = take_roots,
};
