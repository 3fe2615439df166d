/* SPDX-License-Identifier: GPL-3.0-or-later */
/* item_spool: the items that a producer right of the log has made, for consumers that pull them,
 * however late. They are in a file without a name, so that memory does not grow with them, and are
 * gone with the process: a restarted one makes them again. What the disk has no room for, or cannot
 * take, stays in memory, which is warned of once, with the reason. */
#ifndef COMMON_FLOW_FEED_ITEM_SPOOL_H
#define COMMON_FLOW_FEED_ITEM_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/wire/frame.h"

typedef struct item_spool item_spool;

/* With its file in `folder` (where there is room for one, else in memory). STATUS_IO, logged, if
 * none can be made there. */
MUST_CHECK status item_spool_create(item_spool **out, const char *folder);
void item_spool_destroy(item_spool **self);

/* Items so far. */
uint64_t item_spool_items(const item_spool *self);
/* Adds the next item: copies its two frames. STATUS_NO_MEMORY. */
MUST_CHECK status item_spool_add(item_spool *self, const struct wire_frame frames[2]);
/* Bytes of both frames of an item. */
void item_spool_sizes(const item_spool *self, uint64_t index, size_t sizes[2]);
/* The frames of an item, of just those sizes. STATUS_IO, logged, if they cannot be read. */
MUST_CHECK status item_spool_get(const item_spool *self, uint64_t index, uint8_t header[],
                                 uint8_t payload[]);

#endif
