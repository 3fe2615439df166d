/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/link/buffer_pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>

/* In front of the bytes it describes. */
struct buffer {
    struct buffer *next;
    size_t room;
    alignas(64) uint8_t bytes[];
};

struct buffer_pool {
    pthread_mutex_t lock;
    struct buffer *free; /* the one given back last first: it is still in a cache */
};

status buffer_pool_create(buffer_pool **out)
{
    assert(out != NULL);
    *out = NULL;
    buffer_pool *self = calloc(1, sizeof *self);
    if (self == NULL || pthread_mutex_init(&self->lock, NULL) != 0) {
        free(self);
        return STATUS_NO_MEMORY;
    }
    *out = self;
    return STATUS_OK;
}

static struct buffer *pop(buffer_pool *self)
{
    pthread_mutex_lock(&self->lock);
    struct buffer *first = self->free;
    if (first != NULL)
        self->free = first->next;
    pthread_mutex_unlock(&self->lock);
    return first;
}

void buffer_pool_destroy(buffer_pool **self)
{
    if (*self == NULL)
        return;
    for (struct buffer *buffer; (buffer = pop(*self)) != NULL;)
        free(buffer);
    pthread_mutex_destroy(&(*self)->lock);
    free(*self);
    *self = NULL;
}

/* Of the next power of two: batches differ, and the next one should fit. What is not written to
 * takes no memory. */
static struct buffer *allocate(size_t size)
{
    const size_t step = alignof(struct buffer);
    size_t room = step;
    while (room < size)
        room *= 2;
    struct buffer *buffer = aligned_alloc(step, sizeof *buffer + room);
    if (buffer != NULL)
        buffer->room = room;
    return buffer;
}

uint8_t *buffer_pool_take(buffer_pool *self, size_t size)
{
    struct buffer *buffer = pop(self);
    if (buffer != NULL && buffer->room < size) {
        free(buffer);
        buffer = NULL;
    }
    if (buffer == NULL)
        buffer = allocate(size);
    return buffer != NULL ? buffer->bytes : NULL;
}

void buffer_pool_give(void *bytes, void *hint)
{
    buffer_pool *self = hint;
    struct buffer *buffer = (struct buffer *)(void *)((uint8_t *)bytes - sizeof *buffer);
    pthread_mutex_lock(&self->lock);
    buffer->next = self->free;
    self->free = buffer;
    pthread_mutex_unlock(&self->lock);
}
