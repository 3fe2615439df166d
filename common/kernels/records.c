/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/records.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A sum of fractions in single precision is closer to 1 by far. */
#define INTENSITY_SUM_WITHIN 1e-3

static const char *const message_names[MESSAGE_TYPES] = {
    [MESSAGE_NONE] = "none",
    [MESSAGE_EVENT_BATCH] = "event_batch",
    [MESSAGE_IMAGE_BATCH] = "image_batch",
    [MESSAGE_CODEBOOK] = "codebook",
    [MESSAGE_SPECTRA] = "spectra",
    [MESSAGE_SELECTION] = "selection",
    [MESSAGE_SCORE] = "score",
};

const char *message_type_name(enum message_type type)
{
    assert(type < MESSAGE_TYPES);
    return message_names[type];
}

enum message_type message_type_find(const char *name)
{
    unsigned type = 0;
    while (type < MESSAGE_TYPES && strcmp(message_names[type], name) != 0)
        type++;
    return (enum message_type)type;
}

const char *drop_reason_name(enum drop_reason reason)
{
    static const char *const names[DROP_REASONS] = {
        [DROP_NOT_FINITE] = "not_finite", [DROP_NEGATIVE_PT] = "negative_pt",
        [DROP_ETA_RANGE] = "eta_range",   [DROP_NO_JET] = "no_jet",
        [DROP_ONE_JET] = "one_jet",       [DROP_EMPTY_IMAGE] = "empty_image",
        [DROP_TOO_MANY] = "too_many",
    };
    assert(reason < DROP_REASONS);
    return names[reason];
}

const char *drop_reason_text(enum drop_reason reason)
{
    static const char *const words[DROP_REASONS] = {
        [DROP_NOT_FINITE] = "a momentum or angle is not a finite number",
        [DROP_NEGATIVE_PT] = "a transverse momentum is negative",
        [DROP_ETA_RANGE] = "a particle lies beyond |eta| = 10",
        [DROP_NO_JET] = "no jet above pt_min",
        [DROP_ONE_JET] = "a single jet above pt_min",
        [DROP_EMPTY_IMAGE] = "a jet without anything inside its image",
        [DROP_TOO_MANY] = "more than 40000 particles",
    };
    static_assert(EVENT_PARTICLES_MAX == 40000, "the words say so");
    assert(reason < DROP_REASONS);
    return words[reason];
}

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

static const char *offset_fault(uint32_t n, const uint32_t offset[], uint32_t end)
{
    if (offset[0] != 0 || offset[n] != end)
        return "offsets do not span the entries";
    for (uint32_t i = 0; i < n; i++)
        if (offset[i] > offset[i + 1])
            return "offsets go backwards";
    return NULL;
}

static const char *label_fault(uint32_t n, const int8_t label[], int8_t least)
{
    for (uint32_t i = 0; label != NULL && i < n; i++)
        if (label[i] < least || label[i] > 1)
            return "a label is not 0 or 1";
    return NULL;
}

const char *event_batch_fault(const struct event_batch *batch)
{
    const char *fault = offset_fault(batch->events, batch->offset, batch->particles);
    return fault != NULL ? fault : label_fault(batch->events, batch->label, 0);
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
    const char *fault = offset_fault(2 * batch->events, batch->offset, batch->lit);
    if (fault == NULL)
        fault = label_fault(batch->events, batch->label, -1);
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

void tally_add(struct tally *a, const struct tally *b)
{
    a->read += b->read;
    a->counted += b->counted;
    a->quarantined += b->quarantined;
    for (int r = 0; r < DROP_REASONS; r++)
        a->dropped[r] += b->dropped[r];
}

void tally_add_batch(struct tally *a, const struct image_batch *batch)
{
    a->read += batch->read;
    a->counted += image_batch_counted(batch);
    a->quarantined += batch->quarantined;
    for (int r = 0; r < DROP_REASONS; r++)
        a->dropped[r] += batch->dropped[r];
}

uint64_t tally_dropped(const struct tally *self)
{
    uint64_t sum = 0;
    for (int r = 0; r < DROP_REASONS; r++)
        sum += self->dropped[r];
    return sum;
}

int tally_adds_up(const struct tally *self)
{
    return self->read == self->counted + tally_dropped(self) + self->quarantined;
}
