/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/kmeans_trainer/kmeans_trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "common/base/log.h"
#include "common/base/parallel.h"
#include "common/kernels/clustering/kmeans.h"
#include "common/kernels/image/power.h"
#include "common/training/crew.h"

/* How long to wait for a member before the loop goes on to heartbeats and signals. */
enum { PATIENCE_MS = 50 };

struct trainer {
    struct analysis analysis;
    uint32_t replica;
    uint32_t replicas;
    size_t jets;
    size_t offset_room;
    size_t pixel_room;
    size_t value_room;
    uint64_t *offset; /* [jets + 1] */
    uint16_t *pixel;
    float *value; /* power applied, normalised */
    double *norm2;
    smearing *smear;
    struct sparse_images images; /* all of it, once the input has ended */
    crew *crew;                  /* NULL before that, and if there is no member to train */
    uint32_t member;             /* next to be emitted */
};

void kmeans_trainer_destroy(void **state)
{
    struct trainer *self = *state;
    if (self == NULL)
        return;
    crew_stop(&self->crew);
    free(self->offset);
    free(self->pixel);
    free(self->value);
    free(self->norm2);
    smearing_destroy(&self->smear);
    free(self);
    *state = NULL;
}

static size_t pixels_of(const struct trainer *self)
{
    return (size_t)self->analysis.image.pixels * self->analysis.image.pixels;
}

status kmeans_trainer_create(void **out, const struct stage_setup *setup)
{
    struct trainer *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->analysis = setup->analysis;
    self->replica = setup->replica;
    self->replicas = setup->replicas;
    self->member = setup->replica;
    const status done = ARRAY_RESERVE(&self->offset, &self->offset_room, 1);
    if (done != STATUS_OK)
        return done;
    self->offset[0] = 0;
    return smearing_create(&self->smear, self->analysis.image.pixels, self->analysis.image.smear);
}

void kmeans_trainer_filter(void *state, size_t input, struct feed_filter *filter)
{
    const struct trainer *self = state;
    (void)input;
    memcpy(filter->mass, self->analysis.training.window, sizeof filter->mass);
}

static status reserve(struct trainer *self, size_t jets, size_t lit)
{
    status done = ARRAY_RESERVE(&self->offset, &self->offset_room, jets + 1);
    if (done == STATUS_OK)
        done = ARRAY_RESERVE(&self->pixel, &self->pixel_room, lit);
    return done == STATUS_OK ? ARRAY_RESERVE(&self->value, &self->value_room, lit) : done;
}

/* Appends the first n events of a batch to the training set. */
static status add_events(struct trainer *self, const struct image_batch *batch, uint32_t n)
{
    const size_t lit = batch->offset[2 * n];
    const uint64_t begin = self->offset[self->jets];
    const status done = reserve(self, self->jets + 2 * (size_t)n, (size_t)begin + lit);
    if (done != STATUS_OK)
        return done;
    if (lit > 0)
        memcpy(self->pixel + begin, batch->pixel, lit * sizeof *self->pixel);
    for (uint32_t j = 0; j < 2 * n; j++) {
        const uint32_t first = batch->offset[j];
        image_to_power(batch->offset[j + 1] - first, batch->intensity + first,
                       self->analysis.image.power, self->value + begin + first);
        self->offset[++self->jets] = begin + batch->offset[j + 1];
    }
    return STATUS_OK;
}

status kmeans_trainer_process(void *state, const struct stage_item *item,
                              struct stage_outlet *outlet)
{
    struct trainer *self = state;
    const struct image_batch *batch = &item->record->images;
    const uint64_t wanted = self->analysis.training.events;
    uint64_t n = batch->events;
    (void)outlet;
    if (wanted > 0 && self->jets / 2 + n > wanted)
        n = wanted - self->jets / 2;
    const status done = add_events(self, batch, (uint32_t)n);
    if (done != STATUS_OK)
        return done;
    return wanted > 0 && self->jets / 2 >= wanted ? STATUS_END : STATUS_OK;
}

/* Computes the norms and starts the crew. */
static status start_training(struct trainer *self)
{
    const struct analysis *analysis = &self->analysis;
    self->images = (struct sparse_images){
        .n = self->jets, .offset = self->offset, .pixel = self->pixel, .value = self->value};
    self->norm2 = malloc(self->jets * sizeof *self->norm2);
    if (self->norm2 == NULL)
        return STATUS_NO_MEMORY;
    kmeans_norms(self->smear, &self->images, self->norm2);
    if (self->member >= analysis->training.ensemble)
        return STATUS_OK;
    const struct crew_task task = {.settings = {.clusters = analysis->training.clusters,
                                                .batch = analysis->training.batch,
                                                .seed = analysis->training.seed},
                                   .pixels = pixels_of(self),
                                   .smear = self->smear,
                                   .images = &self->images,
                                   .norm2 = self->norm2};
    return crew_start(&self->crew, &task, self->replica, self->replicas,
                      analysis->training.ensemble, parallel_cores());
}

status kmeans_trainer_finish(void *state, size_t input, uint64_t total, struct stage_outlet *outlet)
{
    struct trainer *self = state;
    (void)input;
    (void)total;
    (void)outlet;
    const struct analysis *analysis = &self->analysis;
    log_info("training %u members of %u clusters on %zu jets", analysis->training.ensemble,
             analysis->training.clusters, self->jets);
    if (self->jets < analysis->training.clusters) {
        log_error(
            "analysis.training.window [%g, %g) GeV holds %zu jets, fewer than the %u clusters "
            "of analysis.training.clusters",
            analysis->training.window[0], analysis->training.window[1], self->jets,
            analysis->training.clusters);
        return STATUS_BAD_INPUT;
    }
    return start_training(self);
}

/* A centre is a prototype and a cluster; the rest is the distance alone. */
static status fill_prototypes(uint32_t k, double scale[], double bias[], uint16_t map[])
{
    if (scale == NULL || bias == NULL || map == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t c = 0; c < k; c++) {
        scale[c] = 1.0;
        bias[c] = 0.0;
        map[c] = (uint16_t)c;
    }
    return STATUS_OK;
}

static status emit_model(struct trainer *self, const struct crew_member *trained,
                         struct stage_outlet *outlet)
{
    const struct analysis *analysis = &self->analysis;
    const uint32_t k = analysis->training.clusters;
    double *scale = malloc(k * sizeof *scale);
    double *bias = malloc(k * sizeof *bias);
    uint16_t *map = malloc(k * sizeof *map);
    status done = fill_prototypes(k, scale, bias, map);
    const struct model_record record = {
        .member = trained->member,
        .generation = 1,
        .algorithm = "minibatch_kmeans",
        .clusters = k,
        .prototypes = k,
        .pixels = (uint32_t)pixels_of(self),
        .jets = self->jets,
        .steps = trained->result.steps,
        .seed = analysis->training.seed,
        .inertia = trained->result.inertia,
        .window = {analysis->training.window[0], analysis->training.window[1]},
        .cutoff = INFINITY,
        .prototype = trained->centres,
        .scale = scale,
        .bias = bias,
        .map = map,
    };
    if (done == STATUS_OK)
        done = outlet->emit(outlet, &record);
    free(scale);
    free(bias);
    free(map);
    return done;
}

/* At most one member a call. */
status kmeans_trainer_work(void *state, struct stage_outlet *outlet, bool *more)
{
    struct trainer *self = state;
    *more = self->member < self->analysis.training.ensemble;
    if (!*more)
        return STATUS_OK;
    struct crew_member trained;
    status done = crew_take(self->crew, PATIENCE_MS, &trained);
    if (done != STATUS_OK || trained.centres == NULL)
        return done;
    done = emit_model(self, &trained, outlet);
    free(trained.centres);
    self->member += self->replicas;
    return done;
}

void kmeans_trainer_describe(void *state, size_t size, char out[])
{
    const struct trainer *self = state;
    const uint64_t wanted = self->analysis.training.events;
    if (self->norm2 == NULL && wanted > 0)
        snprintf(out, size,
                 "%zu of %" PRIu64 " events in the training window so far; with fewer it trains "
                 "at the end",
                 self->jets / 2, wanted);
    else if (self->norm2 == NULL)
        snprintf(out, size, "%zu jets in the training window so far", self->jets);
    else if (self->member < self->analysis.training.ensemble)
        snprintf(out, size, "training member %u of %u on %zu jets", self->member + 1,
                 self->analysis.training.ensemble, self->jets);
    else
        snprintf(out, size, "all members trained on %zu jets", self->jets);
}
