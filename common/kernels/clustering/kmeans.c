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
#include "common/kernels/clustering/seeding.h"
#include "common/kernels/clustering/training_sample.h"

enum { PASSES_MAX = 100, NO_IMPROVEMENT_MAX = 10 };

void kmeans_norms(const smearing *smear, const struct sparse_images *images, double norm2[])
{
    for (size_t i = 0; i < images->n; i++) {
        const struct sparse_image jet = sparse_image_of(images, i);
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
    size_t pixels;
    size_t longest; /* pixels of an image */
    struct random_state random;
    model *model;                 /* of the centres, once refreshed */
    float *centres;               /* [k][pixels] */
    double *sum;                  /* [k][pixels] of the jets a centre is the mean of */
    double *weight;               /* [k] how many they are */
    double *scratch;              /* as model_refresh wants it */
    struct training_sample batch; /* of a step */
    uint16_t *label;              /* [batch] */
    float *near;                  /* [batch] */
    double *score;                /* [batch] */
    uint64_t *begin;              /* [k + 1] in order, of the jets of a cluster */
    uint64_t *order;              /* [batch] by cluster */
    struct poor_centre *poor;     /* [k] */
    size_t since_reassignment;    /* jets */
};

static void trainer_fini(struct trainer *self)
{
    model_destroy(&self->model);
    training_sample_fini(&self->batch);
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
        const size_t n = sparse_image_of(images, i).n;
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
    const status made = training_sample_init(&self->batch, batch, self->longest);
    return made == STATUS_OK ? model_create_blank(&self->model, k, smear) : made;
}

/* Makes the centre of a cluster the image. */
static void set_centre(struct trainer *self, size_t cluster, uint64_t image)
{
    sparse_image_spread(self->images, image, self->pixels, self->centres + cluster * self->pixels);
}

static void refresh(struct trainer *self)
{
    model_refresh(self->model, self->centres, self->scratch);
}

/* Images that the seeds are drawn from. */
static size_t sample_size(const struct trainer *t)
{
    const size_t batch = t->batch.n;
    const size_t wanted = 3 * batch < t->k ? 3 * t->k : 3 * batch;
    return wanted < t->images->n ? wanted : t->images->n;
}

static status seed_centres(struct trainer *self)
{
    const struct seeding_task task = {.smear = self->smear,
                                      .images = self->images,
                                      .norm2 = self->norm2,
                                      .clusters = self->k,
                                      .pixels = self->pixels,
                                      .sample = sample_size(self),
                                      .longest = self->longest};
    const status done = seeding_draw(&task, &self->random, self->centres);
    if (done == STATUS_OK)
        refresh(self);
    return done;
}

/* ---- one step ---- */

/* Draws the batch and labels it; the sum of its squared distances, each good to about a float's
 * rounding of the norms. */
static double draw_batch(struct trainer *self)
{
    struct training_sample *batch = &self->batch;
    double inertia = 0.0;
    for (size_t i = 0; i < batch->n; i++)
        batch->image[i] = random_below(&self->random, self->images->n);
    training_sample_fill(batch, self->images);
    const struct sparse_images images = training_sample_view(batch);
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
    const struct sparse_images batch = training_sample_view(&self->batch);
    for (uint64_t i = begin; i < end; i++) {
        const struct sparse_image jet = sparse_image_of(&batch, self->order[i]);
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
    struct trainer trainer;
    status done = trainer_init(&trainer, settings, smear, images, norm2);
    if (done == STATUS_OK)
        done = seed_centres(&trainer);
    if (done == STATUS_OK) {
        result->steps = take_steps(&trainer);
        result->inertia = total_inertia(&trainer);
        memcpy(centres, trainer.centres, trainer.k * trainer.pixels * sizeof *centres);
    }
    trainer_fini(&trainer);
    return done;
}
