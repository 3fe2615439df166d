/* SPDX-License-Identifier: GPL-3.0-or-later */
/* preflight: checks that every output of a run can be written, before anything starts: a missing
 * folder should not end a run after hours. */
#ifndef TOOLS_CLUSTERSCAN_RUN_PREFLIGHT_H
#define TOOLS_CLUSTERSCAN_RUN_PREFLIGHT_H

#include "common/base/status.h"
#include "common/topology/topology.h"

/* STATUS_BAD_INPUT unless every result file of our own stages can be made or replaced; all that
 * cannot are logged, with key, path and reason. */
MUST_CHECK status preflight_check(const topology *flow);

#endif
