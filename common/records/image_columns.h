/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image_columns: the arrays of an image batch that is being put together. They grow with the
 * largest batch and stay, so filling them again allocates nothing. */
#ifndef COMMON_RECORDS_IMAGE_COLUMNS_H
#define COMMON_RECORDS_IMAGE_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/records/drop_reason.h"
#include "common/records/image_batch.h"

/* Shapes as in struct image_batch, for `room` events and `lit_room` lit pixels. The columns of one
 * value per jet stand side by side. Start with all zero. */
struct image_columns {
    uint32_t room;
    uint32_t lit_room;
    uint32_t events; /* filled */
    uint64_t *row;
    float *m_jj;
    int8_t *label;
    float *pt;
    float *eta;
    float *phi;
    float *mass;
    float *tau1;
    float *tau2;
    float *tau3;
    uint16_t *constituents;
    uint32_t *offset; /* offset[2 events] is the number of lit pixels filled */
    uint16_t *pixel;
    float *intensity;
    uint32_t dropped[DROP_REASONS];
};

/* Empties the columns and makes room for so many events and lit pixels. */
MUST_CHECK status image_columns_reset(struct image_columns *self, uint32_t events, uint32_t lit);
/* Frees the arrays. */
void image_columns_fini(struct image_columns *self);

/* Copies event e of a batch behind those filled; there must be room. Labels that are not known
 * become -1. */
void image_columns_append(struct image_columns *self, const struct image_batch *from, uint32_t e);
/* Makes *self a copy of a whole batch. */
MUST_CHECK status image_columns_copy(struct image_columns *self, const struct image_batch *from);
/* Keeps only the events of `from` with mass[0] <= m_jj < mass[1]; counts are those of the whole
 * batch. *out is borrowed from self and from. */
MUST_CHECK status image_columns_filter(struct image_columns *self, const struct image_batch *from,
                                       const double mass[2], struct image_batch *out);
/* The arrays as a batch: sets the columns, events, lit and dropped of *out; leaves the rest. */
void image_columns_view(const struct image_columns *self, int labelled, struct image_batch *out);

#endif
