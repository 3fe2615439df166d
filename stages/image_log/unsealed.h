/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unsealed: the batches that have arrived and are not on disk yet, and whose turn it is. The order
 * is (seq, source), a source being skipped once it is known to have ended; or each source evenly
 * over the whole: ((seq + 1/2) / n, source), n being the number of batches of that source. */
#ifndef STAGES_IMAGE_LOG_UNSEALED_H
#define STAGES_IMAGE_LOG_UNSEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store/log/segment.h"

typedef struct unsealed unsealed;

enum unsealed_order { UNSEALED_ROUNDS, UNSEALED_PROPORTIONAL };

/* For n_sources > 0 sources of which `window` > 0 batches each may wait. */
MUST_CHECK status unsealed_create(unsealed **out, uint32_t n_sources, uint32_t window,
                                  enum unsealed_order order);
void unsealed_destroy(unsealed **self);

/* Batches of a source below seq are on disk already. While nothing is here. */
void unsealed_start(unsealed *self, uint32_t source, uint64_t seq);
/* Forgets all batches that are here, for a log that goes on from elsewhere; the ends of the sources
 * stay known. */
void unsealed_clear(unsealed *self);
/* The source has so many batches in all, and so many rows. */
void unsealed_end(unsealed *self, uint32_t source, uint64_t batches, uint64_t rows);
struct unsealed_extent {
    uint64_t batches; /* UINT64_MAX: not known */
    uint64_t rows;
};
struct unsealed_extent unsealed_extent(const unsealed *self, uint32_t source);
/* Whether all of them are known. */
bool unsealed_ends_known(const unsealed *self);

/* Copies a batch in, unless it is here or on disk already (STATUS_OK too). STATUS_END: it is beyond
 * the window. STATUS_NO_MEMORY. */
MUST_CHECK status unsealed_add(unsealed *self, uint32_t source, uint64_t seq,
                               const struct image_batch *images);
/* Batches here. */
size_t unsealed_count(const unsealed *self);
/* Those of them that come next in the log's order, without a gap; none in proportion while the end
 * of a source is not known. */
size_t unsealed_count_ready(const unsealed *self);
/* The first n of those, in order; borrowed until unsealed_add or unsealed_drop. */
struct segment_batch *unsealed_ready(unsealed *self, size_t n);
/* The first n ready ones are on disk now. */
void unsealed_drop(unsealed *self, size_t n);
/* True when the end of every source is known and nothing is missing before it. */
bool unsealed_all_ready(const unsealed *self);
/* Sets bit i for batch W + i of the source that is here, W the first not on disk. */
void unsealed_bitmap(const unsealed *self, uint32_t source, size_t bytes, uint8_t bitmap[]);

#endif
