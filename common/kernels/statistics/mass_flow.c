/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/mass_flow.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* One column of Walker's table of a bin (Vose, IEEE Trans. Softw. Eng. 17 (1991) 972): the column's
 * own bin below the threshold, another one above it. */
struct alias {
    uint32_t threshold; /* of 2^32 */
    uint32_t other;
};

struct mass_flow {
    uint32_t bins;
    double *probability;  /* [bins][bins] */
    struct alias *column; /* [bins][bins] */
};

/* Weighted moments of the bin numbers: the projection does not depend on their unit. */
struct trend {
    double sum;
    double mean;
    double squares;
};

static struct trend trend_of(uint32_t bins, const uint64_t events[])
{
    struct trend trend = {0};
    for (uint32_t b = 0; b < bins; b++) {
        trend.sum += (double)events[b];
        trend.mean += (double)events[b] * b;
    }
    trend.mean = trend.sum > 0 ? trend.mean / trend.sum : 0;
    for (uint32_t b = 0; b < bins; b++)
        trend.squares += (double)events[b] * (b - trend.mean) * (b - trend.mean);
    return trend;
}

static void project(uint32_t bins, const uint64_t events[], const struct trend *trend,
                    double flow[])
{
    for (uint32_t a = 0; a < bins; a++)
        for (uint32_t b = 0; b < bins; b++) {
            const double linear = (a - trend->mean) * (b - trend->mean) / trend->squares;
            const double part = 1 / trend->sum + linear;
            flow[a * bins + b] = part > 0 ? (double)events[a] * (double)events[b] * part : 0;
        }
}

/* Scales rows and columns alike until every row sums to its events. The diagonal is positive where
 * there are events, so that the iteration converges. */
static void balance(uint32_t bins, const uint64_t events[], double scale[], double flow[])
{
    enum { ROUNDS_MAX = 100000 };
    const double near = 1e-13;
    for (uint32_t b = 0; b < bins; b++)
        scale[b] = 1;
    double worst = INFINITY;
    for (int round = 0; worst > near && round < ROUNDS_MAX; round++) {
        worst = 0;
        for (uint32_t a = 0; a < bins; a++) {
            double row = 0;
            for (uint32_t b = 0; b < bins; b++)
                row += flow[a * bins + b] * scale[b];
            row *= scale[a];
            if (events[a] == 0)
                continue;
            worst = fmax(worst, fabs(row / (double)events[a] - 1));
            scale[a] *= sqrt((double)events[a] / row);
        }
    }
    for (uint32_t a = 0; a < bins; a++)
        for (uint32_t b = 0; b < bins; b++)
            flow[a * bins + b] *= scale[a] * scale[b];
}

/* Row a as probabilities that sum to 1. */
static void normalise(uint32_t bins, double row[])
{
    double sum = 0;
    for (uint32_t b = 0; b < bins; b++)
        sum += row[b];
    for (uint32_t b = 0; b < bins; b++)
        row[b] = sum > 0 ? row[b] / sum : 0;
}

/* Vose's construction: columns below the mean are filled up from those above it, in the order of
 * the bins. share[bins] and waiting[bins] are scratch. */
static void make_columns(uint32_t bins, const double probability[], double share[],
                         uint32_t waiting[], struct alias column[])
{
    uint32_t low = 0, high = bins; /* waiting[0, low) are below the mean, [high, bins) not */
    for (uint32_t b = 0; b < bins; b++) {
        share[b] = probability[b] * bins;
        waiting[share[b] < 1 ? low++ : --high] = b;
    }
    while (low > 0 && high < bins) {
        const uint32_t poor = waiting[--low], rich = waiting[high];
        column[poor] = (struct alias){(uint32_t)(share[poor] * 0x1p32), rich};
        share[rich] -= 1 - share[poor];
        if (share[rich] < 1) {
            high++;
            waiting[low++] = rich;
        }
    }
    for (; low > 0; low--)
        column[waiting[low - 1]] = (struct alias){UINT32_MAX, waiting[low - 1]};
    for (; high < bins; high++)
        column[waiting[high]] = (struct alias){UINT32_MAX, waiting[high]};
}

static status fill(mass_flow *self, const uint64_t events[], const struct trend *trend)
{
    const uint32_t bins = self->bins;
    double *scratch = malloc(bins * sizeof *scratch);
    uint32_t *waiting = malloc(bins * sizeof *waiting);
    if (scratch != NULL && waiting != NULL) {
        project(bins, events, trend, self->probability);
        balance(bins, events, scratch, self->probability);
        for (uint32_t a = 0; a < bins; a++) {
            double *row = self->probability + a * bins;
            normalise(bins, row);
            make_columns(bins, row, scratch, waiting, self->column + a * bins);
        }
    }
    const bool done = scratch != NULL && waiting != NULL;
    free(scratch);
    free(waiting);
    return done ? STATUS_OK : STATUS_NO_MEMORY;
}

status mass_flow_create(mass_flow **out, uint32_t bins, const uint64_t events[])
{
    assert(out != NULL && bins > 0 && bins <= MASS_FLOW_BINS_MAX);
    *out = NULL;
    const struct trend trend = trend_of(bins, events);
    if (!(trend.squares > 0))
        return STATUS_BAD_SHAPE;
    mass_flow *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->bins = bins;
    self->probability = malloc((size_t)bins * bins * sizeof *self->probability);
    self->column = malloc((size_t)bins * bins * sizeof *self->column);
    status done = STATUS_NO_MEMORY;
    if (self->probability != NULL && self->column != NULL)
        done = fill(self, events, &trend);
    if (done != STATUS_OK)
        mass_flow_destroy(&self);
    *out = self;
    return done;
}

void mass_flow_destroy(mass_flow **self)
{
    if (*self == NULL)
        return;
    free((*self)->probability);
    free((*self)->column);
    free(*self);
    *self = NULL;
}

double mass_flow_probability(const mass_flow *self, uint32_t from, uint32_t to)
{
    assert(from < self->bins && to < self->bins);
    return self->probability[from * self->bins + to];
}

/* The integer part of word x bins / 2^32 picks a column, the rest its lower or upper part. */
static uint8_t pick(const struct alias row[], uint32_t bins, uint32_t word)
{
    const uint64_t product = (uint64_t)word * bins;
    const uint32_t column = (uint32_t)(product >> 32);
    const uint32_t rest = (uint32_t)product;
    return (uint8_t)(rest < row[column].threshold ? column : row[column].other);
}

void mass_flow_move(const mass_flow *self, struct random_state *random, size_t n,
                    const uint8_t bin[], uint8_t moved[])
{
    const uint32_t bins = self->bins;
    for (size_t i = 0; i < n; i += 2) {
        const uint64_t word = random_u64(random);
        moved[i] = pick(self->column + bin[i] * bins, bins, (uint32_t)word);
        if (i + 1 < n)
            moved[i + 1] = pick(self->column + bin[i + 1] * bins, bins, (uint32_t)(word >> 32));
    }
}
