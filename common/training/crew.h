/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crew: the members of an ensemble trained by several threads, handed over in order.
 * A member depends on its settings and the training set alone, so it is the same for any
 * number of threads. */
#ifndef COMMON_TRAINING_CREW_H
#define COMMON_TRAINING_CREW_H

#include <stddef.h>
#include <stdint.h>

#include "common/kernels/clustering/kmeans.h"

/* What all members share. */
struct crew_task {
    struct kmeans_settings settings; /* member is set by the crew */
    size_t pixels;                   /* of an image */
    const smearing *smear;
    const struct sparse_images *images;
    const double *norm2;
};

/* A trained member. */
struct crew_member {
    uint32_t member;
    struct kmeans_result result;
    float *centres; /* [k][pixels], the caller's, to be freed */
};

typedef struct crew crew;

/* Starts training the members first, first + step, ... below end (at least one) with at most
 * `threads` > 0 threads. What *task points at is borrowed until crew_stop. STATUS_NO_MEMORY, also
 * if there can be no thread. */
MUST_CHECK status crew_start(crew **out, const struct crew_task *task, uint32_t first,
                             uint32_t step, uint32_t end, unsigned threads);
/* Waits for the members that are at work, forgets all that were not taken, frees *self. Returns how
 * many members were begun. */
uint32_t crew_stop(crew **self);

/* The next member in order. Waits for it at most wait_ms: out->centres is NULL if it is not ready
 * then, and when all were taken. What training it failed with. */
MUST_CHECK status crew_take(crew *self, unsigned wait_ms, struct crew_member *out);

#endif
