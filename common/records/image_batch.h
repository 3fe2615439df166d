/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image_batch: events as sparse jet images, the message that the log keeps. */
#ifndef COMMON_RECORDS_IMAGE_BATCH_H
#define COMMON_RECORDS_IMAGE_BATCH_H

#include <stdint.h>

#include "common/records/drop_reason.h"

/* Those of the rows that have two jets and two images, as sparse images. Jet 2e and
 * 2e+1 are the leading and second jet of event e. A filter at the producer may have
 * taken events out: the counts on top are always those of the whole batch. */
struct image_batch {
    uint64_t first_row;
    uint32_t read;                /* rows */
    uint32_t quarantined;         /* rows */
    uint32_t events;              /* n, kept in the arrays below */
    uint32_t lit;                 /* lit pixels (those above zero) of all images */
    const uint32_t *dropped;      /* [DROP_REASONS] rows */
    const uint64_t *row;          /* [n] over all files of the source */
    const float *m_jj;            /* [n] dijet mass */
    const int8_t *label;          /* [n] optional */
    const float *pt;              /* [2n] jet */
    const float *eta;             /* [2n] */
    const float *phi;             /* [2n] in [0, 2 pi) */
    const float *mass;            /* [2n] */
    const float *tau1;            /* [2n] N-subjettiness */
    const float *tau2;            /* [2n] */
    const float *tau3;            /* [2n] */
    const uint16_t *constituents; /* [2n] */
    const uint32_t *offset;       /* [2n + 1] jet j has entries offset[j] .. offset[j+1] - 1 */
    const uint16_t *pixel;        /* [lit] pixels_per_side x phi index + eta index, ascending */
    const float *intensity;       /* [lit] fraction of the image sum, before power and smearing */
};

/* Rows of the whole batch that became two images. */
uint32_t image_batch_counted(const struct image_batch *batch);

/* NULL, or what is wrong inside a batch whose arrays have the right lengths: offsets that go
 * backwards or past the end, labels other than -1, 0 and 1, counts that do not add up, pixels that
 * are not below `pixels` or not ascending. */
const char *image_batch_fault(const struct image_batch *batch, uint32_t pixels);
/* NULL, or what does not add up in a batch that nobody has filtered: events + dropped + quarantined
 * must be the rows read. */
const char *image_batch_account_fault(const struct image_batch *batch);

/* NULL, or what is wrong with the numbers of a batch without such a fault: masses, momenta or
 * angles that are not finite, a dijet mass below 0, rows that are not ascending within the batch's
 * own, intensities that are negative or whose sum over an image is not 1 within a thousandth. */
const char *image_batch_value_fault(const struct image_batch *batch);

#endif
