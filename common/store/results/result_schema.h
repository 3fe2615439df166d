/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_schema: what a result file holds. The path, type, shape, unit and meaning of a dataset
 * stand in its row here and nowhere else: whoever writes, reads (result_dataset.h), compares or
 * documents a dataset names it by its id. A producer's datasets are one group; another producer
 * adds ids, a group of rows, and a row to result_groups. */
#ifndef COMMON_STORE_RESULTS_RESULT_SCHEMA_H
#define COMMON_STORE_RESULTS_RESULT_SCHEMA_H

#include <stddef.h>

#include "common/store/disk/hdf5_util.h"

enum result_id {
    RESULT_EDGES,
    RESULT_DROPPED_REASON,
    RESULT_DROPPED_COUNT,
    RESULT_CODEBOOK_CENTRES,
    RESULT_CODEBOOK_INERTIA,
    RESULT_CODEBOOK_STEPS,
    RESULT_CODEBOOK_SEED,
    RESULT_MODEL_ALGORITHM,
    RESULT_MODEL_PROTOTYPES,
    RESULT_MODEL_CUTOFF,
    RESULT_MODEL_PROTOTYPE,
    RESULT_MODEL_SCALE,
    RESULT_MODEL_BIAS,
    RESULT_MODEL_MAP,
    RESULT_SPECTRA_COUNTS,
    RESULT_SELECTION_Z,
    RESULT_SELECTION_LABEL,
    RESULT_SELECTION_RICH,
    RESULT_SELECTION_DEPLETED,
    RESULT_SELECTION_BACKGROUND,
    RESULT_SCORE_MLS,
    RESULT_SCORE_BIN,
    RESULT_SCORE_MLS_MEAN,
    RESULT_SCORE_MLS_MEDIAN,
    RESULT_SCORE_MLS_MAX,
    RESULT_SCORE_MLS_MIN,
    RESULT_HISTORY_EVENTS,
    RESULT_HISTORY_MLS_MEAN,
    RESULT_TRUTH_SIGNAL_COUNTS,
    RESULT_VERDICT_NAME,
    RESULT_VERDICT_STATE,
    RESULT_VERDICT_TEXT,
    RESULT_REFUSED_FILE,
    RESULT_REFUSED_REASON,
    RESULT_QUARANTINED_FILE,
    RESULT_QUARANTINED_FIRST_ROW,
    RESULT_QUARANTINED_ROWS,
    RESULT_QUARANTINED_REASON,
    RESULT_SCAN_CLASSES,
    RESULT_SCAN_LOW,
    RESULT_SCAN_HIGH,
    RESULT_SCAN_STATISTIC,
    RESULT_SCAN_NULL_MEAN,
    RESULT_SCAN_NULL_SD,
    RESULT_SCAN_LARGEST,
    RESULT_SCAN_PULL,
    RESULT_SCAN_TOY_PULL,
    RESULT_SCAN_REACHED,
    RESULT_SCAN_LN_P,
    RESULT_SCAN_Z,
    RESULT_SCAN_EXTRAPOLATED,
    RESULT_SCAN_HISTORY_EVENTS,
    RESULT_SCAN_HISTORY_TOYS,
    RESULT_SCAN_HISTORY_LN_P,
    RESULT_SCAN_HISTORY_Z,
    RESULT_DATASETS
};

/* What an index of a dataset counts. Datasets with the same dimension have the same length in it.
 */
enum result_dimension {
    DIMENSION_MEMBER,
    DIMENSION_CLUSTER,
    DIMENSION_BIN,
    DIMENSION_EDGE,
    DIMENSION_PROTOTYPE, /* of all members, one behind the other */
    DIMENSION_PIXEL,
    DIMENSION_SLICE,
    DIMENSION_REASON,
    DIMENSION_CHECK,
    DIMENSION_FILE,
    DIMENSION_RANGE,
    DIMENSION_WINDOW,
    DIMENSION_TOY,
    DIMENSIONS
};

struct result_dimension_words {
    const char *index;  /* "edge" */
    const char *length; /* "bin + 1" */
};
extern const struct result_dimension_words result_dimensions[DIMENSIONS];

struct result_dataset {
    enum result_id id;
    const char *path; /* without the leading slash */
    enum hdf5_element element;
    int rank; /* 0: a scalar */
    enum result_dimension dimensions[HDF5_RANK_MAX];
    const char *unit; /* "1" for a pure number, "" for a text */
    const char *help; /* what it is, as a phrase */
};

struct result_group {
    const char *name; /* of the HDF5 group, with which its paths begin; "" for the root */
    size_t n;
    const struct result_dataset *datasets; /* [n] */
};

/* Ends with datasets == NULL; in the order of the ids. */
extern const struct result_group result_groups[];

const struct result_dataset *result_dataset(enum result_id id);
/* The name of the group that the dataset stands in. */
const char *result_group_name(enum result_id id);

#endif
