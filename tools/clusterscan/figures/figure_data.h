/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure_data: the numbers that the figures of one member of a result are made of. */
#ifndef TOOLS_CLUSTERSCAN_FIGURES_FIGURE_DATA_H
#define TOOLS_CLUSTERSCAN_FIGURES_FIGURE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/store/results/result_tables.h"
#include "common/topology/schema/analysis.h"
#include "tools/clusterscan/figures/image_averages.h"

/* One member of a result, and what follows from it. Pointers into `tables` are borrowed. */
struct figure_data {
    const struct result_tables *tables;
    const struct analysis *analysis;
    const struct image_averages *pictures; /* NULL: there are no images */
    char *verdict;                         /* the text of the worst one; NULL: all are good */
    bool final;                            /* the run that makes the result has ended */
    size_t member;
    const char *chosen; /* how it was chosen, for the caption */
    size_t clusters;
    size_t bins;
    const double *edges;    /* [bins + 1] GeV */
    const uint64_t *counts; /* [clusters, bins] */
    const double *z;        /* [clusters, bins] */
    const uint8_t *rich;    /* [clusters] 1: signal-rich */
    uint64_t *jets;         /* [clusters] in the spectrum */
    double *share;          /* [clusters, bins] of the cluster's jets; 0 without jets */
    double *total;          /* [bins] share of all jets */
    double *typical;        /* [bins] statistical error of the share of a cluster of median size */
    double *plain[2];       /* [bins] mean and standard deviation of share - total */
    double *robust[2];      /* [bins] likewise, outliers cut off */
    double *centres;        /* [clusters, pixels^2] smeared */
};
/* STATUS_BAD_INPUT, logged, if centres and analysis do not fit. *self is to be given to
 * figure_data_fini whatever is returned. */
MUST_CHECK status figure_data_init(struct figure_data *self, const struct result_tables *tables,
                                   const struct analysis *analysis, size_t member);
void figure_data_fini(struct figure_data *self);

#endif
