/* SPDX-License-Identifier: GPL-3.0-or-later */
/* source_extents: where the sources of a topology end, for the log to check the ends that sources
 * send.
 */
#ifndef TOOLS_CLUSTERSCAN_RUN_SOURCE_EXTENTS_H
#define TOOLS_CLUSTERSCAN_RUN_SOURCE_EXTENTS_H

#include <jansson.h>

#include "common/topology/topology.h"

/* contents[s] holds the files of stage s with their events, NULL: not known. For each source of log
 * k, in the order of the file: [batches, rows], "journal" of a followed folder, null of a foreign
 * source. A new reference, NULL when out of memory. */
json_t *source_extents(const topology *flow, size_t k, json_t *const contents[]);

#endif
