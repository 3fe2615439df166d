/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/image/smearing.h"

/* G is the same symmetric one-dimensional matrix g on both axes, so G'G is A = g g on both:
 * made once, banded, applied axis by axis. */
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Pixels are numbered in 16 bits. */
enum { SIDE_MAX = 256 };

/* A banded matrix: row i is zero outside first[i] .. last[i] - 1. */
struct band {
    double *value; /* [side][side] */
    uint32_t first[SIDE_MAX];
    uint32_t last[SIDE_MAX];
};

struct smearing {
    uint32_t side;
    const struct vector_loops *loops;
    uint8_t *row;                    /* [pixels] of every pixel, which saves a division */
    uint8_t *column;                 /* [pixels] */
    struct band once;                /* g */
    struct band twice;               /* A */
    struct smearing_factors factors; /* side 0: A is too wide for them */
};

/* The pixel that lies where i does, once the image is mirrored at its borders: d c b a | a b c d
 * | d c b a, and so on. */
static uint32_t mirrored(int64_t i, uint32_t side)
{
    const int64_t period = 2 * (int64_t)side;
    const int64_t offset = ((i % period) + period) % period;
    return (uint32_t)(offset < side ? offset : period - 1 - offset);
}

static double gaussian(int64_t x, double sigma)
{
    return exp(-0.5 * (double)(x * x) / (sigma * sigma));
}

static void fill_once(double g[], uint32_t side, double sigma)
{
    const int64_t radius = (int64_t)(4.0 * sigma + 0.5);
    double sum = 1.0; /* x = 0, for any sigma */
    for (int64_t x = 1; x <= radius; x++)
        sum += 2.0 * gaussian(x, sigma);
    for (uint32_t i = 0; i < side; i++) {
        g[i * side + i] += 1.0 / sum;
        for (int64_t x = 1; x <= radius; x++) {
            g[i * side + mirrored(i - x, side)] += gaussian(x, sigma) / sum;
            g[i * side + mirrored(i + x, side)] += gaussian(x, sigma) / sum;
        }
    }
}

static void fill_twice(double a[], const double g[], uint32_t side)
{
    for (uint32_t i = 0; i < side; i++)
        for (uint32_t j = i; j < side; j++) {
            double sum = 0.0;
            for (uint32_t m = 0; m < side; m++)
                sum += g[i * side + m] * g[m * side + j];
            a[i * side + j] = sum;
            a[j * side + i] = sum; /* symmetric to the last bit */
        }
}

static void find_band(struct band *self, uint32_t side)
{
    for (uint32_t i = 0; i < side; i++) {
        const double *row = self->value + i * side;
        uint32_t first = 0, last = side;
        while (first < i && row[first] == 0.0)
            first++;
        while (last > i + 1 && row[last - 1] == 0.0)
            last--;
        self->first[i] = first;
        self->last[i] = last;
    }
}

/* Away from the borders A is the Gaussian folded with itself; nothing is mirrored twice, as
 * reach < side. */
static void fill_factors(smearing *self, double sigma)
{
    const int64_t radius = (int64_t)(4.0 * sigma + 0.5);
    if (2 * radius > NEAR || 2 * radius >= self->side)
        return;
    double sum = 1.0;
    for (int64_t x = 1; x <= radius; x++)
        sum += 2.0 * gaussian(x, sigma);
    self->factors.side = self->side;
    self->factors.reach = (uint64_t)(2 * radius);
    for (int64_t d = 0; d <= 2 * radius; d++)
        for (int64_t x = d - radius; x <= radius; x++) {
            const double one = x == 0 ? 1.0 : gaussian(x, sigma);
            const double other = x == d ? 1.0 : gaussian(d - x, sigma);
            self->factors.falling[d] += one / sum * (other / sum);
        }
}

status smearing_create(smearing **out, uint32_t side, double sigma)
{
    assert(side > 0 && side <= SIDE_MAX && sigma >= 0.0 && sigma <= SIDE_MAX);
    *out = NULL;
    smearing *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->side = side;
    self->loops = vector_loops_of(instruction_set_best());
    const size_t pixels = smearing_pixels(self);
    self->row = malloc(pixels);
    self->column = malloc(pixels);
    self->once.value = calloc(pixels, sizeof(double));
    self->twice.value = calloc(pixels, sizeof(double));
    if (self->row == NULL || self->column == NULL || self->once.value == NULL ||
        self->twice.value == NULL) {
        smearing_destroy(&self);
        return STATUS_NO_MEMORY;
    }
    for (size_t p = 0; p < pixels; p++) {
        self->row[p] = (uint8_t)(p / side);
        self->column[p] = (uint8_t)(p % side);
    }
    fill_once(self->once.value, side, sigma);
    fill_twice(self->twice.value, self->once.value, side);
    find_band(&self->once, side);
    find_band(&self->twice, side);
    fill_factors(self, sigma);
    *out = self;
    return STATUS_OK;
}

void smearing_destroy(smearing **self)
{
    if (*self == NULL)
        return;
    free((*self)->row);
    free((*self)->column);
    free((*self)->once.value);
    free((*self)->twice.value);
    free(*self);
    *self = NULL;
}

void smearing_use(smearing *self, enum instruction_set set)
{
    self->loops = vector_loops_of(set);
}

const struct vector_loops *smearing_loops(const smearing *self)
{
    return self->loops;
}

size_t smearing_pixels(const smearing *self)
{
    return (size_t)self->side * self->side;
}

/* sum_pq s_p s_q A[row_p][row_q] A[col_p][col_q]: every pair once, then twice its weight. */
static double norm2_anywhere(const smearing *self, size_t n, const uint16_t pixel[],
                             const float value[])
{
    const uint8_t *row = self->row, *column = self->column;
    double diagonal = 0.0, pairs = 0.0;
    for (size_t p = 0; p < n; p++) {
        const double *by_row = self->twice.value + row[pixel[p]] * self->side;
        const double *by_column = self->twice.value + column[pixel[p]] * self->side;
        double others = 0.0;
        for (size_t q = 0; q < p; q++)
            others += by_row[row[pixel[q]]] * by_column[column[pixel[q]]] * (double)value[q];
        const double own = by_row[row[pixel[p]]] * by_column[column[pixel[p]]];
        pairs += (double)value[p] * others;
        diagonal += (double)value[p] * (double)value[p] * own;
    }
    return 2.0 * pairs + diagonal;
}

static double norm2_of(const smearing *self, size_t n, const uint64_t row[],
                       const uint64_t column[], const double value[])
{
    const double *a = self->twice.value;
    const size_t next = self->side + 1; /* index step along the diagonal */
    double diagonal = 0.0;
    for (size_t p = 0; p < n; p++)
        diagonal += value[p] * value[p] * (a[row[p] * next] * a[column[p] * next]);
    return 2.0 * self->loops->sum_pairs(&self->factors, n, row, column, value) + diagonal;
}

double smearing_norm2(const smearing *self, size_t n, const uint16_t pixel[], const float value[])
{
    enum { SOME = 256, READ_BEYOND = 7 };
    uint64_t row[SOME + READ_BEYOND], column[SOME + READ_BEYOND];
    double wide[SOME + READ_BEYOND];
    if (n == 0 || n > SOME || self->factors.side == 0)
        return norm2_anywhere(self, n, pixel, value);
    for (size_t p = 0; p < n; p++) {
        row[p] = self->row[pixel[p]];
        column[p] = self->column[pixel[p]];
        wide[p] = (double)value[p];
    }
    for (size_t p = n; p < n + READ_BEYOND; p++) {
        row[p] = row[n - 1];
        column[p] = column[n - 1];
        wide[p] = 0.0;
    }
    return norm2_of(self, n, row, column, wide);
}

/* out[i][w] = sum_j band[i][j] in[j][w] for w < width. Columns go in strips that stay in the
 * nearest cache while all rows use them. */
static void multiply(const struct vector_loops *loops, const struct band *band, uint32_t side,
                     size_t width, const double in[], double out[])
{
    const size_t strip = 64;
    for (size_t w = 0; w < width; w += strip) {
        const size_t some = width - w < strip ? width - w : strip;
        for (uint32_t i = 0; i < side; i++) {
            const uint32_t first = band->first[i];
            loops->weighted_sum(band->last[i] - first, band->value + i * side + first, width,
                                in + first * width + w, some, out + i * width + w);
        }
    }
}

void smearing_twice(const smearing *self, size_t lanes, const double in[], double out[],
                    double scratch[])
{
    const size_t row = self->side * lanes;
    multiply(self->loops, &self->twice, self->side, row, in, scratch);
    for (uint32_t i = 0; i < self->side; i++)
        multiply(self->loops, &self->twice, self->side, lanes, scratch + i * row, out + i * row);
}

void smearing_once(const smearing *self, const double in[], double out[])
{
    const uint32_t side = self->side;
    const double *g = self->once.value;
    double row[SIDE_MAX];
    for (uint32_t i = 0; i < side; i++) {
        const uint32_t first = self->once.first[i];
        self->loops->weighted_sum(self->once.last[i] - first, g + i * side + first, side,
                                  in + first * side, side, row);
        for (uint32_t j = 0; j < side; j++) {
            double sum = 0.0;
            for (uint32_t m = self->once.first[j]; m < self->once.last[j]; m++)
                sum += g[j * side + m] * row[m];
            out[i * side + j] = sum;
        }
    }
}
