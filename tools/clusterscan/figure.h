/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure: the figures of a result, each a table of numbers and a gnuplot script that draws it.
 * They are those of the paper (arXiv 2402.17714) that follow from one result; the numbers are its
 * too. Colours are of Okabe and Ito's set, told apart in grey print by width and dashes too. */
#ifndef TOOLS_CLUSTERSCAN_FIGURE_H
#define TOOLS_CLUSTERSCAN_FIGURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/status/status.h"
#include "common/store/result_tables.h"
#include "common/topology/analysis.h"
#include "tools/clusterscan/log_pictures.h"

/* One member of a result, and what follows from it. Pointers into `tables` are borrowed. */
struct figure_data {
    const struct result_tables *tables;
    const struct analysis *analysis;
    const struct log_pictures *pictures; /* NULL: no images at hand */
    size_t member;
    size_t clusters;
    size_t bins;
    const double *edges;    /* [bins + 1] GeV */
    const uint64_t *counts; /* [clusters, bins] */
    const double *z;        /* [clusters, bins] */
    const uint8_t *rich;    /* [clusters] 1: signal-rich */
    uint64_t *jets;         /* [clusters] in the spectrum */
    double *share;          /* [clusters, bins] of the cluster's jets; 0 without jets */
    double *total;          /* [bins] share of all jets */
    double *plain[2];       /* [bins] mean and standard deviation of share - total */
    double *robust[2];      /* [bins] likewise, outliers cut off */
    double *centres;        /* [clusters, pixels^2] smeared */
};
/* STATUS_BAD_INPUT, logged, if centres and analysis do not fit. Give it to figure_data_fini
 * whatever comes back. */
MUST_CHECK status figure_data_init(struct figure_data *self, const struct result_tables *tables,
                                   const struct analysis *analysis, size_t member);
void figure_data_fini(struct figure_data *self);

enum figure_needs { NEEDS_RESULT, NEEDS_IMAGES, NEEDS_LABELS /* and images */ };

struct figure {
    const char *name; /* of its files, without suffix */
    const char *title;
    enum figure_needs needs;
    double width_cm, height_cm;
    double (*height_of)(const struct figure_data *data); /* in place of height_cm; NULL: none */
    void (*table)(const struct figure_data *data, FILE *to);
    void (*script)(const struct figure_data *data, FILE *to);
};

extern const struct figure figure_average_images; /* 1 */
extern const struct figure figure_cluster_images; /* beside it */
extern const struct figure figure_normalised;     /* 2 */
extern const struct figure figure_standardised;   /* 3 */
extern const struct figure figure_rich;           /* 4 */
extern const struct figure figure_lit_pixels;     /* 6 */
extern const struct figure figure_z;              /* 8 */
extern const struct figure figure_deviations;     /* 9 */

/* The small grey line at the foot of every figure: which member of which run. */
void figure_print_foot(const struct figure_data *data, FILE *to);

#endif
