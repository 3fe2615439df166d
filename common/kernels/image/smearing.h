/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smearing: the Gaussian filter G of a jet image, as scipy.ndimage.gaussian_filter has it
 * (reflecting borders, radius int(4 sigma + 0.5)). */
#ifndef COMMON_KERNELS_IMAGE_SMEARING_H
#define COMMON_KERNELS_IMAGE_SMEARING_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/cpu/vector_loops.h"

/* The smearing G of a side x side image, side in 1 .. 256 (a pixel number has 16 bits), sigma in
 * 0 .. 256 pixels; sigma 0 is the identity. */
typedef struct smearing smearing;
MUST_CHECK status smearing_create(smearing **out, uint32_t side, double sigma);
void smearing_destroy(smearing **self);
/* |G s|^2 of one sparse image. */
double smearing_norm2(const smearing *self, size_t n, const uint16_t pixel[], const float value[]);
/* out = G'G in for `lanes` images side by side: in, out [side * side][lanes], pixel-major;
 * in and out must not overlap; scratch [side * side * lanes]. */
void smearing_twice(const smearing *self, size_t lanes, const double in[], double out[],
                    double scratch[]);
/* out[side * side] = G in, one dense image. */
void smearing_once(const smearing *self, const double in[], double out[]);

/* For tests: smearing_twice, and by default every model made with it, use this set. */
void smearing_use(smearing *self, enum instruction_set set);
const struct vector_loops *smearing_loops(const smearing *self);
size_t smearing_pixels(const smearing *self);

#endif
