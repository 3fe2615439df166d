/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_tables: everything a result file holds (result_file.h), for pictures and comparisons. */
#ifndef COMMON_STORE_RESULTS_RESULT_TABLES_H
#define COMMON_STORE_RESULTS_RESULT_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/store/results/result_file.h"
#include "common/store/results/result_models.h"
#include "common/store/results/result_summary.h"

struct result_tables {
    struct result_summary summary; /* members, clusters, bins, slices: the shapes below */
    size_t pixels;                 /* of an image */
    float *centres;                /* [members, clusters, pixels] */
    struct result_models models;   /* what makes labels */
    double *inertia;               /* [members] */
    uint64_t *steps;               /* [members] */
    uint64_t *seed;                /* [members] */
    uint64_t *counts;              /* [members, clusters, bins] */
    double *z;                     /* [members, clusters, bins] */
    uint64_t *depleted;            /* [members, bins] */
    uint64_t *history_events;      /* [slices] */
    double *history_mean;          /* [slices] */
    uint64_t *signal;              /* [members, clusters, bins]; NULL: no labels in the input */
};

/* STATUS_BAD_INPUT (logged with path and dataset) if it is no result file of ours, a dataset is
 * missing, of another shape or type, or holds a number that is not finite. What is filled in is the
 * caller's, to be given to result_tables_fini. */
MUST_CHECK status result_tables_read(struct result_tables *out, const char *path);
/* Frees what is in *self and zeroes it. */
void result_tables_fini(struct result_tables *self);

#endif
