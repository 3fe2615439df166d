/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_schema: every dataset of a result file, with its type, shape, unit and meaning. */
#ifndef COMMON_STORE_RESULTS_RESULT_SCHEMA_H
#define COMMON_STORE_RESULTS_RESULT_SCHEMA_H

#include <hdf5.h>
#include <stdbool.h>

struct result_dataset {
    const char *path;  /* without the leading slash */
    const char *type;  /* "u64", "f32", "text", ... */
    const char *shape; /* "[member, bin]"; "" for a scalar */
    const char *unit;  /* "1" for a pure number, "" for a text */
    const char *help;  /* what it is, as a phrase */
};

/* Ends with path == NULL. */
extern const struct result_dataset result_schema[];

/* Gives each dataset that the file has its attributes `units` and `description`. False if HDF5
 * refuses. */
bool result_schema_describe(hid_t file);

#endif
