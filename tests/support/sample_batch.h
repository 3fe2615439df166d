/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sample_batch: image batches with made-up content that follows from source and seq, so that a
 * reader can tell which one it has. */
#ifndef TESTS_SUPPORT_SAMPLE_BATCH_H
#define TESTS_SUPPORT_SAMPLE_BATCH_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/log/segment.h"

enum { SAMPLE_EVENTS_MAX = 600, SAMPLE_LIT_MAX = 41 };

struct sample_batch {
    struct segment_batch batch;
    uint32_t dropped[DROP_REASONS];
    uint64_t row[SAMPLE_EVENTS_MAX];
    float m_jj[SAMPLE_EVENTS_MAX];
    int8_t label[SAMPLE_EVENTS_MAX];
    float jet[7][2 * SAMPLE_EVENTS_MAX];
    uint16_t constituents[2 * SAMPLE_EVENTS_MAX];
    uint32_t offset[2 * SAMPLE_EVENTS_MAX + 1];
    uint16_t pixel[2 * SAMPLE_EVENTS_MAX * SAMPLE_LIT_MAX];
    float intensity[2 * SAMPLE_EVENTS_MAX * SAMPLE_LIT_MAX];
};

static inline uint32_t sample_fill_images(struct sample_batch *self, uint32_t events)
{
    uint32_t lit = 0;
    for (uint32_t j = 0; j < 2 * events; j++) {
        const uint32_t n = (j * 7 + (uint32_t)self->batch.seq) % SAMPLE_LIT_MAX + 1;
        for (uint32_t p = 0; p < n; p++) {
            self->pixel[lit] = (uint16_t)(p * 37 + j % 37);
            self->intensity[lit++] = 1.0f / (float)n;
        }
        self->constituents[j] = (uint16_t)(n + 3);
        self->offset[j + 1] = lit;
        for (int q = 0; q < 7; q++)
            self->jet[q][j] = (float)(q * 1000) + (float)j / 7 + (float)self->batch.seq;
    }
    return lit;
}

/* Batch seq of source with `events` events kept and five rows that are not. To be given to
 * free. */
static inline struct sample_batch *sample_batch_make(uint32_t source, uint64_t seq, uint32_t events,
                                                     int labelled)
{
    ck_assert_uint_le(events, SAMPLE_EVENTS_MAX);
    struct sample_batch *self = calloc(1, sizeof *self);
    ck_assert_ptr_nonnull(self);
    self->batch.source = source;
    self->batch.seq = seq;
    self->dropped[DROP_ONE_JET] = 3;
    self->dropped[DROP_NOT_FINITE] = 1;
    for (uint32_t e = 0; e < events; e++) {
        self->row[e] = seq * 1009 + e;
        self->m_jj[e] = 3000.25f + (float)e;
        self->label[e] = (int8_t)((e + source) % 2);
    }
    self->batch.images = (struct image_batch){
        .first_row = seq * 1009,
        .read = events + 5,
        .quarantined = 1,
        .events = events,
        .lit = sample_fill_images(self, events),
        .dropped = self->dropped,
        .row = self->row,
        .m_jj = self->m_jj,
        .label = labelled ? self->label : NULL,
        .pt = self->jet[0],
        .eta = self->jet[1],
        .phi = self->jet[2],
        .mass = self->jet[3],
        .tau1 = self->jet[4],
        .tau2 = self->jet[5],
        .tau3 = self->jet[6],
        .constituents = self->constituents,
        .offset = self->offset,
        .pixel = self->pixel,
        .intensity = self->intensity,
    };
    return self;
}

#define CK_SAME_ARRAY(a, b, n) ck_assert_int_eq(memcmp((a), (b), (n) * sizeof *(a)), 0)

/* Everything equal, bit by bit. */
static inline void sample_batch_check(const struct segment_batch *is,
                                      const struct segment_batch *must)
{
    ck_assert_uint_eq(is->source, must->source);
    ck_assert_uint_eq(is->seq, must->seq);
    const struct image_batch *a = &is->images, *b = &must->images;
    ck_assert_uint_eq(a->first_row, b->first_row);
    ck_assert_uint_eq(a->read, b->read);
    ck_assert_uint_eq(a->quarantined, b->quarantined);
    ck_assert_uint_eq(a->events, b->events);
    ck_assert_uint_eq(a->lit, b->lit);
    CK_SAME_ARRAY(a->dropped, b->dropped, DROP_REASONS);
    const size_t n = a->events;
    CK_SAME_ARRAY(a->offset, b->offset, 2 * n + 1);
    if (n == 0)
        return;
    ck_assert_int_eq(a->label != NULL, b->label != NULL);
    if (a->label != NULL)
        CK_SAME_ARRAY(a->label, b->label, n);
    CK_SAME_ARRAY(a->row, b->row, n);
    CK_SAME_ARRAY(a->m_jj, b->m_jj, n);
    CK_SAME_ARRAY(a->pt, b->pt, 2 * n);
    CK_SAME_ARRAY(a->eta, b->eta, 2 * n);
    CK_SAME_ARRAY(a->phi, b->phi, 2 * n);
    CK_SAME_ARRAY(a->mass, b->mass, 2 * n);
    CK_SAME_ARRAY(a->tau1, b->tau1, 2 * n);
    CK_SAME_ARRAY(a->tau2, b->tau2, 2 * n);
    CK_SAME_ARRAY(a->tau3, b->tau3, 2 * n);
    CK_SAME_ARRAY(a->constituents, b->constituents, 2 * n);
    CK_SAME_ARRAY(a->pixel, b->pixel, a->lit);
    CK_SAME_ARRAY(a->intensity, b->intensity, a->lit);
}

#endif
