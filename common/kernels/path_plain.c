/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path_plain: the hot loops of codebook_internal.h for any machine. */
#include <math.h>
#include <string.h>

#include "common/kernels/codebook_internal.h"

static void score_block(const struct score_table *table, size_t first, size_t n,
                        const uint16_t pixel[], const float value[], float score[])
{
    memcpy(score, table->bias + first, CODEBOOK_BLOCK * sizeof *score);
    for (size_t i = 0; i < n; i++) {
        const float *weight = table->weight + pixel[i] * table->stride + first;
        for (size_t c = 0; c < CODEBOOK_BLOCK; c++)
            score[c] = fmaf(weight[c], value[i], score[c]);
    }
}

static struct nearest find_nearest(const struct score_table *table, size_t n,
                                   const uint16_t pixel[], const float value[])
{
    struct nearest found = {.best = INFINITY, .second = INFINITY};
    for (size_t first = 0; first < table->stride; first += CODEBOOK_BLOCK) {
        float score[CODEBOOK_BLOCK];
        score_block(table, first, n, pixel, value, score);
        for (size_t c = 0; c < CODEBOOK_BLOCK; c++) {
            if (score[c] < found.best)
                found = (struct nearest){score[c], found.best, first + c};
            else if (score[c] < found.second)
                found.second = score[c];
        }
    }
    return found;
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

const struct vector_path vector_path_plain = {
    .find_nearest = find_nearest,
    .weighted_sum = weighted_sum,
};
