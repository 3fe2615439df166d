/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/records/image_batch.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/records/column_fault.h"

/* A sum of fractions in single precision is closer to 1 by far. */
#define INTENSITY_SUM_WITHIN 1e-3

static uint64_t batch_dropped(const struct image_batch *batch)
{
    uint64_t sum = 0;
    for (int r = 0; r < DROP_REASONS; r++)
        sum += batch->dropped[r];
    return sum;
}

uint32_t image_batch_counted(const struct image_batch *batch)
{
    return (uint32_t)(batch->read - batch->quarantined - batch_dropped(batch));
}

static const char *pixel_fault(const struct image_batch *batch, uint32_t pixels)
{
    for (size_t jet = 0; jet < 2 * (size_t)batch->events; jet++) {
        int32_t last = -1;
        for (uint32_t i = batch->offset[jet]; i < batch->offset[jet + 1]; i++) {
            if (batch->pixel[i] >= pixels || batch->pixel[i] <= last)
                return "pixels are not ascending or out of range";
            last = batch->pixel[i];
        }
        if (last < 0)
            return "an image is empty";
    }
    return NULL;
}

const char *image_batch_account_fault(const struct image_batch *batch)
{
    return batch->events + batch->quarantined + batch_dropped(batch) == batch->read
               ? NULL
               : "kept, dropped and quarantined events are not the rows that were read";
}

const char *image_batch_fault(const struct image_batch *batch, uint32_t pixels)
{
    const uint64_t gone = batch->quarantined + batch_dropped(batch);
    if (batch->events > UINT32_MAX / 4 || gone + batch->events > batch->read)
        return "rows do not add up";
    const char *fault = column_offset_fault(2 * batch->events, batch->offset, batch->lit);
    if (fault == NULL)
        fault = column_label_fault(batch->events, batch->label, -1);
    return fault != NULL ? fault : pixel_fault(batch, pixels);
}

static bool all_finite(size_t n, const float values[])
{
    bool finite = true;
    for (size_t i = 0; i < n; i++)
        finite = finite && isfinite(values[i]);
    return finite;
}

static const char *event_fault(const struct image_batch *batch)
{
    uint64_t least = batch->first_row;
    for (uint32_t e = 0; e < batch->events; e++) {
        if (!(batch->m_jj[e] >= 0) || isinf(batch->m_jj[e]))
            return "a dijet mass is no number from 0 on";
        if (batch->row[e] < least || batch->row[e] - batch->first_row >= batch->read)
            return "rows are not ascending or not the batch's own";
        least = batch->row[e] + 1;
    }
    return NULL;
}

/* A negative or NaN intensity makes the sum NaN. */
static const char *intensity_fault(const struct image_batch *batch)
{
    for (size_t jet = 0; jet < 2 * (size_t)batch->events; jet++) {
        double sum = 0;
        for (uint32_t i = batch->offset[jet]; i < batch->offset[jet + 1]; i++)
            sum += batch->intensity[i] >= 0 ? (double)batch->intensity[i] : (double)NAN;
        if (!(fabs(sum - 1) <= INTENSITY_SUM_WITHIN))
            return "the intensities of an image are no fractions of its sum";
    }
    return NULL;
}

const char *image_batch_value_fault(const struct image_batch *batch)
{
    const size_t jets = 2 * (size_t)batch->events;
    const char *fault = event_fault(batch);
    if (fault == NULL && !(all_finite(jets, batch->pt) && all_finite(jets, batch->eta) &&
                           all_finite(jets, batch->phi) && all_finite(jets, batch->mass)))
        fault = "a momentum, angle or mass of a jet is not finite";
    return fault != NULL ? fault : intensity_fault(batch);
}

/* Whether rich and depleted of a member are what its labels make of its counts. */
