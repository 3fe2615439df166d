/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/records/selection_record.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool spectra_fit(const struct selection_record *selection, size_t m)
{
    const struct spectra_record *sum = &selection->summed;
    const uint64_t *counts = sum->counts + m * sum->clusters * sum->bins;
    for (size_t b = 0; b < sum->bins; b++) {
        uint64_t by_label[2] = {0};
        for (size_t c = 0; c < sum->clusters; c++)
            by_label[selection->label[m * sum->clusters + c]] += counts[c * sum->bins + b];
        if (by_label[1] != selection->rich[m * sum->bins + b] ||
            by_label[0] != selection->depleted[m * sum->bins + b])
            return false;
    }
    return true;
}

const char *selection_fault(const struct selection_record *selection)
{
    const struct spectra_record *sum = &selection->summed;
    const size_t labels = (size_t)sum->members * sum->clusters;
    const size_t bins = (size_t)sum->members * sum->bins;
    for (size_t i = 0; i < labels * sum->bins; i++)
        if (!isfinite(selection->z[i]))
            return "a z is not finite";
    for (size_t i = 0; i < labels; i++)
        if (selection->label[i] > 1)
            return "a label is not 0 or 1";
    for (size_t i = 0; i < bins; i++)
        if (!isfinite(selection->background[i]) || selection->background[i] < 0)
            return "a background is negative or not finite";
    if (!tally_adds_up(&sum->tally))
        return "counted, dropped and quarantined events are not those that were read";
    for (size_t m = 0; m < sum->members; m++)
        if (!spectra_fit(selection, m))
            return "rich and depleted are not the sums of the counts of the clusters labelled so";
    return NULL;
}
