/* SPDX-License-Identifier: GPL-3.0-or-later */
/* provenance: the origin of a result, for its readers after a year: topology, input files
 * with their digests, commands, host and times, as JSON beside the result. Its bytes are not
 * promised to be the same. */
#ifndef TOOLS_CLUSTERSCAN_RUN_PROVENANCE_H
#define TOOLS_CLUSTERSCAN_RUN_PROVENANCE_H

#include <time.h>

#include "tools/clusterscan/run/plan.h"

/* Writes RESULTS.provenance.json for each stage of ours with settings.provenance, whole or not at
 * all. STATUS_NO_SPACE and STATUS_IO, logged. */
MUST_CHECK status provenance_write(const struct plan *plan, time_t started);

#endif
