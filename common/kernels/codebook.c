/* SPDX-License-Identifier: GPL-3.0-or-later */
/* codebook: the tables of a set of centres, and labels from them. */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/codebook_internal.h"

struct codebook {
    size_t k;
    size_t pixels;
    size_t columns; /* of the tables in double */
    const struct vector_path *path;
    double *bias;             /* [columns] */
    double *weight;           /* [pixels][columns] */
    struct score_table table; /* the same rounded to float */
    double error_per_entry;   /* of a float score */
};

/* The usual power: vector instructions instead of calls of pow, and rounded the same way by every
 * machine. */
static void image_to_roots(size_t n, const float intensity[], float out[])
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += sqrt((double)intensity[i]);
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(sqrt((double)intensity[i]) / sum);
}

void image_to_power(size_t n, const float intensity[], double power, float out[])
{
    assert(n > 0);
    if (power == 0.5) {
        image_to_roots(n, intensity, out);
        return;
    }
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += pow((double)intensity[i], power);
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(pow((double)intensity[i], power) / sum);
}

static size_t round_up(size_t n, size_t step)
{
    return (n + step - 1) / step * step;
}

size_t codebook_columns(size_t k)
{
    return round_up(k, CODEBOOK_LANES);
}

status codebook_create_blank(codebook **out, size_t k, const smearing *smear)
{
    assert(k > 0 && k <= UINT16_MAX);
    *out = NULL;
    codebook *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->k = k;
    self->pixels = smearing_pixels(smear);
    self->columns = codebook_columns(k);
    self->path = smearing_path(smear);
    self->table.stride = round_up(k, CODEBOOK_BLOCK);
    const size_t entries = self->pixels * self->table.stride;
    self->bias = calloc(self->columns, sizeof(double));
    self->weight = calloc(self->pixels * self->columns, sizeof(double));
    self->table.bias = aligned_alloc(64, self->table.stride * sizeof(float));
    self->table.weight = aligned_alloc(64, entries * sizeof(float));
    if (self->bias == NULL || self->weight == NULL || self->table.bias == NULL ||
        self->table.weight == NULL) {
        codebook_destroy(&self);
        return STATUS_NO_MEMORY;
    }
    memset(self->table.weight, 0, entries * sizeof(float));
    for (size_t c = 0; c < self->table.stride; c++)
        self->table.bias[c] = INFINITY; /* a column without a cluster never wins */
    *out = self;
    return STATUS_OK;
}

void codebook_destroy(codebook **self)
{
    if (*self == NULL)
        return;
    free((*self)->bias);
    free((*self)->weight);
    free((*self)->table.bias);
    free((*self)->table.weight);
    free(*self);
    *self = NULL;
}

/* weight holds G'G m: makes it -2 G'G m and the bias m.(G'G m). */
static void finish_tables(codebook *self, const double mean[])
{
    const size_t columns = self->columns;
    memset(self->bias, 0, columns * sizeof(double));
    for (size_t p = 0; p < self->pixels; p++) {
        double *weight = self->weight + p * columns;
        for (size_t c = 0; c < columns; c++) {
            self->bias[c] += mean[p * columns + c] * weight[c];
            weight[c] *= -2.0;
        }
    }
}

/* Rounds the tables to float. A float score of n entries is then off by at most
 * (n + 1) u (1 + u)^(n + 1) (|bias| + sum |W s|), u = 2^-24: every entry was rounded once, then
 * every one of n fused multiply-adds. sum |W s| is at most the largest |W|, as the s sum to 1.
 * Twice that is assumed, which covers the second factor for any n that 16-bit pixels allow, an
 * s that sums to 1 in float only, and the roundings of the scores in double; FLT_MIN covers
 * underflow. Where a float may overflow nothing is proven. */
static void round_tables(codebook *self)
{
    double largest = 0.0, largest_bias = 0.0;
    for (size_t p = 0; p < self->pixels; p++) {
        const double *weight = self->weight + p * self->columns;
        float *rounded = self->table.weight + p * self->table.stride;
        for (size_t c = 0; c < self->k; c++) {
            const double size = fabs(weight[c]);
            largest = size > largest ? size : largest;
            rounded[c] = (float)weight[c];
        }
    }
    for (size_t c = 0; c < self->k; c++) {
        self->table.bias[c] = (float)self->bias[c];
        largest_bias = fmax(largest_bias, fabs(self->bias[c]));
    }
    const double reach = largest_bias + largest;
    self->error_per_entry = reach < 0x1p100 ? 0x1p-23 * reach + (double)FLT_MIN : INFINITY;
}

void codebook_refresh(codebook *self, const smearing *smear, const double mean[], double scratch[])
{
    smearing_twice(smear, self->columns, mean, self->weight, scratch);
    finish_tables(self, mean);
    round_tables(self);
}

status codebook_create(codebook **out, size_t k, const float centres[], const smearing *smear)
{
    const status made = codebook_create_blank(out, k, smear);
    if (made != STATUS_OK)
        return made;
    codebook *self = *out;
    const size_t size = self->pixels * self->columns;
    double *mean = calloc(2 * size, sizeof *mean);
    if (mean == NULL) {
        codebook_destroy(out);
        return STATUS_NO_MEMORY;
    }
    for (size_t c = 0; c < k; c++)
        for (size_t p = 0; p < self->pixels; p++)
            mean[p * self->columns + c] = (double)centres[c * self->pixels + p];
    codebook_refresh(self, smear, mean, mean + size);
    free(mean);
    return STATUS_OK;
}

void codebook_use_path(codebook *self, enum codebook_path path)
{
    self->path = vector_path_of(path);
}

const double *codebook_bias(const codebook *self)
{
    return self->bias;
}

void lanes_add(size_t n, const uint16_t pixel[], const float value[], size_t stride,
               const double table[], double sum[])
{
    /* Two lanes to a register of any x86-64 machine, four registers: the sums stay in them. */
    typedef double pair __attribute__((vector_size(16)));
    pair s[4];
    memcpy(s, sum, sizeof s);
    for (size_t i = 0; i < n; i++) {
        pair row[4];
        memcpy(row, table + pixel[i] * stride, sizeof row);
        const double v = (double)value[i];
        const pair both = {v, v};
        s[0] += row[0] * both;
        s[1] += row[1] * both;
        s[2] += row[2] * both;
        s[3] += row[3] * both;
    }
    memcpy(sum, s, sizeof s);
}

/* The score of cluster c in double; the same bits as a lane of nearest_in_double. */
static double score_of(const codebook *self, size_t c, size_t n, const uint16_t pixel[],
                       const float value[])
{
    double score = self->bias[c];
    for (size_t i = 0; i < n; i++)
        score += self->weight[pixel[i] * self->columns + c] * (double)value[i];
    return score;
}

static size_t nearest_in_double(const codebook *self, size_t n, const uint16_t pixel[],
                                const float value[])
{
    size_t nearest = 0;
    double best = INFINITY;
    for (size_t first = 0; first < self->columns; first += CODEBOOK_LANES) {
        double score[CODEBOOK_LANES];
        memcpy(score, self->bias + first, sizeof score);
        lanes_add(n, pixel, value, self->columns, self->weight + first, score);
        for (size_t c = 0; c < CODEBOOK_LANES && first + c < self->k; c++)
            if (score[c] < best) {
                best = score[c];
                nearest = first + c;
            }
    }
    return nearest;
}

/* Whether the float scores prove who is nearest (round_tables says how far off they may be). */
static bool is_proven(const codebook *self, const struct nearest *found, size_t n)
{
    const double gap = (double)found->second - (double)found->best;
    return gap > 2.0 * (double)(n + 1) * self->error_per_entry;
}

static size_t label_of(const codebook *self, size_t n, const uint16_t pixel[], const float value[])
{
    const struct nearest found = self->path->find_nearest(&self->table, n, pixel, value);
    return is_proven(self, &found, n) ? found.index : nearest_in_double(self, n, pixel, value);
}

void codebook_label(const codebook *self, const struct sparse_images *images, uint16_t label[],
                    double score[])
{
    for (size_t i = 0; i < images->n; i++) {
        const size_t n = (size_t)(images->offset[i + 1] - images->offset[i]);
        const uint16_t *pixel = images->pixel + images->offset[i];
        const float *value = images->value + images->offset[i];
        const size_t nearest = label_of(self, n, pixel, value);
        label[i] = (uint16_t)nearest;
        if (score != NULL)
            score[i] = score_of(self, nearest, n, pixel, value);
    }
}
