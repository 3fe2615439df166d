/* SPDX-License-Identifier: GPL-3.0-or-later */
/* waiting: the batches that have arrived and are not on disk yet, and whose turn it is. The order
 * is (seq, source), a source being skipped once it is known to have ended; or each source evenly
 * over the whole: ((seq + 1/2) / n, source), n being the number of batches of that source. */
#ifndef STAGES_IMAGE_LOG_WAITING_H
#define STAGES_IMAGE_LOG_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store/segment.h"

typedef struct waiting waiting;

enum waiting_order { WAITING_ROUNDS, WAITING_PROPORTIONAL };

/* For n_sources > 0 sources of which `window` > 0 batches each may wait. */
MUST_CHECK status waiting_create(waiting **out, uint32_t n_sources, uint32_t window,
                                 enum waiting_order order);
void waiting_destroy(waiting **self);

/* Batches of a source below seq are on disk already. While nothing is here. */
void waiting_start(waiting *self, uint32_t source, uint64_t seq);
/* Forgets all batches that are here, for a log that goes on from elsewhere; the ends of the sources
 * stay known. */
void waiting_clear(waiting *self);
/* The source has so many batches in all, and so many rows. */
void waiting_end(waiting *self, uint32_t source, uint64_t batches, uint64_t rows);
struct waiting_extent {
    uint64_t batches; /* UINT64_MAX: not known */
    uint64_t rows;
};
struct waiting_extent waiting_extent(const waiting *self, uint32_t source);
/* Whether all of them are known. */
bool waiting_ends_known(const waiting *self);

/* Copies a batch in, unless it is here or on disk already (STATUS_OK too). STATUS_END: it is beyond
 * the window. STATUS_NO_MEMORY. */
MUST_CHECK status waiting_add(waiting *self, uint32_t source, uint64_t seq,
                              const struct image_batch *images);
/* Batches here. */
size_t waiting_count(const waiting *self);
/* Those of them that come next in the log's order, without a gap; none in proportion while the end
 * of a source is not known. */
size_t waiting_count_ready(const waiting *self);
/* The first n of those, in order; borrowed until waiting_add or waiting_drop. */
struct segment_batch *waiting_ready(waiting *self, size_t n);
/* The first n ready ones are on disk now. */
void waiting_drop(waiting *self, size_t n);
/* True when the end of every source is known and nothing is missing before it. */
bool waiting_all_ready(const waiting *self);
/* Sets bit i for batch W + i of the source that is here, W the first not on disk. */
void waiting_bitmap(const waiting *self, uint32_t source, size_t bytes, uint8_t bitmap[]);

#endif
