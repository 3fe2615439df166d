/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image_averages: sums over the images in log folders for the figures: average images of background
 * and signal jets, numbers of non-zero pixels, and dijet masses. */
#ifndef TOOLS_CLUSTERSCAN_FIGURES_IMAGE_AVERAGES_H
#define TOOLS_CLUSTERSCAN_FIGURES_IMAGE_AVERAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/topology/schema/analysis.h"

enum picture_kind { PICTURE_BACKGROUND, PICTURE_LIGHTER, PICTURE_HEAVIER, PICTURE_KINDS };

enum { PICTURE_MASS_BINS = 1024 };

/* All but the masses count only events whose dijet mass is inside the spectrum. */
struct image_averages {
    uint64_t read;                  /* rows in the logs, at any mass */
    uint64_t unlabelled;            /* events inside the spectrum without a true label */
    uint64_t jets[PICTURE_KINDS];   /* background and unlabelled; lighter, heavier of the signal */
    double *average[PICTURE_KINDS]; /* [pixels^2] as clustered: to the power, smeared; 0 if none */
    uint64_t *lit[2]; /* [pixels^2 + 1] jets by their number of non-zero pixels: background or
                         unknown, signal */
    float *scratch;   /* [pixels^2] */
    /* Dijet masses of all events that have one, others and signal, in bins as wide as those of the
     * spectrum, one of which begins at its lower edge; the last one holds all beyond. */
    double mass_low, mass_width;
    uint64_t *mass[2]; /* [PICTURE_MASS_BINS] */
};

/* Reads every sealed segment of n folders STATE/LOG_ID. STATUS_BAD_INPUT, logged, if a segment is
 * damaged or has more pixels than `analysis` has. The averages are the caller's, to be given to
 * image_averages_fini. */
MUST_CHECK status image_averages_read(struct image_averages *out, size_t n, char *const folder[],
                                      const struct analysis *analysis);
/* Frees the arrays of *self and zeroes it. */
void image_averages_fini(struct image_averages *self);

#endif
