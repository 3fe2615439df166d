/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train: mini-batch k-means in pre-image space. Centres are means of the sparse s, kept
 * pixel-major in double; distances come from a codebook that every step refreshes. */
#include "common/kernels/train.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/codebook_internal.h"
#include "common/kernels/random.h"

enum { PASSES_MAX = 100, NO_IMPROVEMENT_MAX = 10 };

struct jet {
    size_t n;
    const uint16_t *pixel;
    const float *value;
};

static struct jet jet_of(const struct sparse_images *images, uint64_t i)
{
    const uint64_t first = images->offset[i];
    return (struct jet){(size_t)(images->offset[i + 1] - first), images->pixel + first,
                        images->value + first};
}

void train_norms(const smearing *smear, const struct sparse_images *images, double norm2[])
{
    for (size_t i = 0; i < images->n; i++) {
        const struct jet jet = jet_of(images, i);
        norm2[i] = smearing_norm2(smear, jet.n, jet.pixel, jet.value);
    }
}

/* A centre that has too few jets. */
struct poor_centre {
    double weight;
    size_t cluster;
};

struct trainer {
    const smearing *smear;
    const struct sparse_images *images;
    const double *norm2;
    size_t k;
    size_t batch;
    size_t pixels;
    size_t columns; /* of mean: clusters, padded */
    struct random_state random;
    codebook *book;            /* of mean, once refreshed */
    double *mean;              /* [pixels][columns] the centres */
    double *scratch;           /* [pixels][columns] */
    double *weight;            /* [columns] jets a centre is the mean of */
    double *factor;            /* [columns] */
    uint64_t *found;           /* [columns] jets of the batch per centre */
    uint64_t *chosen;          /* [batch] images */
    uint16_t *label;           /* [batch] */
    struct poor_centre *poor;  /* [k] */
    size_t since_reassignment; /* jets */
};

static void trainer_fini(struct trainer *self)
{
    codebook_destroy(&self->book);
    free(self->mean);
    free(self->scratch);
    free(self->weight);
    free(self->factor);
    free(self->found);
    free(self->chosen);
    free(self->label);
    free(self->poor);
}

/* Like calloc, for doubles. */
static double *doubles(size_t n)
{
    return calloc(n, sizeof(double));
}

static status trainer_init(struct trainer *self, const struct train_settings *settings,
                           const smearing *smear, const struct sparse_images *images,
                           const double norm2[])
{
    *self = (struct trainer){
        .smear = smear,
        .images = images,
        .norm2 = norm2,
        .k = settings->clusters,
        .batch = settings->batch < images->n ? settings->batch : images->n,
        .pixels = smearing_pixels(smear),
        .columns = codebook_columns(settings->clusters),
    };
    random_init(&self->random, settings->seed, settings->member, 0);
    self->mean = doubles(self->pixels * self->columns);
    self->scratch = doubles(self->pixels * self->columns);
    self->weight = doubles(self->columns);
    self->factor = doubles(self->columns);
    self->found = calloc(self->columns, sizeof *self->found);
    self->chosen = calloc(self->batch, sizeof *self->chosen);
    self->label = calloc(self->batch, sizeof *self->label);
    self->poor = calloc(self->k, sizeof *self->poor);
    if (self->mean == NULL || self->scratch == NULL || self->weight == NULL ||
        self->factor == NULL || self->found == NULL || self->chosen == NULL ||
        self->label == NULL || self->poor == NULL)
        return STATUS_NO_MEMORY;
    return codebook_create_blank(&self->book, self->k, smear);
}

/* Makes the centre of a cluster the image. */
static void set_centre(struct trainer *self, size_t cluster, uint64_t image)
{
    const struct jet jet = jet_of(self->images, image);
    for (size_t p = 0; p < self->pixels; p++)
        self->mean[p * self->columns + cluster] = 0.0;
    for (size_t i = 0; i < jet.n; i++)
        self->mean[jet.pixel[i] * self->columns + cluster] = (double)jet.value[i];
}

/* ---- k-means++ (greedy): the candidates of one round side by side as lanes ---- */

struct seeding {
    size_t n;            /* of the sample */
    size_t trials;       /* candidates of a round */
    size_t lanes;        /* trials, padded */
    uint64_t *sample;    /* [n] images */
    uint64_t *candidate; /* [lanes] images; those beyond trials mean nothing */
    double *closest;     /* [n] squared distance to the nearest centre so far */
    double *summed;      /* [n] closest, summed up to and with this one */
    double *distance;    /* [n][lanes] closest, were the candidate a centre */
    double *potential;   /* [lanes] sum of distance */
    double *image;       /* [pixels][lanes] s of the candidates */
    double *smeared;     /* [pixels][lanes] G'G of them */
    double *scratch;     /* [pixels][lanes] */
};

static void seeding_fini(struct seeding *self)
{
    free(self->sample);
    free(self->candidate);
    free(self->closest);
    free(self->summed);
    free(self->distance);
    free(self->potential);
    free(self->image);
    free(self->smeared);
    free(self->scratch);
}

static size_t sample_size(const struct trainer *t)
{
    const size_t wanted = 3 * t->batch < t->k ? 3 * t->k : 3 * t->batch;
    return wanted < t->images->n ? wanted : t->images->n;
}

static status seeding_init(struct seeding *self, const struct trainer *t)
{
    const size_t trials = 2 + (size_t)log((double)t->k);
    *self = (struct seeding){
        .n = sample_size(t),
        .trials = trials,
        .lanes = codebook_columns(trials),
    };
    self->sample = calloc(self->n, sizeof *self->sample);
    self->candidate = calloc(self->lanes, sizeof *self->candidate);
    self->closest = doubles(self->n);
    self->summed = doubles(self->n);
    self->distance = doubles(self->n * self->lanes);
    self->potential = doubles(self->lanes);
    self->image = doubles(t->pixels * self->lanes);
    self->smeared = doubles(t->pixels * self->lanes);
    self->scratch = doubles(t->pixels * self->lanes);
    if (self->sample == NULL || self->candidate == NULL || self->closest == NULL ||
        self->summed == NULL || self->distance == NULL || self->potential == NULL ||
        self->image == NULL || self->smeared == NULL || self->scratch == NULL)
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

/* With replacement, unless it takes every image anyway. */
static void draw_sample(struct seeding *self, struct trainer *t)
{
    for (size_t i = 0; i < self->n; i++) {
        self->sample[i] = self->n < t->images->n ? random_below(&t->random, t->images->n) : i;
        self->closest[i] = INFINITY;
    }
}

/* An image of the sample, with a chance proportional to its squared distance. */
static uint64_t draw_candidate(const struct seeding *self, struct random_state *random)
{
    const double target = random_uniform(random) * self->summed[self->n - 1];
    size_t first = 0, last = self->n - 1;
    while (first < last) {
        const size_t middle = first + (last - first) / 2;
        if (self->summed[middle] < target)
            first = middle + 1;
        else
            last = middle;
    }
    return self->sample[first];
}

static void smear_candidates(struct seeding *self, const struct trainer *t)
{
    memset(self->image, 0, t->pixels * self->lanes * sizeof(double));
    for (size_t c = 0; c < self->lanes; c++) {
        const struct jet jet = jet_of(t->images, self->candidate[c]);
        for (size_t i = 0; i < jet.n; i++)
            self->image[jet.pixel[i] * self->lanes + c] = (double)jet.value[i];
    }
    smearing_twice(t->smear, self->lanes, self->image, self->smeared, self->scratch);
}

/* Fills distance and potential: |x - c|^2 = |x|^2 + |c|^2 - 2 s.(G'G s_c). */
static void measure_candidates(struct seeding *self, const struct trainer *t)
{
    smear_candidates(self, t);
    memset(self->potential, 0, self->lanes * sizeof(double));
    for (size_t i = 0; i < self->n; i++) {
        const struct jet jet = jet_of(t->images, self->sample[i]);
        const double norm2 = t->norm2[self->sample[i]];
        for (size_t first = 0; first < self->lanes; first += CODEBOOK_LANES) {
            double product[CODEBOOK_LANES] = {0.0};
            lanes_add(jet.n, jet.pixel, jet.value, self->lanes, self->smeared + first, product);
            for (size_t c = first; c < first + CODEBOOK_LANES; c++) {
                const double other = t->norm2[self->candidate[c]];
                const double exact = norm2 + other - 2.0 * product[c - first];
                const double distance = exact > 0.0 ? exact : 0.0; /* rounding of equal images */
                const double nearer = distance < self->closest[i] ? distance : self->closest[i];
                self->distance[i * self->lanes + c] = nearer;
                self->potential[c] += nearer;
            }
        }
    }
}

/* Makes the best of the first `trials` candidates the centre of a cluster. */
static void take_best(struct seeding *self, struct trainer *t, size_t trials, size_t cluster)
{
    size_t best = 0;
    for (size_t c = 1; c < trials; c++)
        if (self->potential[c] < self->potential[best])
            best = c;
    double sum = 0.0;
    for (size_t i = 0; i < self->n; i++) {
        self->closest[i] = self->distance[i * self->lanes + best];
        sum += self->closest[i];
        self->summed[i] = sum;
    }
    set_centre(t, cluster, self->candidate[best]);
}

static void seed_centres(struct seeding *self, struct trainer *t)
{
    draw_sample(self, t);
    self->candidate[0] = self->sample[random_below(&t->random, self->n)];
    measure_candidates(self, t);
    take_best(self, t, 1, 0);
    for (size_t cluster = 1; cluster < t->k; cluster++) {
        for (size_t c = 0; c < self->trials; c++)
            self->candidate[c] = draw_candidate(self, &t->random);
        measure_candidates(self, t);
        take_best(self, t, self->trials, cluster);
    }
    codebook_refresh(t->book, t->smear, t->mean, t->scratch);
}

/* ---- one step ---- */

/* Squared distance of an image to its nearest centre. */
static double distance_to_nearest(const struct trainer *self, uint64_t image, uint16_t *label)
{
    const struct sparse_images one = {1, self->images->offset + image, self->images->pixel,
                                      self->images->value};
    double score;
    codebook_label(self->book, &one, label, &score);
    return fmax(self->norm2[image] + score, 0.0);
}

/* Draws the batch and labels it; the sum of its squared distances. */
static double draw_batch(struct trainer *self)
{
    double inertia = 0.0;
    for (size_t i = 0; i < self->batch; i++)
        self->chosen[i] = random_below(&self->random, self->images->n);
    for (size_t i = 0; i < self->batch; i++)
        inertia += distance_to_nearest(self, self->chosen[i], &self->label[i]);
    return inertia;
}

static void scale_centres(struct trainer *self)
{
    for (size_t p = 0; p < self->pixels; p++)
        for (size_t c = 0; c < self->columns; c++)
            self->mean[p * self->columns + c] *= self->factor[c];
}

/* m = (m w + sum s) / (w + n) for every centre that n > 0 jets of the batch are nearest to. */
static void move_centres(struct trainer *self)
{
    memset(self->found, 0, self->columns * sizeof *self->found);
    for (size_t i = 0; i < self->batch; i++)
        self->found[self->label[i]]++;
    for (size_t c = 0; c < self->columns; c++)
        self->factor[c] = self->found[c] > 0 ? self->weight[c] : 1.0;
    scale_centres(self);
    for (size_t i = 0; i < self->batch; i++) {
        const struct jet jet = jet_of(self->images, self->chosen[i]);
        double *centre = self->mean + self->label[i];
        for (size_t j = 0; j < jet.n; j++)
            centre[jet.pixel[j] * self->columns] += (double)jet.value[j];
    }
    for (size_t c = 0; c < self->columns; c++) {
        self->weight[c] += (double)self->found[c];
        self->factor[c] = self->found[c] > 0 ? 1.0 / self->weight[c] : 1.0;
    }
    scale_centres(self);
}

/* Every 10 k jets, and at once while a centre has never had any. */
static bool is_reassignment_due(struct trainer *self)
{
    self->since_reassignment += self->batch;
    bool due = self->since_reassignment >= 10 * self->k;
    for (size_t c = 0; c < self->k; c++)
        due = due || self->weight[c] == 0.0;
    if (due)
        self->since_reassignment = 0;
    return due;
}

static int compare_poor(const void *a, const void *b)
{
    const struct poor_centre *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? -1 : 1;
    return x->cluster < y->cluster ? -1 : x->cluster > y->cluster;
}

/* Lists the centres with less than 0.01 of the largest weight, poorest first; how many. Equal
 * ones stay in order: scikit-learn leaves that to numpy's quicksort. */
static size_t list_poor(struct trainer *self)
{
    double largest = 0.0;
    for (size_t c = 0; c < self->k; c++)
        largest = fmax(largest, self->weight[c]);
    size_t n = 0;
    for (size_t c = 0; c < self->k; c++)
        if (self->weight[c] < 0.01 * largest)
            self->poor[n++] = (struct poor_centre){self->weight[c], c};
    qsort(self->poor, n, sizeof *self->poor, compare_poor);
    return n;
}

/* Poor centres, at most half a batch of them, start again at jets of the batch, drawn without
 * replacement, with the least weight of the others: not so small that they go at once again. */
static void reassign_centres(struct trainer *self)
{
    const size_t poor = list_poor(self);
    const size_t n = poor < self->batch / 2 ? poor : self->batch / 2;
    for (size_t i = 0; i < n; i++) {
        const size_t other = i + (size_t)random_below(&self->random, self->batch - i);
        const uint64_t drawn = self->chosen[other];
        self->chosen[other] = self->chosen[i];
        set_centre(self, self->poor[i].cluster, drawn);
        self->weight[self->poor[i].cluster] = INFINITY;
    }
    double least = INFINITY;
    for (size_t c = 0; c < self->k; c++)
        least = fmin(least, self->weight[c]);
    for (size_t i = 0; i < n; i++)
        self->weight[self->poor[i].cluster] = least;
}

/* The inertia of the batch with the centres as they were before the step. */
static double take_step(struct trainer *self)
{
    const bool reassign = is_reassignment_due(self);
    const double inertia = draw_batch(self);
    move_centres(self);
    if (reassign)
        reassign_centres(self);
    codebook_refresh(self->book, self->smear, self->mean, self->scratch);
    return inertia;
}

/* ---- all steps ---- */

/* Exponentially weighted average of the inertia per jet, and for how long it has not improved. */
struct progress {
    double smoothed;
    double least;
    unsigned without_improvement;
};

static bool has_converged(struct progress *self, double alpha, double inertia)
{
    const bool first = isinf(self->smoothed);
    self->smoothed = first ? inertia : self->smoothed * (1.0 - alpha) + inertia * alpha;
    if (self->smoothed < self->least) {
        self->least = self->smoothed;
        self->without_improvement = 0;
    } else {
        self->without_improvement++;
    }
    return self->without_improvement >= NO_IMPROVEMENT_MAX;
}

static uint64_t take_steps(struct trainer *self)
{
    const size_t jets = self->images->n;
    const uint64_t steps_max = (uint64_t)PASSES_MAX * jets / self->batch;
    const double alpha = fmin(2.0 * (double)self->batch / (double)(jets + 1), 1.0);
    struct progress progress = {.smoothed = INFINITY, .least = INFINITY};
    take_step(self); /* its inertia is that of the seeds and does not count */
    uint64_t steps = 1;
    bool converged = false;
    while (steps < steps_max && !converged) {
        const double inertia = take_step(self) / (double)self->batch;
        converged = has_converged(&progress, alpha, inertia);
        steps++;
    }
    return steps;
}

/* Writes the centres as they are kept; the inertia of all jets with those. */
static double finish(struct trainer *self, float centres[])
{
    for (size_t c = 0; c < self->k; c++)
        for (size_t p = 0; p < self->pixels; p++) {
            double *mean = self->mean + p * self->columns + c;
            centres[c * self->pixels + p] = (float)*mean;
            *mean = (double)centres[c * self->pixels + p];
        }
    codebook_refresh(self->book, self->smear, self->mean, self->scratch);
    double inertia = 0.0;
    for (size_t i = 0; i < self->images->n; i++) {
        uint16_t label;
        inertia += distance_to_nearest(self, i, &label);
    }
    return inertia;
}

status train_member(const struct train_settings *settings, const smearing *smear,
                    const struct sparse_images *images, const double norm2[], float centres[],
                    struct train_result *result)
{
    assert(settings->clusters > 0 && settings->clusters <= UINT16_MAX && settings->batch > 0);
    if (images->n < settings->clusters)
        return STATUS_BAD_SHAPE;
    struct seeding seeding = {0};
    struct trainer trainer;
    status done = trainer_init(&trainer, settings, smear, images, norm2);
    if (done == STATUS_OK)
        done = seeding_init(&seeding, &trainer);
    if (done == STATUS_OK) {
        seed_centres(&seeding, &trainer);
        result->steps = take_steps(&trainer);
        result->inertia = finish(&trainer, centres);
    }
    seeding_fini(&seeding);
    trainer_fini(&trainer);
    return done;
}
