/* SPDX-License-Identifier: GPL-3.0-or-later */
/* training_sample: copies of drawn images, one behind the other: to go through them again is then
 * cheap. Not for callers outside this room. */
#ifndef COMMON_KERNELS_CLUSTERING_TRAINING_SAMPLE_H
#define COMMON_KERNELS_CLUSTERING_TRAINING_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/image/sparse_images.h"

struct training_sample {
    size_t n;
    uint64_t *image;  /* [n] indices of the drawn images */
    uint64_t *offset; /* [n + 1] */
    uint16_t *pixel;  /* room for n images of any length */
    float *value;
};

/* Room for n images of at most `longest` pixels. *self is to be given to training_sample_fini
 * whatever is returned. */
MUST_CHECK status training_sample_init(struct training_sample *self, size_t n, size_t longest);
void training_sample_fini(struct training_sample *self);
/* Copies the images whose indices stand in self->image. Allocates nothing. */
void training_sample_fill(struct training_sample *self, const struct sparse_images *images);
/* The copies as sparse images; borrowed. */
static inline struct sparse_images training_sample_view(const struct training_sample *self)
{
    return (struct sparse_images){self->n, self->offset, self->pixel, self->value};
}

#endif
