/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replay: which logs a topology without its left half reads, and whether it may. */
#ifndef TOOLS_CLUSTERSCAN_RUN_REPLAY_H
#define TOOLS_CLUSTERSCAN_RUN_REPLAY_H

#include "common/base/status.h"
#include "common/topology/topology.h"
#include "common/wire/frame.h"

struct replay {
    char folder[4096]; /* STATE/LOG_ID */
    char log_id[RUN_ID_SIZE];
    uint32_t sources; /* that filled it */
};

/* Of log k of the topology: its settings.folder or, if it is absent and there is no other log,
 * the one log folder in `state`. STATUS_BAD_INPUT, logged, if there is none or more than one, if
 * its run has not read all of the input, or if its images were made with another batch, other jets
 * or images than the topology's `analysis` has. */
MUST_CHECK status replay_find(struct replay *out, const topology *flow, size_t k,
                              const char *state);

#endif
