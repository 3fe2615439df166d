/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/records/image_columns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { JET_COLUMNS = 7 };

void image_columns_fini(struct image_columns *self)
{
    free(self->row);
    free(self->m_jj);
    free(self->label);
    free(self->pt);
    free(self->constituents);
    free(self->offset);
    free(self->pixel);
    free(self->intensity);
    *self = (struct image_columns){0};
}

/* The columns of floats per jet share one block that begins at pt. */
static void share_out(struct image_columns *self, float *block)
{
    float **const columns[JET_COLUMNS] = {&self->pt,   &self->eta,  &self->phi, &self->mass,
                                          &self->tau1, &self->tau2, &self->tau3};
    for (size_t i = 0; i < JET_COLUMNS; i++)
        *columns[i] = block + i * 2 * self->room;
}

static status allocate(struct image_columns *self, uint32_t events, uint32_t lit)
{
    image_columns_fini(self);
    const size_t jets = 2 * (size_t)events;
    self->row = malloc(events * sizeof *self->row);
    self->m_jj = malloc(events * sizeof *self->m_jj);
    self->label = malloc(events * sizeof *self->label);
    self->pt = malloc(JET_COLUMNS * jets * sizeof *self->pt);
    self->constituents = malloc(jets * sizeof *self->constituents);
    self->offset = malloc((jets + 1) * sizeof *self->offset);
    self->pixel = malloc(lit * sizeof *self->pixel);
    self->intensity = malloc(lit * sizeof *self->intensity);
    if (self->row == NULL || self->m_jj == NULL || self->label == NULL || self->pt == NULL ||
        self->constituents == NULL || self->offset == NULL || self->pixel == NULL ||
        self->intensity == NULL) {
        image_columns_fini(self);
        return STATUS_NO_MEMORY;
    }
    self->room = events;
    self->lit_room = lit;
    share_out(self, self->pt);
    return STATUS_OK;
}

status image_columns_reset(struct image_columns *self, uint32_t events, uint32_t lit)
{
    if (self->row == NULL || events > self->room || lit > self->lit_room) {
        const uint32_t more_events = events > self->room ? events : self->room;
        const uint32_t more_lit = lit > self->lit_room ? lit : self->lit_room;
        const status done =
            allocate(self, more_events > 0 ? more_events : 1, more_lit > 0 ? more_lit : 1);
        if (done != STATUS_OK)
            return done;
    }
    self->events = 0;
    self->offset[0] = 0;
    memset(self->dropped, 0, sizeof self->dropped);
    return STATUS_OK;
}

void image_columns_append(struct image_columns *self, const struct image_batch *from, uint32_t e)
{
    const uint32_t to = self->events;
    const uint32_t at = self->offset[2 * to];
    const uint32_t first = from->offset[2 * e];
    const uint32_t lit = from->offset[2 * e + 2] - first;
    assert(to < self->room && at + lit <= self->lit_room);
    self->row[to] = from->row[e];
    self->m_jj[to] = from->m_jj[e];
    self->label[to] = from->label != NULL ? from->label[e] : (int8_t)-1;
    for (uint32_t j = 0; j < 2; j++) {
        self->pt[2 * to + j] = from->pt[2 * e + j];
        self->eta[2 * to + j] = from->eta[2 * e + j];
        self->phi[2 * to + j] = from->phi[2 * e + j];
        self->mass[2 * to + j] = from->mass[2 * e + j];
        self->tau1[2 * to + j] = from->tau1[2 * e + j];
        self->tau2[2 * to + j] = from->tau2[2 * e + j];
        self->tau3[2 * to + j] = from->tau3[2 * e + j];
        self->constituents[2 * to + j] = from->constituents[2 * e + j];
        self->offset[2 * to + j + 1] = at + from->offset[2 * e + j + 1] - first;
    }
    memcpy(self->pixel + at, from->pixel + first, lit * sizeof *self->pixel);
    memcpy(self->intensity + at, from->intensity + first, lit * sizeof *self->intensity);
    self->events++;
}

status image_columns_copy(struct image_columns *self, const struct image_batch *from)
{
    const status done = image_columns_reset(self, from->events, from->lit);
    if (done != STATUS_OK)
        return done;
    memcpy(self->dropped, from->dropped, sizeof self->dropped);
    for (uint32_t e = 0; e < from->events; e++)
        image_columns_append(self, from, e);
    return STATUS_OK;
}

void image_columns_view(const struct image_columns *self, int labelled, struct image_batch *out)
{
    out->events = self->events;
    out->lit = self->offset[2 * self->events];
    out->dropped = self->dropped;
    out->row = self->row;
    out->m_jj = self->m_jj;
    out->label = labelled ? self->label : NULL;
    out->pt = self->pt;
    out->eta = self->eta;
    out->phi = self->phi;
    out->mass = self->mass;
    out->tau1 = self->tau1;
    out->tau2 = self->tau2;
    out->tau3 = self->tau3;
    out->constituents = self->constituents;
    out->offset = self->offset;
    out->pixel = self->pixel;
    out->intensity = self->intensity;
}

status image_columns_filter(struct image_columns *self, const struct image_batch *from,
                            const double mass[2], struct image_batch *out)
{
    const status done = image_columns_reset(self, from->events, from->lit);
    if (done != STATUS_OK)
        return done;
    memcpy(self->dropped, from->dropped, sizeof self->dropped);
    for (uint32_t e = 0; e < from->events; e++)
        if (mass[0] <= (double)from->m_jj[e] && (double)from->m_jj[e] < mass[1])
            image_columns_append(self, from, e);
    *out = *from;
    image_columns_view(self, from->label != NULL, out);
    return STATUS_OK;
}
