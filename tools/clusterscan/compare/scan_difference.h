/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scan_difference: what differs between the result files of two composition scans, as JSON. */
#ifndef TOOLS_CLUSTERSCAN_COMPARE_SCAN_DIFFERENCE_H
#define TOOLS_CLUSTERSCAN_COMPARE_SCAN_DIFFERENCE_H

#include <jansson.h>

#include "common/store/results/scan_file.h"

/* {"kind": "scan", "equal": bool, "p": [a, b], "z": [a, b], "window_gev": [[lo, hi], [lo, hi]],
 * "toys": [a, b], "datasets": [{"name", "numbers": [a, b]} of other lengths, or {"name", "numbers",
 * "differ", "largest"}]}: p and z are null without toys, windows where none was searched; only
 * datasets that differ are listed. A new reference, NULL when out of memory. */
json_t *scan_difference_find(const struct scan_summary scans[2]);

#endif
