/* SPDX-License-Identifier: GPL-3.0-or-later */
/* codebook_record: one trained member of the ensemble, the message of a trainer. */
#ifndef COMMON_RECORDS_CODEBOOK_RECORD_H
#define COMMON_RECORDS_CODEBOOK_RECORD_H

#include <stdint.h>

/* One trained member of the ensemble. */
struct codebook_record {
    uint32_t member;
    uint32_t generation; /* 1: the only training of a run */
    uint32_t clusters;   /* k */
    uint32_t pixels;     /* per image */
    uint64_t jets;       /* trained on */
    uint64_t steps;      /* mini-batches */
    uint64_t seed;
    double inertia;       /* sum of squared distances of all training jets */
    double window[2];     /* training window in m_jj, half-open */
    const float *centres; /* [k, pixels] pre-image space, power applied */
    const float *bias;    /* [k] m.(G'G m) of every centre m */
};

#endif
