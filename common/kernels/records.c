/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/records.h"

#include <assert.h>

const char *drop_reason_name(enum drop_reason reason)
{
    static const char *const names[DROP_REASONS] = {
        [DROP_NOT_FINITE] = "not_finite", [DROP_NEGATIVE_PT] = "negative_pt",
        [DROP_ETA_RANGE] = "eta_range",   [DROP_NO_JET] = "no_jet",
        [DROP_ONE_JET] = "one_jet",       [DROP_EMPTY_IMAGE] = "empty_image",
    };
    assert(reason < DROP_REASONS);
    return names[reason];
}

static uint32_t batch_dropped(const struct image_batch *batch)
{
    uint32_t sum = 0;
    for (int r = 0; r < DROP_REASONS; r++)
        sum += batch->dropped[r];
    return sum;
}

uint32_t image_batch_counted(const struct image_batch *batch)
{
    return batch->read - batch->quarantined - batch_dropped(batch);
}

void tally_add(struct tally *a, const struct tally *b)
{
    a->read += b->read;
    a->counted += b->counted;
    a->quarantined += b->quarantined;
    for (int r = 0; r < DROP_REASONS; r++)
        a->dropped[r] += b->dropped[r];
}

void tally_add_batch(struct tally *a, const struct image_batch *batch)
{
    a->read += batch->read;
    a->counted += image_batch_counted(batch);
    a->quarantined += batch->quarantined;
    for (int r = 0; r < DROP_REASONS; r++)
        a->dropped[r] += batch->dropped[r];
}

uint64_t tally_dropped(const struct tally *self)
{
    uint64_t sum = 0;
    for (int r = 0; r < DROP_REASONS; r++)
        sum += self->dropped[r];
    return sum;
}

int tally_adds_up(const struct tally *self)
{
    return self->read == self->counted + tally_dropped(self) + self->quarantined;
}
