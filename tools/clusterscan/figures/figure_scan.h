/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure_scan: the figure of a composition scan: the pull of every mass window, the largest pulls
 * of the toys with that of the events, and the significance after every slice. */
#ifndef TOOLS_CLUSTERSCAN_FIGURES_FIGURE_SCAN_H
#define TOOLS_CLUSTERSCAN_FIGURES_FIGURE_SCAN_H

#include "common/base/status.h"
#include "common/store/results/scan_file.h"
#include "tools/clusterscan/figures/gnuplot.h"

#define FIGURE_SCAN_NAME  "scan"
#define FIGURE_SCAN_TITLE "the composition scan: pulls, toys, and how the significance grew"

/* Makes table and script, which are the caller's, to be freed. STATUS_BAD_INPUT, logged, if the
 * scan has no p-value; STATUS_NO_MEMORY. */
MUST_CHECK status figure_scan_make(const struct scan_summary *scan, struct drawing *out);

#endif
