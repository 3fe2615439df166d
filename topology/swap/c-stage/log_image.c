/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_image: events in, sparse images of their two leading jets out, with logarithmic weights.
 *   in   event_batch  particles of n events
 *   out  image_batch  what jet_image gives, but every constituent weighs ln(1 + pT / GeV): in the
 *                     centroid, the axis, the flip and the pixels. Soft radiation counts for more.
 * Jets and dijet mass are those of jet_image. Keeps nothing between batches.
 *
 * A stage of its own, built against the installed library:
 *   cc -std=c17 log_image.c $(pkg-config --cflags --libs clusterscan) -o log_image */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "common/kernels/image/image.h"
#include "common/kernels/jets/jets.h"
#include "common/records/image_columns.h"
#include "common/stage/stage.h"

struct imager {
    jet_finder *finder;
    image_maker *maker;
    struct image_columns columns;
    float *weight; /* of the particles of the batch at hand */
    size_t room;
};

static void imager_destroy(void **state)
{
    struct imager *self = *state;
    if (self == NULL)
        return;
    jet_finder_destroy(&self->finder);
    image_maker_destroy(&self->maker);
    image_columns_fini(&self->columns);
    free(self->weight);
    free(self);
    *state = NULL;
}

static status imager_create(void **out, const struct stage_setup *setup)
{
    const struct analysis *analysis = &setup->analysis;
    struct imager *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    const status done = jet_finder_create(&self->finder, analysis->jets.engine,
                                          analysis->jets.radius, analysis->jets.pt_min);
    if (done != STATUS_OK)
        return done;
    return image_maker_create(&self->maker, analysis->image.pixels, analysis->image.half_width);
}

/* Appends jet j of the event at hand; false if no pixel of its image is lit. */
static bool add_jet(struct imager *self, const struct jet *jet, const float weight[],
                    const float eta[], const float phi[], uint32_t j)
{
    struct image_columns *to = &self->columns;
    const uint32_t index = 2 * to->events + j;
    double tau[3];
    const uint32_t at = to->offset[index];
    const size_t lit = image_make(self->maker, jet->n, jet->constituent, weight, eta, phi,
                                  to->pixel + at, to->intensity + at);
    to->offset[index + 1] = at + (uint32_t)lit;
    jet_finder_subjettiness(self->finder, j, tau);
    to->pt[index] = (float)jet->pt;
    to->eta[index] = (float)jet->eta;
    to->phi[index] = (float)jet->phi;
    to->mass[index] = (float)jet->mass;
    to->tau1[index] = (float)tau[0];
    to->tau2[index] = (float)tau[1];
    to->tau3[index] = (float)tau[2];
    to->constituents[index] = jet->n < UINT16_MAX ? (uint16_t)jet->n : UINT16_MAX;
    return lit > 0;
}

/* Appends event e of the batch; DROP_REASONS, or why it was not. */
static enum drop_reason add_event(struct imager *self, const struct event_batch *from, uint32_t e)
{
    const uint32_t first = from->offset[e];
    const float *eta = from->eta + first;
    const float *phi = from->phi + first;
    struct image_columns *to = &self->columns;
    struct dijet dijet;
    if (from->offset[e + 1] - first > EVENT_PARTICLES_MAX)
        return DROP_TOO_MANY;
    const enum drop_reason reason = jet_finder_find(self->finder, from->offset[e + 1] - first,
                                                    from->pt + first, eta, phi, &dijet);
    if (reason != DROP_REASONS)
        return reason;
    if (!(dijet.m_jj <= FLT_MAX)) /* finite momenta may add up to more than a column holds */
        return DROP_NOT_FINITE;
    for (uint32_t j = 0; j < 2; j++)
        if (!add_jet(self, &dijet.jet[j], self->weight + first, eta, phi, j))
            return DROP_EMPTY_IMAGE;
    to->row[to->events] = from->first_row + e;
    to->m_jj[to->events] = (float)dijet.m_jj;
    to->label[to->events] = from->label != NULL ? from->label[e] : (int8_t)-1;
    to->events++;
    return DROP_REASONS;
}

/* Fills weight[]; a pT that is no positive number never reaches an image. */
static status weigh(struct imager *self, const struct event_batch *from)
{
    if (from->particles > self->room) {
        free(self->weight);
        self->weight = malloc(from->particles * sizeof *self->weight);
        self->room = self->weight != NULL ? from->particles : 0;
        if (self->weight == NULL)
            return STATUS_NO_MEMORY;
    }
    for (uint32_t i = 0; i < from->particles; i++)
        self->weight[i] = from->pt[i] > 0 ? (float)log1p((double)from->pt[i]) : 0;
    return STATUS_OK;
}

static status imager_process(void *state, const struct stage_item *item,
                             struct stage_outlet *outlet)
{
    struct imager *self = state;
    const struct event_batch *from = &item->record->events;
    status done = image_columns_reset(&self->columns, from->events,
                                      2 * from->events * IMAGE_CONSTITUENTS_MAX);
    if (done == STATUS_OK)
        done = weigh(self, from);
    if (done != STATUS_OK)
        return done;
    for (uint32_t e = 0; e < from->events; e++) {
        const enum drop_reason reason = add_event(self, from, e);
        if (reason != DROP_REASONS)
            self->columns.dropped[reason]++;
    }
    struct image_batch images = {.first_row = from->first_row, .read = from->events};
    image_columns_view(&self->columns, from->label != NULL, &images);
    return outlet->emit(outlet, &images);
}

int main(int argc, char **argv)
{
    static const struct stage_worker worker = {.process = imager_process};
    static const struct stage log_image = {
        .name = "log_image",
        .help = "Turns events into sparse images of their jets, weighted by ln(1 + pT).",
        .output = MESSAGE_IMAGE_BATCH,
        .create = imager_create,
        .destroy = imager_destroy,
        .worker = &worker,
    };
    return stage_main(&log_image, argc, argv);
}
