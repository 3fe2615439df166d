/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path_plain: the hot loops of vector_loops.h for any machine. */
#include <math.h>
#include <string.h>

#include "common/kernels/cpu/vector_loops.h"

static void score_block(const struct score_table *table, size_t first, size_t n,
                        const uint16_t pixel[], const float value[], float score[])
{
    memcpy(score, table->start + first, VECTOR_BLOCK * sizeof *score);
    for (size_t i = 0; i < n; i++) {
        const int32_t *word = table->word + (pixel[i] * table->stride + first) / 2;
        for (size_t w = 0; w < VECTOR_BLOCK / 2; w++) {
            float *lower = score + w / 16 * 32 + w % 16, *upper = lower + 16;
            *lower = fmaf(word_lower(word[w]), value[i], *lower);
            *upper = fmaf(word_upper(word[w]), value[i], *upper);
        }
    }
}

static struct nearest nearest_of(const struct score_table *table, size_t n, const uint16_t pixel[],
                                 const float value[])
{
    struct nearest found = {.best = INFINITY, .second = INFINITY};
    for (size_t i = 0; i < n; i++)
        found.sum += value[i];
    for (size_t first = 0; first < table->stride; first += VECTOR_BLOCK) {
        float score[VECTOR_BLOCK];
        score_block(table, first, n, pixel, value, score);
        for (size_t c = 0; c < VECTOR_BLOCK; c++) {
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

static void find_nearest_of_two(const struct score_table *table, const struct score_table *other,
                                size_t n, const uint64_t offset[], const uint16_t pixel[],
                                const float value[], struct nearest found[],
                                struct nearest found_other[])
{
    find_nearest(table, n, offset, pixel, value, found);
    find_nearest(other, n, offset, pixel, value, found_other);
}

static void add_lanes(size_t n, const uint64_t offset[], const uint16_t pixel[],
                      const float value[], size_t stride, const double table[], double sum[])
{
    for (size_t i = 0; i < n; i++)
        for (uint64_t j = offset[i] - offset[0]; j < offset[i + 1] - offset[0]; j++)
            for (size_t lane = 0; lane < VECTOR_LANES; lane++)
                sum[i * VECTOR_LANES + lane] += (double)value[j] * table[pixel[j] * stride + lane];
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

const struct vector_loops vector_loops_plain = {
    .find_nearest = find_nearest,
    .find_nearest_of_two = find_nearest_of_two,
    .add_lanes = add_lanes,
    .sum_pairs = sum_pairs,
    .weighted_sum = weighted_sum,
    .take_roots = take_roots,
};
