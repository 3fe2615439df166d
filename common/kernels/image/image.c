/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image: centres, turns and flips a jet's constituents and bins them, touching only the pixels
 * above zero. */
#include "common/kernels/image/image.h"

#include <assert.h>
#include <gsl/gsl_math.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ranked {
    double energy;
    uint32_t index;
};

struct image_maker {
    uint32_t side;
    double half_width;
    double edge[IMAGE_SIDE_MAX + 1];
    /* The constituents of the current jet, by energy. */
    struct ranked ranked[IMAGE_CONSTITUENTS_MAX + 1];
    double weight[IMAGE_CONSTITUENTS_MAX];
    double p[IMAGE_CONSTITUENTS_MAX]; /* along phi */
    double e[IMAGE_CONSTITUENTS_MAX]; /* along eta */
    /* One bit and one sum per pixel, all zero between calls: only lit pixels are cleared. */
    uint64_t lit[(IMAGE_SIDE_MAX * IMAGE_SIDE_MAX + 63) / 64];
    double sum[IMAGE_SIDE_MAX * IMAGE_SIDE_MAX];
};

status image_maker_create(image_maker **out, uint32_t side, double half_width)
{
    assert(out != NULL && side >= 1 && side <= IMAGE_SIDE_MAX && half_width > 0);
    *out = NULL;
    image_maker *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->side = side;
    self->half_width = half_width;
    /* Edges are rounded as by numpy.linspace: a constituent on an edge must fall the same way. */
    const double step = 2 * half_width / side;
    for (uint32_t i = 0; i < side; i++)
        self->edge[i] = i * step - half_width;
    self->edge[side] = half_width;
    *out = self;
    return STATUS_OK;
}

void image_maker_destroy(image_maker **self)
{
    if (self == NULL)
        return;
    free(*self);
    *self = NULL;
}

/* Index at which an energy is inserted into a descending list of n: behind equal ones. */
static size_t rank_of(size_t n, const struct ranked ranked[], double energy)
{
    size_t first = 0;
    while (n > 0) {
        const size_t half = n / 2;
        const int behind = ranked[first + half].energy >= energy;
        first = behind ? first + half + 1 : first;
        n = behind ? n - half - 1 : half;
    }
    return first;
}

/* Puts the hardest constituents into ranked[], falling energy, equal ones in the order given;
 * returns how many. Insertion into a bounded list: jets have about 60. */
static size_t rank_by_energy(image_maker *self, size_t n, const uint32_t chosen[], const float pt[],
                             const float eta[])
{
    struct ranked *ranked = self->ranked;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t index = chosen[i];
        const double energy = (double)pt[index] * cosh((double)eta[index]);
        const size_t rank = rank_of(kept, ranked, energy);
        if (rank == IMAGE_CONSTITUENTS_MAX)
            continue;
        /* The list has room for one more than is kept; the last one is then dropped. */
        memmove(ranked + rank + 1, ranked + rank, (kept - rank) * sizeof *ranked);
        ranked[rank] = (struct ranked){energy, index};
        if (kept < IMAGE_CONSTITUENTS_MAX)
            kept++;
    }
    return kept;
}

/* Weights and positions relative to the hardest constituent, phi wrapped to [-pi, pi). */
static void load(image_maker *self, size_t n, const float pt[], const float eta[],
                 const float phi[])
{
    const uint32_t hardest = self->ranked[0].index;
    for (size_t i = 0; i < n; i++) {
        const uint32_t index = self->ranked[i].index;
        const double turn = (double)phi[index] - (double)phi[hardest];
        self->weight[i] = (double)pt[index];
        self->p[i] = turn - 2 * M_PI * floor((turn + M_PI) / (2 * M_PI));
        self->e[i] = (double)eta[index] - (double)eta[hardest];
    }
}

static void shift_to_centroid(image_maker *self, size_t n)
{
    double sum = 0;
    double sum_p = 0;
    double sum_e = 0;
    for (size_t i = 0; i < n; i++) {
        sum += self->weight[i];
        sum_p += self->weight[i] * self->p[i];
        sum_e += self->weight[i] * self->e[i];
    }
    const double mean_p = sum_p / sum;
    const double mean_e = sum_e / sum;
    for (size_t i = 0; i < n; i++) {
        self->p[i] -= mean_p;
        self->e[i] -= mean_e;
    }
}

static void rotate_principal_axis(image_maker *self, size_t n)
{
    double pp = 0;
    double ee = 0;
    double pe = 0;
    for (size_t i = 0; i < n; i++) {
        const double w = self->weight[i];
        pp += w * self->p[i] * self->p[i];
        ee += w * self->e[i] * self->e[i];
        pe += w * self->p[i] * self->e[i];
    }
    const double angle = 0.5 * atan2(2 * pe, pp - ee);
    const double c = cos(angle);
    const double s = sin(angle);
    for (size_t i = 0; i < n; i++) {
        const double p = self->p[i];
        const double e = self->e[i];
        self->p[i] = c * p + s * e;
        self->e[i] = c * e - s * p;
    }
}

/* A constituent on an axis counts to its positive side. */
static void flip_hardest_quadrant(image_maker *self, size_t n)
{
    double quadrant[4] = {0};
    for (size_t i = 0; i < n; i++)
        quadrant[2 * (self->p[i] < 0) + (self->e[i] < 0)] += self->weight[i];
    int best = 0;
    for (int q = 1; q < 4; q++)
        if (quadrant[q] > quadrant[best])
            best = q;
    const double flip_p = best & 2 ? -1 : 1;
    const double flip_e = best & 1 ? -1 : 1;
    for (size_t i = 0; i < n; i++) {
        self->p[i] *= flip_p;
        self->e[i] *= flip_e;
    }
}

/* The bin of a position, numpy.histogram's way: half-open, the last edge closed; -1 outside. */
static int find_bin(const image_maker *self, double x)
{
    const int side = (int)self->side;
    if (!(x >= self->edge[0] && x <= self->edge[side]))
        return -1;
    int i = (int)((x + self->half_width) * side / (2 * self->half_width));
    if (i >= side)
        i = side - 1;
    /* The quotient may be off by one next to an edge; the edges decide. */
    while (x < self->edge[i])
        i--;
    while (i < side - 1 && x >= self->edge[i + 1])
        i++;
    return i;
}

/* Adds the weights to sum[], marks lit[], and returns the sum of what fell inside. */
static double fill(image_maker *self, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        const int p = find_bin(self, self->p[i]);
        const int e = find_bin(self, self->e[i]);
        if (p < 0 || e < 0)
            continue;
        const size_t pixel = (size_t)p * self->side + (size_t)e;
        self->lit[pixel / 64] |= UINT64_C(1) << pixel % 64;
        self->sum[pixel] += self->weight[i];
        total += self->weight[i];
    }
    return total;
}

/* Reads the lit pixels out in ascending order and leaves lit[] and sum[] all zero. */
static size_t read_out(image_maker *self, double total, uint16_t pixel[], float intensity[])
{
    const size_t words = (self->side * self->side + 63) / 64;
    size_t n = 0;
    for (size_t word = 0; word < words; word++) {
        for (uint64_t bits = self->lit[word]; bits != 0; bits &= bits - 1) {
            const size_t at = 64 * word + (size_t)__builtin_ctzll(bits);
            pixel[n] = (uint16_t)at;
            intensity[n] = (float)(self->sum[at] / total);
            self->sum[at] = 0;
            n++;
        }
        self->lit[word] = 0;
    }
    return n;
}

size_t image_make(image_maker *self, size_t n, const uint32_t chosen[], const float pt[],
                  const float eta[], const float phi[], uint16_t pixel[], float intensity[])
{
    const size_t kept = rank_by_energy(self, n, chosen, pt, eta);
    if (kept == 0)
        return 0;
    load(self, kept, pt, eta, phi);
    shift_to_centroid(self, kept);
    shift_to_centroid(self, kept);
    rotate_principal_axis(self, kept);
    flip_hardest_quadrant(self, kept);
    const double total = fill(self, kept);
    return read_out(self, total, pixel, intensity);
}
