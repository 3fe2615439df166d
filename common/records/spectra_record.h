/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spectra_record: counts per cluster and mass bin, the message of an accumulator. */
#ifndef COMMON_RECORDS_SPECTRA_RECORD_H
#define COMMON_RECORDS_SPECTRA_RECORD_H

#include <stdint.h>

#include "common/records/tally.h"

/* One accumulator's counts from the start of the log up to and with slice. */
struct spectra_record {
    uint32_t generation;
    uint32_t members;
    uint32_t clusters;
    uint32_t bins;
    uint64_t slice;
    struct tally tally;
    uint64_t in_window;     /* events with m_jj inside the spectrum */
    uint64_t labelled;      /* those of them whose label is known */
    uint64_t digest;        /* order-free: sum of a hash of (source, row) of the in_window events */
    const uint64_t *counts; /* [members, clusters, bins] jets */
    const uint64_t *signal; /* [members, clusters, bins] jets of label 1 */
};

#endif
