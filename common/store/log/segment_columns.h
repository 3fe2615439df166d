/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segment_columns: the datasets of a segment as tables, for writing and reading alike. */
#ifndef COMMON_STORE_LOG_SEGMENT_COLUMNS_H
#define COMMON_STORE_LOG_SEGMENT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store/disk/hdf5_util.h"
#include "common/store/log/segment.h"

/* What a column has one element for. */
enum segment_per { PER_EVENT, PER_JET, PER_LIT_PIXEL, SEGMENT_PERS };

/* An array of image_batch, concatenated over the batches. */
struct segment_column {
    const char *name;
    enum hdf5_element element;
    enum segment_per per;
    size_t offset; /* of the pointer in struct image_batch */
};

enum segment_column_name {
    COLUMN_M_JJ,
    COLUMN_ROW,
    COLUMN_PT,
    COLUMN_ETA,
    COLUMN_PHI,
    COLUMN_MASS,
    COLUMN_TAU1,
    COLUMN_TAU2,
    COLUMN_TAU3,
    COLUMN_CONSTITUENTS,
    COLUMN_PIXEL,
    COLUMN_INTENSITY,
    COLUMN_LABEL, /* last, as it may be missing */
    SEGMENT_COLUMNS
};
extern const struct segment_column segment_columns[SEGMENT_COLUMNS];

/* A number of every batch: /batch/NAME. */
struct segment_field {
    const char *name;
    enum hdf5_element element;
    size_t offset; /* of the number in struct segment_batch */
};
enum { SEGMENT_FIELDS = 6 };
extern const struct segment_field segment_fields[SEGMENT_FIELDS];

/* How many elements of a column belong to this batch. */
size_t segment_count(const struct image_batch *images, enum segment_per per);

enum { SEGMENT_LABEL_UNKNOWN = -1 };
/* False for a batch without labels, and for one that knows none of them, which is the same. */
bool segment_label_known(const int8_t label[], size_t n);

#endif
