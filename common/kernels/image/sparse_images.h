/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sparse_images: many jet images, each as the list of its lit pixels, those above zero. */
#ifndef COMMON_KERNELS_IMAGE_SPARSE_IMAGES_H
#define COMMON_KERNELS_IMAGE_SPARSE_IMAGES_H

#include <stddef.h>
#include <stdint.h>

/* n sparse images: image i has entries offset[i] .. offset[i+1] - 1; pixels ascending. */
struct sparse_images {
    size_t n;
    const uint64_t *offset; /* [n + 1] */
    const uint16_t *pixel;
    const float *value; /* s: sums to 1 per image */
};

#endif
