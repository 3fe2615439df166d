/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/clustering/training_sample.h"

#include <stdlib.h>
#include <string.h>

void training_sample_fini(struct training_sample *self)
{
    free(self->image);
    free(self->offset);
    free(self->pixel);
    free(self->value);
}

status training_sample_init(struct training_sample *self, size_t n, size_t longest)
{
    *self = (struct training_sample){.n = n};
    self->image = calloc(n, sizeof *self->image);
    self->offset = calloc(n + 1, sizeof *self->offset);
    self->pixel = malloc((n * longest + 1) * sizeof *self->pixel);
    self->value = malloc((n * longest + 1) * sizeof *self->value);
    return self->image != NULL && self->offset != NULL && self->pixel != NULL && self->value != NULL
               ? STATUS_OK
               : STATUS_NO_MEMORY;
}

/* Prefetches the pixels of an image that is copied soon: drawn images are scattered over memory. */
static void fetch(const struct sparse_images *images, uint64_t image)
{
    enum { LINE = 64 };
    const uint64_t first = images->offset[image], end = images->offset[image + 1];
    for (uint64_t i = first; i < end; i += LINE / sizeof *images->value)
        __builtin_prefetch(images->value + i);
    for (uint64_t i = first; i < end; i += LINE / sizeof *images->pixel)
        __builtin_prefetch(images->pixel + i);
}

void training_sample_fill(struct training_sample *self, const struct sparse_images *images)
{
    enum { AHEAD = 12 };
    for (size_t i = 0; i < self->n; i++) {
        if (i + 2 * AHEAD < self->n)
            __builtin_prefetch(images->offset + self->image[i + 2 * AHEAD]);
        if (i + AHEAD < self->n)
            fetch(images, self->image[i + AHEAD]);
        const struct sparse_image jet = sparse_image_of(images, self->image[i]);
        memcpy(self->pixel + self->offset[i], jet.pixel, jet.n * sizeof *jet.pixel);
        memcpy(self->value + self->offset[i], jet.value, jet.n * sizeof *jet.value);
        self->offset[i + 1] = self->offset[i] + jet.n;
    }
}
