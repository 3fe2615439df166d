/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kmeans: mini-batch k-means in pre-image space. Centres are means of the sparse s; distances come
 * from a model that every step refreshes. */
#include "common/kernels/clustering/kmeans.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "common/kernels/clustering/model_internal.h"

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

void kmeans_norms(const smearing *smear, const struct sparse_images *images, double norm2[])
{
    for (size_t i = 0; i < images->n; i++) {
        const struct jet jet = jet_of(images, i);
        norm2[i] = smearing_norm2(smear, jet.n, jet.pixel, jet.value);
    }
}

/* Copies of images drawn, one behind the other: to go through them again is then cheap. */
struct selection {
    size_t n;
    uint64_t *image;  /* [n] indices of the drawn images */
    uint64_t *offset; /* [n + 1] */
    uint16_t *pixel;  /* room for n images of any length */
    float *value;
};

static void selection_fini(struct selection *self)
{
    free(self->image);
    free(self->offset);
    free(self->pixel);
    free(self->value);
}

static status selection_init(struct selection *self, size_t n, size_t longest)
{
    *self = (struct selection){.n = n};
    self->image = calloc(n, sizeof *self->image);
    self->offset = calloc(n + 1, sizeof *self->offset);
    self->pixel = malloc((n * longest + 1) * sizeof *self->pixel);
    self->value = malloc((n * longest + 1) * sizeof *self->value);
    return self->image != NULL && self->offset != NULL && self->pixel != NULL && self->value != NULL
               ? STATUS_OK
               : STATUS_NO_MEMORY;
}

/* Prefetches the pixels of an image that is copied soon: drawn images are scattered over memory. */
static void fetch(const struct sparse_images *images, uint64_t image)
{
    enum { LINE = 64 };
    const uint64_t first = images->offset[image], end = images->offset[image + 1];
    for (uint64_t i = first; i < end; i += LINE / sizeof *images->value)
        __builtin_prefetch(images->value + i);
    for (uint64_t i = first; i < end; i += LINE / sizeof *images->pixel)
        __builtin_prefetch(images->pixel + i);
}

/* Copies the images that are named. */
static void selection_fill(struct selection *self, const struct sparse_images *images)
{
    enum { AHEAD = 12 };
    for (size_t i = 0; i < self->n; i++) {
        if (i + 2 * AHEAD < self->n)
            __builtin_prefetch(images->offset + self->image[i + 2 * AHEAD]);
        if (i + AHEAD < self->n)
            fetch(images, self->image[i + AHEAD]);
        const struct jet jet = jet_of(images, self->image[i]);
        memcpy(self->pixel + self->offset[i], jet.pixel, jet.n * sizeof *jet.pixel);
        memcpy(self->value + self->offset[i], jet.value, jet.n * sizeof *jet.value);
        self->offset[i + 1] = self->offset[i] + jet.n;
    }
}

static struct sparse_images selection_view(const struct selection *self)
{
    return (struct sparse_images){self->n, self->offset, self->pixel, self->value};
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
    size_t pixels;
    size_t longest; /* pixels of an image */
    struct random_state random;
    model *model;              /* of the centres, once refreshed */
    float *centres;            /* [k][pixels] */
    double *sum;               /* [k][pixels] of the jets a centre is the mean of */
    double *weight;            /* [k] how many they are */
    double *scratch;           /* as model_refresh wants it */
    struct selection batch;    /* of a step */
    uint16_t *label;           /* [batch] */
    float *near;               /* [batch] */
    double *score;             /* [batch] */
    uint64_t *begin;           /* [k + 1] in order, of the jets of a cluster */
    uint64_t *order;           /* [batch] by cluster */
    struct poor_centre *poor;  /* [k] */
    size_t since_reassignment; /* jets */
};

static void trainer_fini(struct trainer *self)
{
    model_destroy(&self->model);
    selection_fini(&self->batch);
    free(self->centres);
    free(self->sum);
    free(self->weight);
    free(self->scratch);
    free(self->label);
    free(self->near);
    free(self->score);
    free(self->begin);
    free(self->order);
    free(self->poor);
}

/* Like calloc, for doubles. */
static double *doubles(size_t n)
{
    return calloc(n, sizeof(double));
}

static size_t longest_of(const struct sparse_images *images)
{
    size_t longest = 0;
    for (size_t i = 0; i < images->n; i++) {
        const size_t n = jet_of(images, i).n;
        longest = n > longest ? n : longest;
    }
    return longest;
}

static status trainer_init(struct trainer *self, const struct kmeans_settings *settings,
                           const smearing *smear, const struct sparse_images *images,
                           const double norm2[])
{
    const size_t k = settings->clusters, pixels = smearing_pixels(smear);
    const size_t batch = settings->batch < images->n ? settings->batch : images->n;
    *self = (struct trainer){
        .smear = smear,
        .images = images,
        .norm2 = norm2,
        .k = k,
        .pixels = pixels,
        .longest = longest_of(images),
    };
    random_init(&self->random, settings->seed, settings->member, 0);
    self->centres = calloc(k * pixels, sizeof *self->centres);
    self->sum = doubles(k * pixels);
    self->weight = doubles(k);
    self->scratch = aligned_alloc(64, 2 * pixels * model_columns(k) * sizeof(double));
    self->label = calloc(batch, sizeof *self->label);
    self->near = calloc(batch, sizeof *self->near);
    self->score = doubles(batch);
    self->begin = calloc(k + 1, sizeof *self->begin);
    self->order = calloc(batch, sizeof *self->order);
    self->poor = calloc(k, sizeof *self->poor);
    if (self->centres == NULL || self->sum == NULL || self->weight == NULL ||
        self->scratch == NULL || self->label == NULL || self->near == NULL || self->score == NULL ||
        self->begin == NULL || self->order == NULL || self->poor == NULL)
        return STATUS_NO_MEMORY;
    const status made = selection_init(&self->batch, batch, self->longest);
    return made == STATUS_OK ? model_create_blank(&self->model, k, smear) : made;
}

/* Makes the centre of a cluster the image. */
static void set_centre(struct trainer *self, size_t cluster, uint64_t image)
{
    const struct jet jet = jet_of(self->images, image);
    float *centre = self->centres + cluster * self->pixels;
    memset(centre, 0, self->pixels * sizeof *centre);
    for (size_t i = 0; i < jet.n; i++)
        centre[jet.pixel[i]] = jet.value[i];
}

static void refresh(struct trainer *self)
{
    model_refresh(self->model, self->centres, self->scratch);
}

/* ---- k-means++ (greedy): the candidates of one round side by side as lanes ---- */

struct seeding {
    struct selection sample;
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

static void seeding_fini(struct seeding *self)
{
    selection_fini(&self->sample);
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

static size_t sample_size(const struct trainer *t)
{
    const size_t batch = t->batch.n;
    const size_t wanted = 3 * batch < t->k ? 3 * t->k : 3 * batch;
    return wanted < t->images->n ? wanted : t->images->n;
}

static status seeding_init(struct seeding *self, const struct trainer *t)
{
    const size_t n = sample_size(t), trials = 2 + (size_t)log((double)t->k);
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
    return selection_init(&self->sample, n, t->longest);
}

/* With replacement, unless it takes every image anyway. */
static void draw_sample(struct seeding *self, struct trainer *t)
{
    struct selection *sample = &self->sample;
    for (size_t i = 0; i < sample->n; i++) {
        sample->image[i] = sample->n < t->images->n ? random_below(&t->random, t->images->n) : i;
        self->closest[i] = INFINITY;
    }
    selection_fill(sample, t->images);
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

/* Fills distance and potential of the VECTOR_LANES candidates from `first` on:
 * |x - c|^2 = |x|^2 + |c|^2 - 2 s.(G'G s_c). */
static void measure_some(struct seeding *self, const struct trainer *t, size_t first)
{
    const struct selection *sample = &self->sample;
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

static void measure_candidates(struct seeding *self, const struct trainer *t)
{
    smear_candidates(self, t);
    for (size_t first = 0; first < self->lanes; first += VECTOR_LANES)
        measure_some(self, t, first);
}

/* Makes the best of the first `trials` candidates the centre of a cluster. */
static void take_best(struct seeding *self, struct trainer *t, size_t trials, size_t cluster)
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
    set_centre(t, cluster, self->candidate[best]);
}

static void seed_centres(struct seeding *self, struct trainer *t)
{
    draw_sample(self, t);
    self->candidate[0] = self->sample.image[random_below(&t->random, self->sample.n)];
    measure_candidates(self, t);
    take_best(self, t, 1, 0);
    for (size_t cluster = 1; cluster < t->k; cluster++) {
        for (size_t c = 0; c < self->trials; c++)
            self->candidate[c] = draw_candidate(self, &t->random);
        measure_candidates(self, t);
        take_best(self, t, self->trials, cluster);
    }
    refresh(t);
}

/* ---- one step ---- */

/* Draws the batch and labels it; the sum of its squared distances, each good to about a float's
 * rounding of the norms. */
static double draw_batch(struct trainer *self)
{
    struct selection *batch = &self->batch;
    double inertia = 0.0;
    for (size_t i = 0; i < batch->n; i++)
        batch->image[i] = random_below(&self->random, self->images->n);
    selection_fill(batch, self->images);
    const struct sparse_images images = selection_view(batch);
    model_label_near(self->model, &images, self->label, self->near);
    for (size_t i = 0; i < batch->n; i++)
        inertia += fmax(self->norm2[batch->image[i]] + (double)self->near[i], 0.0);
    return inertia;
}

/* Lists the jets of the batch by cluster. */
static void sort_batch(struct trainer *self)
{
    memset(self->begin, 0, (self->k + 1) * sizeof *self->begin);
    for (size_t i = 0; i < self->batch.n; i++)
        self->begin[self->label[i] + 1]++;
    for (size_t c = 0; c < self->k; c++)
        self->begin[c + 1] += self->begin[c];
    for (size_t i = 0; i < self->batch.n; i++)
        self->order[self->begin[self->label[i]]++] = i;
    for (size_t c = self->k; c > 0; c--)
        self->begin[c] = self->begin[c - 1];
    self->begin[0] = 0;
}

/* The mean of all jets a centre ever had, if the batch has some for it. */
static void move_centre(struct trainer *self, size_t cluster)
{
    const uint64_t begin = self->begin[cluster], end = self->begin[cluster + 1];
    double *sum = self->sum + cluster * self->pixels;
    float *centre = self->centres + cluster * self->pixels;
    if (begin == end)
        return;
    for (uint64_t i = begin; i < end; i++) {
        const struct sparse_images batch = selection_view(&self->batch);
        const struct jet jet = jet_of(&batch, self->order[i]);
        for (size_t j = 0; j < jet.n; j++)
            sum[jet.pixel[j]] += (double)jet.value[j];
    }
    self->weight[cluster] += (double)(end - begin);
    const double factor = 1.0 / self->weight[cluster];
    for (size_t p = 0; p < self->pixels; p++)
        centre[p] = (float)(factor * sum[p]);
}

static void move_centres(struct trainer *self)
{
    sort_batch(self);
    for (size_t c = 0; c < self->k; c++)
        move_centre(self, c);
}

/* Every 10 k jets, and at once while a centre has never had any. */
static bool is_reassignment_due(struct trainer *self)
{
    self->since_reassignment += self->batch.n;
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

/* Sets a centre to the image, with the weight of as many jets. */
static void restart_centre(struct trainer *self, size_t cluster, double weight)
{
    const float *centre = self->centres + cluster * self->pixels;
    double *sum = self->sum + cluster * self->pixels;
    self->weight[cluster] = weight;
    for (size_t p = 0; p < self->pixels; p++)
        sum[p] = weight * (double)centre[p];
}

/* Poor centres, at most half a batch of them, start again at jets of the batch, drawn without
 * replacement, with the least weight of the others: not so small that they go at once again. */
static void reassign_centres(struct trainer *self)
{
    const size_t poor = list_poor(self), batch = self->batch.n;
    const size_t n = poor < batch / 2 ? poor : batch / 2;
    uint64_t *chosen = self->batch.image;
    for (size_t i = 0; i < n; i++) {
        const size_t other = i + (size_t)random_below(&self->random, batch - i);
        const uint64_t drawn = chosen[other];
        chosen[other] = chosen[i];
        set_centre(self, self->poor[i].cluster, drawn);
        self->weight[self->poor[i].cluster] = INFINITY;
    }
    double least = INFINITY;
    for (size_t c = 0; c < self->k; c++)
        least = fmin(least, self->weight[c]);
    for (size_t i = 0; i < n; i++)
        restart_centre(self, self->poor[i].cluster, least);
}

/* The inertia of the batch with the centres as they were before the step. */
static double take_step(struct trainer *self)
{
    const bool reassign = is_reassignment_due(self);
    const double inertia = draw_batch(self);
    move_centres(self);
    if (reassign)
        reassign_centres(self);
    refresh(self);
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
    const uint64_t steps_max = (uint64_t)PASSES_MAX * jets / self->batch.n;
    const double alpha = fmin(2.0 * (double)self->batch.n / (double)(jets + 1), 1.0);
    struct progress progress = {.smoothed = INFINITY, .least = INFINITY};
    take_step(self); /* its inertia is that of the seeds and does not count */
    uint64_t steps = 1;
    bool converged = false;
    while (steps < steps_max && !converged) {
        const double inertia = take_step(self) / (double)self->batch.n;
        converged = has_converged(&progress, alpha, inertia);
        steps++;
    }
    return steps;
}

/* The inertia of all jets. */
static double total_inertia(struct trainer *self)
{
    double inertia = 0.0;
    const size_t step = self->batch.n;
    for (size_t first = 0; first < self->images->n; first += step) {
        const size_t left = self->images->n - first;
        const struct sparse_images some = {left < step ? left : step, self->images->offset + first,
                                           self->images->pixel, self->images->value};
        model_label(self->model, &some, self->label, self->score);
        for (size_t i = 0; i < some.n; i++)
            inertia += fmax(self->norm2[first + i] + self->score[i], 0.0);
    }
    return inertia;
}

status kmeans_train(const struct kmeans_settings *settings, const smearing *smear,
                    const struct sparse_images *images, const double norm2[], float centres[],
                    struct kmeans_result *result)
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
        result->inertia = total_inertia(&trainer);
        memcpy(centres, trainer.centres, trainer.k * trainer.pixels * sizeof *centres);
    }
    seeding_fini(&seeding);
    trainer_fini(&trainer);
    return done;
}
