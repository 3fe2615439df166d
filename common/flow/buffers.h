/* SPDX-License-Identifier: GPL-3.0-or-later */
/* buffers: the memory of messages on their way out. ZeroMQ gives each back, from a thread of its
 * own, when the bytes have left; the next message takes it again. So in a steady flow nothing is
 * allocated, and what is held is what credits have ever allowed to be on its way. */
#ifndef COMMON_FLOW_BUFFERS_H
#define COMMON_FLOW_BUFFERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/status/status.h"

typedef struct buffers buffers;

MUST_CHECK status buffers_create(buffers **out);
/* All must have been given back. */
void buffers_destroy(buffers **self);

/* At least `size` bytes, to be given to buffers_give; NULL if there is no memory. */
uint8_t *buffers_take(buffers *self, size_t size);
/* A zmq_free_fn: any thread may call it; `hint` is the struct buffers. */
void buffers_give(void *bytes, void *hint);

#endif
