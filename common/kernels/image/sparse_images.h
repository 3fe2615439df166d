/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sparse_images: many jet images, each as the list of its lit pixels, those above zero. */
#ifndef COMMON_KERNELS_IMAGE_SPARSE_IMAGES_H
#define COMMON_KERNELS_IMAGE_SPARSE_IMAGES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* n sparse images: image i has entries offset[i] .. offset[i+1] - 1; pixels ascending. */
struct sparse_images {
    size_t n;
    const uint64_t *offset; /* [n + 1] */
    const uint16_t *pixel;
    const float *value; /* s: sums to 1 per image */
};

/* One of them. */
struct sparse_image {
    size_t n;
    const uint16_t *pixel;
    const float *value;
};

static inline struct sparse_image sparse_image_of(const struct sparse_images *images, uint64_t i)
{
    const uint64_t first = images->offset[i];
    return (struct sparse_image){(size_t)(images->offset[i + 1] - first), images->pixel + first,
                                 images->value + first};
}

/* Image i with all its pixels, dense[pixels]. */
static inline void sparse_image_spread(const struct sparse_images *images, uint64_t i,
                                       size_t pixels, float dense[])
{
    const struct sparse_image image = sparse_image_of(images, i);
    memset(dense, 0, pixels * sizeof *dense);
    for (size_t j = 0; j < image.n; j++)
        dense[image.pixel[j]] = image.value[j];
}

#endif
