/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keep: the items that a producer right of the log has made, for whoever asks for them, however
 * late. They lie in a file without a name, so that memory does not grow with them, and are gone
 * with the process: a restarted one makes them again. What the disk has no room for, or cannot
 * take, stays in memory, which is warned of once, with the reason. */
#ifndef COMMON_FLOW_KEEP_H
#define COMMON_FLOW_KEEP_H

#include <stddef.h>
#include <stdint.h>

#include "common/status/status.h"
#include "common/wire/frame.h"

typedef struct keep keep;

/* With its file in `folder` (where there is room for one, else in memory). STATUS_IO, logged, if
 * none can be made there. */
MUST_CHECK status keep_create(keep **out, const char *folder);
void keep_destroy(keep **self);

/* Items so far. */
uint64_t keep_items(const keep *self);
/* Adds the next item: copies its two frames. STATUS_NO_MEMORY. */
MUST_CHECK status keep_add(keep *self, const struct wire_frame frames[2]);
/* Bytes of both frames of an item. */
void keep_sizes(const keep *self, uint64_t index, size_t sizes[2]);
/* The frames of an item, of just those sizes. STATUS_IO, logged, if they cannot be read. */
MUST_CHECK status keep_get(const keep *self, uint64_t index, uint8_t header[], uint8_t payload[]);

#endif
