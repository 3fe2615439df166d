/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image: a jet's constituents as a sparse image of pT fractions.
 * Recipe of Cluster Scanning (arXiv 2402.17714, section 3): at most 200 constituents by
 * energy; shift to the pT-weighted centroid, twice; rotate the principal axis of the
 * pT-weighted second moments onto phi; flip so that the quadrant with the largest sum of pT
 * is (+,+); histogram (phi, eta) with weight pT into side x side pixels on
 * [-half_width, half_width]^2 with numpy's convention (half-open, last edge closed); divide
 * by the sum. Power and smearing come later (model.h): the image here stays sparse. */
#ifndef COMMON_KERNELS_IMAGE_IMAGE_H
#define COMMON_KERNELS_IMAGE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

enum { IMAGE_CONSTITUENTS_MAX = 200, IMAGE_SIDE_MAX = 200 };

/* Raised by every change that may change what an image batch holds for the same events and
 * settings: jets, images, N-subjettiness, reasons to drop an event. It is part of the log id, so
 * that images of two versions never meet in one log. */
enum { IMAGING_VERSION = 1 };

typedef struct image_maker image_maker;

/* side in 1 .. IMAGE_SIDE_MAX pixels, half_width > 0. On STATUS_OK *out is the caller's. */
MUST_CHECK status image_maker_create(image_maker **out, uint32_t side, double half_width);
void image_maker_destroy(image_maker **self);

/* The image of the constituents chosen[n] (indices into pt, eta, phi; pt > 0). Writes the lit
 * pixels (side x phi index + eta index, ascending) and their fractions of the sum and
 * returns how many; 0 if nothing falls inside. pixel and intensity have room for
 * IMAGE_CONSTITUENTS_MAX. Allocates nothing. */
size_t image_make(image_maker *self, size_t n, const uint32_t chosen[], const float pt[],
                  const float eta[], const float phi[], uint16_t pixel[], float intensity[]);

#endif
