/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_summary: what a result file says, for report, compare and whoever follows it. */
#ifndef COMMON_STORE_RESULTS_RESULT_SUMMARY_H
#define COMMON_STORE_RESULTS_RESULT_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/statistics/verdicts.h"
#include "common/records/tally.h"
#include "common/store/events/input_notes.h"

/* A verdict as a file tells it. */
struct result_verdict {
    char *name;
    enum verdict_state state;
    char *text;
};

/* What `report` needs of a result file. */
struct result_summary {
    char *run_id;
    char *log_id; /* of several logs with commas between; NULL: the file is of an earlier version,
                   * which did not tell it */
    char *version;
    char *analysis;
    struct tally tally; /* dropped[] by name; unknown reasons are an error */
    uint32_t bins;
    double *edges; /* [bins + 1] */
    size_t members;
    size_t clusters;
    double *mls;  /* [members] */
    int32_t *bin; /* [members] */
    double mls_mean, mls_median, mls_max, mls_min;
    uint8_t *label;     /* [members, clusters] */
    uint64_t *rich;     /* [members, bins] */
    uint64_t *depleted; /* [members, bins]; NULL: the file does not tell */
    double *background; /* [members, bins] */
    size_t slices;
    uint64_t *history_events; /* [slices] */
    double *history_mean;     /* [slices]; NULL: the file does not tell */
    size_t n_verdicts;        /* 0: the file is of an earlier version, which made none */
    struct result_verdict *verdicts;
    struct input_notes notes; /* sources are not told */
    bool final;               /* true also where an earlier version did not tell */
};
/* STATUS_BAD_INPUT (logged with path and dataset) if it is no result file of ours. Filled arrays
 * are the caller's, to be given to result_summary_fini. */
MUST_CHECK status result_summary_read(struct result_summary *out, const char *path);
/* The worst of its verdicts; good if it has none. */
enum verdict_state result_summary_worst(const struct result_summary *self);
/* The member with the largest significance, the lowest on a tie. */
size_t result_summary_best(const struct result_summary *self);
/* Frees what is in *self and zeroes it. */
void result_summary_fini(struct result_summary *self);

#endif
