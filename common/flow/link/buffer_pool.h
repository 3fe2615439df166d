/* SPDX-License-Identifier: GPL-3.0-or-later */
/* buffer_pool: the memory of outgoing messages. ZeroMQ returns each buffer, from a thread of its
 * own, when the bytes have left; the next message reuses it. So in a steady flow nothing is
 * allocated, and what is held is what credits have ever allowed to be on its way. */
#ifndef COMMON_FLOW_LINK_BUFFER_POOL_H
#define COMMON_FLOW_LINK_BUFFER_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

typedef struct buffer_pool buffer_pool;

MUST_CHECK status buffer_pool_create(buffer_pool **out);
/* All must have been given back. */
void buffer_pool_destroy(buffer_pool **self);

/* At least `size` bytes, to be given to buffer_pool_give; NULL if there is no memory. */
uint8_t *buffer_pool_take(buffer_pool *self, size_t size);
/* A zmq_free_fn: any thread may call it; `hint` is the struct buffer_pool. */
void buffer_pool_give(void *bytes, void *hint);

#endif
