/* SPDX-License-Identifier: GPL-3.0-or-later */
/* selection_record: which clusters are signal-rich, the message of a selector. */
#ifndef COMMON_RECORDS_SELECTION_RECORD_H
#define COMMON_RECORDS_SELECTION_RECORD_H

#include <stdint.h>

#include "common/records/spectra_record.h"

/* What the selector made of the summed spectra of one slice. */
struct selection_record {
    struct spectra_record summed; /* over all accumulators */
    const double *z;              /* [members, clusters, bins] */
    const uint8_t *label;         /* [members, clusters] 1: signal-rich */
    const uint64_t *rich;         /* [members, bins] */
    const uint64_t *depleted;     /* [members, bins] */
    const double *background;     /* [members, bins] */
};

/* NULL, or what is wrong inside a selection whose arrays have the right lengths: numbers that are
 * not finite or negative, labels other than 0 and 1, a tally that does not add up, and rich or
 * depleted spectra that are not the sums of the clusters' counts with that label. */
const char *selection_fault(const struct selection_record *selection);

#endif
