/* SPDX-License-Identifier: GPL-3.0-or-later */
/* score_record: the answer after one slice, the message of a scorer. */
#ifndef COMMON_RECORDS_SCORE_RECORD_H
#define COMMON_RECORDS_SCORE_RECORD_H

#include <stdint.h>

/* The answer after one slice. */
struct score_record {
    uint32_t members;
    uint64_t slice;
    uint64_t read; /* rows, so far */
    double mean;   /* of mls over the members; so are the next three */
    double median;
    double max;
    double min;
    const double *mls;  /* [members] */
    const int32_t *bin; /* [members] -1: none */
};

#endif
