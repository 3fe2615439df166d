/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/clustering/seeding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/clustering/model_internal.h"
#include "common/kernels/clustering/training_sample.h"

/* The candidates of one round stand side by side as lanes. */
struct seeding {
    struct training_sample sample;
    size_t trials;       /* candidates of a round */
    size_t lanes;        /* trials, padded */
    uint64_t *candidate; /* [lanes] images; those beyond trials mean nothing */
    double *closest;     /* [n] squared distance to the nearest centre so far */
    double *summed;      /* [n] closest, summed up to and with this one */
    double *product;     /* [n][VECTOR_LANES] of the sample with some candidates */
    double *distance;    /* [n][lanes] closest, were the candidate a centre */
    double *potential;   /* [lanes] sum of distance */
    double *image;       /* [pixels][lanes] s of the candidates */
    double *smeared;     /* [pixels][lanes] G'G of them */
    double *scratch;     /* [pixels][lanes] */
};

/* Like calloc, for doubles. */
static double *doubles(size_t n)
{
    return calloc(n, sizeof(double));
}

static void seeding_fini(struct seeding *self)
{
    training_sample_fini(&self->sample);
    free(self->candidate);
    free(self->closest);
    free(self->summed);
    free(self->product);
    free(self->distance);
    free(self->potential);
    free(self->image);
    free(self->smeared);
    free(self->scratch);
}

static status seeding_init(struct seeding *self, const struct seeding_task *t)
{
    const size_t n = t->sample, trials = 2 + (size_t)log((double)t->clusters);
    *self = (struct seeding){.trials = trials, .lanes = model_columns(trials)};
    self->candidate = calloc(self->lanes, sizeof *self->candidate);
    self->closest = doubles(n);
    self->summed = doubles(n);
    self->product = doubles(n * VECTOR_LANES);
    self->distance = doubles(n * self->lanes);
    self->potential = doubles(self->lanes);
    self->image = doubles(t->pixels * self->lanes);
    self->smeared = doubles(t->pixels * self->lanes);
    self->scratch = doubles(t->pixels * self->lanes);
    if (self->candidate == NULL || self->closest == NULL || self->summed == NULL ||
        self->product == NULL || self->distance == NULL || self->potential == NULL ||
        self->image == NULL || self->smeared == NULL || self->scratch == NULL)
        return STATUS_NO_MEMORY;
    return training_sample_init(&self->sample, n, t->longest);
}

/* With replacement, unless it takes every image anyway. */
static void draw_sample(struct seeding *self, const struct seeding_task *t,
                        struct random_state *random)
{
    struct training_sample *sample = &self->sample;
    for (size_t i = 0; i < sample->n; i++) {
        sample->image[i] = sample->n < t->images->n ? random_below(random, t->images->n) : i;
        self->closest[i] = INFINITY;
    }
    training_sample_fill(sample, t->images);
}

/* An image of the sample, with a chance proportional to its squared distance. */
static uint64_t draw_candidate(const struct seeding *self, struct random_state *random)
{
    const double target = random_uniform(random) * self->summed[self->sample.n - 1];
    size_t first = 0, last = self->sample.n - 1;
    while (first < last) {
        const size_t middle = first + (last - first) / 2;
        if (self->summed[middle] < target)
            first = middle + 1;
        else
            last = middle;
    }
    return self->sample.image[first];
}

static void smear_candidates(struct seeding *self, const struct seeding_task *t)
{
    memset(self->image, 0, t->pixels * self->lanes * sizeof(double));
    for (size_t c = 0; c < self->lanes; c++) {
        const struct sparse_image jet = sparse_image_of(t->images, self->candidate[c]);
        for (size_t i = 0; i < jet.n; i++)
            self->image[jet.pixel[i] * self->lanes + c] = (double)jet.value[i];
    }
    smearing_twice(t->smear, self->lanes, self->image, self->smeared, self->scratch);
}

/* Fills distance and potential of the VECTOR_LANES candidates from `first` on:
 * |x - c|^2 = |x|^2 + |c|^2 - 2 s.(G'G s_c). */
static void measure_some(struct seeding *self, const struct seeding_task *t, size_t first)
{
    const struct training_sample *sample = &self->sample;
    double *potential = self->potential + first, other[VECTOR_LANES];
    for (size_t c = 0; c < VECTOR_LANES; c++)
        other[c] = t->norm2[self->candidate[first + c]];
    memset(potential, 0, sizeof other);
    memset(self->product, 0, sample->n * sizeof other);
    smearing_loops(t->smear)->add_lanes(sample->n, sample->offset, sample->pixel, sample->value,
                                        self->lanes, self->smeared + first, self->product);
    for (size_t i = 0; i < sample->n; i++) {
        const double *product = self->product + i * VECTOR_LANES;
        const double norm2 = t->norm2[sample->image[i]], closest = self->closest[i];
        double *distance = self->distance + i * self->lanes + first;
        for (size_t c = 0; c < VECTOR_LANES; c++) {
            const double exact = norm2 + other[c] - 2.0 * product[c];
            const double positive = exact > 0.0 ? exact : 0.0; /* rounding of equal images */
            distance[c] = positive < closest ? positive : closest;
            potential[c] += distance[c];
        }
    }
}

static void measure_candidates(struct seeding *self, const struct seeding_task *t)
{
    smear_candidates(self, t);
    for (size_t first = 0; first < self->lanes; first += VECTOR_LANES)
        measure_some(self, t, first);
}

/* Makes the best of the first `trials` candidates the centre [pixels]. */
static void take_best(struct seeding *self, const struct seeding_task *t, size_t trials,
                      float centre[])
{
    size_t best = 0;
    for (size_t c = 1; c < trials; c++)
        if (self->potential[c] < self->potential[best])
            best = c;
    double sum = 0.0;
    for (size_t i = 0; i < self->sample.n; i++) {
        self->closest[i] = self->distance[i * self->lanes + best];
        sum += self->closest[i];
        self->summed[i] = sum;
    }
    sparse_image_spread(t->images, self->candidate[best], t->pixels, centre);
}

static void seed_centres(struct seeding *self, const struct seeding_task *t,
                         struct random_state *random, float centres[])
{
    draw_sample(self, t, random);
    self->candidate[0] = self->sample.image[random_below(random, self->sample.n)];
    measure_candidates(self, t);
    take_best(self, t, 1, centres);
    for (size_t cluster = 1; cluster < t->clusters; cluster++) {
        for (size_t c = 0; c < self->trials; c++)
            self->candidate[c] = draw_candidate(self, random);
        measure_candidates(self, t);
        take_best(self, t, self->trials, centres + cluster * t->pixels);
    }
}

status seeding_draw(const struct seeding_task *task, struct random_state *random, float centres[])
{
    struct seeding self;
    const status done = seeding_init(&self, task);
    if (done == STATUS_OK)
        seed_centres(&self, task, random, centres);
    seeding_fini(&self);
    return done;
}
