/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tally: what became of the rows that were read. */
#ifndef COMMON_RECORDS_TALLY_H
#define COMMON_RECORDS_TALLY_H

#include <stdint.h>

#include "common/records/drop_reason.h"
#include "common/records/image_batch.h"

/* What became of the rows read so far. read = counted + dropped + quarantined. */
struct tally {
    uint64_t read;
    uint64_t counted; /* two jets and both images, at any mass */
    uint64_t quarantined;
    uint64_t dropped[DROP_REASONS];
};
/* Adds b to a. */
void tally_add(struct tally *a, const struct tally *b);
/* Adds the rows of a batch. */
void tally_add_batch(struct tally *a, const struct image_batch *batch);
/* Rows dropped for any reason. */
uint64_t tally_dropped(const struct tally *self);
/* 1 when the sum of the parts is what was read. */
int tally_adds_up(const struct tally *self);

#endif
