/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segment_digest: what batches say, whatever file they lie in. */
#include "common/store/log/segment_digest.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <xxhash.h>

#include "common/store/log/segment_columns.h"

static const void *array_of(const struct image_batch *images, const struct segment_column *column)
{
    const void *array;
    memcpy(&array, (const char *)images + column->offset, sizeof array);
    return array;
}

bool segment_label_known(const int8_t label[], size_t n)
{
    for (size_t e = 0; label != NULL && e < n; e++)
        if (label[e] != SEGMENT_LABEL_UNKNOWN)
            return true;
    return false;
}

static void add_columns(XXH3_state_t *state, const struct image_batch *images)
{
    const bool labelled = segment_label_known(images->label, images->events);
    for (size_t c = 0; c < SEGMENT_COLUMNS; c++) {
        const struct segment_column *column = &segment_columns[c];
        const size_t n = segment_count(images, column->per);
        if (n > 0 && (c != COLUMN_LABEL || labelled))
            XXH3_128bits_update(state, array_of(images, column),
                                n * hdf5_element_size(column->element));
    }
}

static void add_batch(XXH3_state_t *state, const struct segment_batch *batch)
{
    for (size_t f = 0; f < SEGMENT_FIELDS; f++) {
        const struct segment_field *field = &segment_fields[f];
        XXH3_128bits_update(state, (const char *)batch + field->offset,
                            hdf5_element_size(field->element));
    }
    const struct image_batch *images = &batch->images;
    XXH3_128bits_update(state, images->dropped, DROP_REASONS * sizeof *images->dropped);
    XXH3_128bits_update(state, images->offset,
                        (segment_count(images, PER_JET) + 1) * sizeof *images->offset);
    add_columns(state, images);
}

status segment_digest(size_t n, const struct segment_batch batches[], uint8_t out[16])
{
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL)
        return STATUS_NO_MEMORY;
    XXH3_128bits_reset(state);
    for (size_t b = 0; b < n; b++)
        add_batch(state, &batches[b]);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
    static_assert(sizeof canonical == 16, "128 bits");
    memcpy(out, &canonical, sizeof canonical);
    XXH3_freeState(state);
    return STATUS_OK;
}
