/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scan_file: the result file of a composition scorer, written whole or not at all, and read back.
 * It has the attributes and drop reasons of every result (result_attributes.h), the edges of the
 * mass bins, and the group of the scan (result_schema.h). */
#ifndef COMMON_STORE_RESULTS_SCAN_FILE_H
#define COMMON_STORE_RESULTS_SCAN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/statistics/mass_bins.h"
#include "common/records/scan_record.h"
#include "common/store/results/result_attributes.h"

/* What is written; all is borrowed. */
struct scan_result {
    struct result_origin origin;
    struct mass_bins bins;
    size_t members;
    const uint32_t *classes;        /* [members] */
    const struct scan_record *scan; /* of the last slice */
    const double *toy_pull;         /* [scan->toys] */
    size_t slices;
    const uint64_t *history_events; /* [slices]; so are the next three */
    const uint32_t *history_toys;
    const double *history_ln_p;
    const double *history_z;
};
/* Errors are those of result_output_write; STATUS_BAD_SHAPE, logged, if the tally does not add up.
 */
MUST_CHECK status scan_file_write(const char *path, const struct scan_result *result);

/* What is read; all is owned. */
struct scan_summary {
    struct result_attributes about;
    uint32_t n_bins;
    double *edges; /* [n_bins + 1] */
    size_t members;
    uint32_t *classes; /* [members] */
    size_t windows;    /* 0: nothing could be tested */
    double *low;       /* [windows] GeV; so are the next four, the last three of pure numbers */
    double *high;
    double *statistic;
    double *null_mean;
    double *null_sd;
    size_t toys; /* 0: there is no p-value */
    double *toy_pull;
    uint32_t largest;
    uint32_t reached;
    bool extrapolated;
    double pull;
    double ln_p;
    double z;
    size_t slices;
    uint64_t *history_events; /* [slices]; so are the next three */
    uint32_t *history_toys;
    double *history_ln_p;
    double *history_z;
};
/* Whether path is the result file of a composition scorer; logs nothing. */
bool scan_file_is(const char *path);
/* STATUS_BAD_INPUT, logged with path and dataset, if it is none. *out is to be given to
 * scan_summary_fini whatever is returned. */
MUST_CHECK status scan_summary_read(struct scan_summary *out, const char *path);
void scan_summary_fini(struct scan_summary *self);

#endif
