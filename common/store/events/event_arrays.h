/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_arrays: room for the events of a batch. Nothing outside event_*.c includes this. */
#ifndef COMMON_STORE_EVENTS_EVENT_ARRAYS_H
#define COMMON_STORE_EVENTS_EVENT_ARRAYS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

/* Where a batch is gathered; grows to the largest batch read and is then used again. */
struct event_arrays {
    size_t events_room;
    size_t particles_room;
    uint32_t *offset; /* [events_room + 1] */
    int8_t *label;    /* [events_room] */
    float *pt;        /* [particles_room] */
    float *eta;
    float *phi;
};
/* Makes room, keeping what is there. */
MUST_CHECK status event_arrays_reserve(struct event_arrays *self, size_t events, size_t particles);
void event_arrays_fini(struct event_arrays *self);

#endif
