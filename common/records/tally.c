/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/records/tally.h"

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
    uint64_t left = self->read; /* no sum: it could wrap */
    if (self->counted > left)
        return 0;
    left -= self->counted;
    if (self->quarantined > left)
        return 0;
    left -= self->quarantined;
    for (int r = 0; r < DROP_REASONS; r++) {
        if (self->dropped[r] > left)
            return 0;
        left -= self->dropped[r];
    }
    return left == 0;
}
