/* SPDX-License-Identifier: GPL-3.0-or-later */
/* power: intensities raised to a power, the values that are clustered (arXiv 2402.17714, section
 * 3). */
#ifndef COMMON_KERNELS_IMAGE_POWER_H
#define COMMON_KERNELS_IMAGE_POWER_H

#include <stddef.h>

/* s of one image: fractions^power divided by their sum (power 0: occupancy); sums and powers
 * in double, rounded once. out may be intensity. n > 0. */
void image_to_power(size_t n, const float intensity[], double power, float out[]);

#endif
