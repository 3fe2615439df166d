/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bare_stage: what the functions of a stage need when a test calls them bare: a small analysis,
 * items made by hand, and an outlet that shows every record to the test. */
#ifndef TESTS_SUPPORT_BARE_STAGE_H
#define TESTS_SUPPORT_BARE_STAGE_H

#include <check.h>

#include "common/stage/stage.h"

/* Images of 4 x 4 pixels as they are (no smearing, power 1), 2 clusters, 1 member, 3 mass bins from
 * 3000 to 3600 GeV, slices of 2 batches. */
static inline struct analysis bare_analysis(void)
{
    return (struct analysis){
        .stream = {.batch = 100, .slice = 2},
        .jets = {.radius = 1.0, .pt_min = 20, .engine = JET_ENGINE_NATIVE},
        .image = {.pixels = 4, .half_width = 0.8, .power = 1.0, .smear = 0.0},
        .training = {.window = {3000, 3300}, .clusters = 2, .batch = 50, .ensemble = 1, .seed = 1},
        .spectra = {.window = {3000, 3600}, .bins = 3},
        .selection = {.outlier_fraction = 0.2, .threshold = 3.0},
        .score = {.approximation = MLS_POISSON, .deviation = MLS_POSITIVE}};
}

/* Calls see(record) for every record that is emitted. */
struct bare_outlet {
    struct stage_outlet outlet;
    size_t n;
    void (*see)(const void *record);
};

static inline status bare_emit(struct stage_outlet *outlet, const void *record)
{
    struct bare_outlet *self = (struct bare_outlet *)outlet;
    self->n++;
    self->see(record);
    return STATUS_OK;
}

#define BARE_OUTLET(see_)                                  \
    {                                                      \
        .outlet = {.emit = bare_emit}, .n = 0, .see = see_ \
    }

/* Hands a record to process, as the item of that index (or batch of that seq) of an input. */
static inline status bare_process(status (*process)(void *self, const struct stage_item *item,
                                                    struct stage_outlet *outlet),
                                  void *self, size_t input, enum message_type type, uint64_t seq,
                                  const union record *record, struct bare_outlet *outlet)
{
    const struct wire_header header = {.type = type, .seq = seq};
    const struct stage_item item = {
        .input = input, .header = &header, .record = record, .place = seq, .next = seq + 1};
    return process(self, &item, &outlet->outlet);
}

/* Images of one lit pixel: jet j of the batch is pixel[j]. Static arrays; n at most 32 events. */
static inline union record bare_images(uint32_t n, const uint16_t pixel[], const float m_jj[],
                                       const int8_t label[])
{
    enum { EVENTS = 32 };
    static uint32_t dropped[DROP_REASONS], offset[2 * EVENTS + 1];
    static uint64_t row[EVENTS];
    static float ones[2 * EVENTS];
    static uint16_t constituents[2 * EVENTS];
    ck_assert_uint_le(n, EVENTS);
    for (uint32_t j = 0; j < 2 * n; j++) {
        offset[j + 1] = j + 1;
        ones[j] = 1.0F;
        constituents[j] = 1;
        row[j / 2] = j / 2;
    }
    return (union record){.images = {.read = n,
                                     .events = n,
                                     .lit = 2 * n,
                                     .dropped = dropped,
                                     .row = row,
                                     .m_jj = m_jj,
                                     .label = label,
                                     .pt = ones,
                                     .eta = ones,
                                     .phi = ones,
                                     .mass = ones,
                                     .tau1 = ones,
                                     .tau2 = ones,
                                     .tau3 = ones,
                                     .constituents = constituents,
                                     .offset = offset,
                                     .pixel = pixel,
                                     .intensity = ones}};
}

#endif
