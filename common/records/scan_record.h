/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scan_record: the composition scan after one slice, the message of a composition scorer. */
#ifndef COMMON_RECORDS_SCAN_RECORD_H
#define COMMON_RECORDS_SCAN_RECORD_H

#include <stdint.h>

struct scan_record {
    uint64_t slice;
    uint64_t read;           /* rows, so far */
    uint64_t events;         /* of them inside the spectrum */
    uint32_t windows;        /* searched; 0: too few bins hold events to test anything */
    uint32_t toys;           /* 0: none were made, so there is no p-value */
    uint32_t largest;        /* window with the largest pull */
    uint32_t reached;        /* toys whose largest pull is at least that */
    uint32_t extrapolated;   /* 1: the p-value is that of a gamma with the toys' moments */
    double s;                /* the largest pull, in standard deviations of its toys */
    double ln_p;             /* of one scan, corrected for all its windows and classes */
    double z;                /* -Phi^-1(p), one-sided */
    const uint32_t *first;   /* [windows] mass bin */
    const uint32_t *bins;    /* [windows] */
    const double *t;         /* [windows] statistic */
    const double *null_mean; /* [windows] of the toys */
    const double *null_sd;   /* [windows] */
};

/* NULL, or what is wrong inside a record whose arrays have the right lengths. */
const char *scan_record_fault(const struct scan_record *record);

#endif
