/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/jet_image/jet_image.h"

#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/kernels/image/image.h"
#include "common/kernels/jets/jets.h"
#include "common/records/image_columns.h"

struct imager {
    jet_finder *finder;
    image_maker *maker;
    struct image_columns columns;
    uint64_t truncated;      /* jets with more constituents than an image uses */
    struct log_limit broken; /* events, reported by their row */
};

void jet_image_destroy(void **state)
{
    struct imager *self = *state;
    if (self == NULL)
        return;
    log_limit_sum(&self->broken, "broken events dropped");
    jet_finder_destroy(&self->finder);
    image_maker_destroy(&self->maker);
    image_columns_fini(&self->columns);
    free(self);
    *state = NULL;
}

status jet_image_create(void **out, const struct stage_setup *setup)
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

/* Appends the image of one jet; false if all pixels are zero. */
static bool add_image(struct imager *self, const struct jet *jet, const float pt[],
                      const float eta[], const float phi[], uint32_t index)
{
    struct image_columns *to = &self->columns;
    const uint32_t at = to->offset[index];
    const size_t lit = image_make(self->maker, jet->n, jet->constituent, pt, eta, phi,
                                  to->pixel + at, to->intensity + at);
    to->offset[index + 1] = at + (uint32_t)lit;
    return lit > 0;
}

/* Jet j of the current event. */
static void add_jet(struct imager *self, const struct jet *jet, uint32_t j)
{
    struct image_columns *to = &self->columns;
    const uint32_t index = 2 * to->events + j;
    double tau[3];
    jet_finder_subjettiness(self->finder, j, tau);
    to->pt[index] = (float)jet->pt;
    to->eta[index] = (float)jet->eta;
    to->phi[index] = (float)jet->phi;
    to->mass[index] = (float)jet->mass;
    to->tau1[index] = (float)tau[0];
    to->tau2[index] = (float)tau[1];
    to->tau3[index] = (float)tau[2];
    to->constituents[index] = jet->n < UINT16_MAX ? (uint16_t)jet->n : UINT16_MAX;
    self->truncated += jet->n > IMAGE_CONSTITUENTS_MAX;
}

/* Momenta that are finite one by one may add up to more than a column holds. */
static bool fits_float32(const struct dijet *dijet)
{
    bool fits = dijet->m_jj <= FLT_MAX;
    for (size_t j = 0; j < 2; j++)
        fits = fits && dijet->jet[j].pt <= FLT_MAX && dijet->jet[j].mass <= FLT_MAX;
    return fits;
}

/* Appends event e of the batch; DROP_REASONS, or why it was dropped. */
static enum drop_reason add_event(struct imager *self, const struct event_batch *from, uint32_t e)
{
    const uint32_t first = from->offset[e];
    const float *pt = from->pt + first;
    const float *eta = from->eta + first;
    const float *phi = from->phi + first;
    struct image_columns *to = &self->columns;
    const uint32_t n = from->offset[e + 1] - first;
    struct dijet dijet;
    const enum drop_reason reason = n > EVENT_PARTICLES_MAX
                                        ? DROP_TOO_MANY
                                        : jet_finder_find(self->finder, n, pt, eta, phi, &dijet);
    if (reason != DROP_REASONS)
        return reason;
    if (!fits_float32(&dijet))
        return DROP_NOT_FINITE;
    for (uint32_t j = 0; j < 2; j++) {
        if (!add_image(self, &dijet.jet[j], pt, eta, phi, 2 * to->events + j))
            return DROP_EMPTY_IMAGE;
        add_jet(self, &dijet.jet[j], j);
    }
    to->row[to->events] = from->first_row + e;
    to->m_jj[to->events] = (float)dijet.m_jj;
    to->label[to->events] = from->label != NULL ? from->label[e] : (int8_t)-1;
    to->events++;
    return DROP_REASONS;
}

/* Events without two jets are physics and only counted; those with impossible numbers are reported
 * by their row, so that the file can be looked at. */
static void name_row(struct imager *self, uint32_t source, uint64_t row, enum drop_reason reason)
{
    const bool broken = reason == DROP_NOT_FINITE || reason == DROP_NEGATIVE_PT ||
                        reason == DROP_ETA_RANGE || reason == DROP_TOO_MANY;
    if (broken && log_limit_pass(&self->broken, "broken events dropped"))
        log_warning("source %" PRIu32 ", row %" PRIu64 ": dropped as %s: %s", source, row,
                    drop_reason_name(reason), drop_reason_text(reason));
}

status jet_image_process(void *state, const struct stage_item *item, struct stage_outlet *outlet)
{
    struct imager *self = state;
    const struct event_batch *from = &item->record->events;
    const status reset = image_columns_reset(&self->columns, from->events,
                                             2 * (size_t)from->events * IMAGE_CONSTITUENTS_MAX);
    if (reset != STATUS_OK)
        return reset;
    for (uint32_t e = 0; e < from->events; e++) {
        const enum drop_reason reason = add_event(self, from, e);
        if (outlet->alive != NULL)
            outlet->alive(outlet);
        if (reason == DROP_REASONS)
            continue;
        self->columns.dropped[reason]++;
        name_row(self, item->header->source, from->first_row + e, reason);
    }
    struct image_batch images = {.first_row = from->first_row, .read = from->events};
    image_columns_view(&self->columns, from->label != NULL, &images);
    return outlet->emit(outlet, &images);
}

void jet_image_describe(void *state, size_t size, char out[])
{
    const struct imager *self = state;
    if (self->truncated > 0)
        snprintf(out, size, "%llu jets had more than %d constituents; the softest were left out",
                 (unsigned long long)self->truncated, IMAGE_CONSTITUENTS_MAX);
}
