/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/records/scan_record.h"

#include <math.h>
#include <stddef.h>

const char *scan_record_fault(const struct scan_record *record)
{
    if (record->windows > 0 && record->largest >= record->windows)
        return "the window with the largest pull is none of those searched";
    if (record->extrapolated > 1 || record->reached > record->toys)
        return "more toys reach the largest pull than there are, or a flag is not 0 or 1";
    if (!isfinite(record->s) || !isfinite(record->z) || !(record->ln_p <= 0) ||
        !isfinite(record->ln_p))
        return "the answer is not finite, or p is above 1";
    for (uint32_t w = 0; w < record->windows; w++)
        if (!isfinite(record->t[w]) || !isfinite(record->null_mean[w]) ||
            !(record->null_sd[w] >= 0) || record->bins[w] == 0)
            return "a window is empty, or its numbers are not finite";
    return NULL;
}
