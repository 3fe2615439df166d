/* SPDX-License-Identifier: GPL-3.0-or-later */
/* topology_flow: the checks of what flows between the stages of a draft. */
#ifndef COMMON_TOPOLOGY_TOPOLOGY_FLOW_H
#define COMMON_TOPOLOGY_TOPOLOGY_FLOW_H

#include <stddef.h>

#include "common/topology/topology_draft.h"

/* Fills the inputs of every stage from its `from`, and order[n]: producers first, without stages in
 * a circle; returns how many. Notes names of no stage, stages that feed themselves and circles. */
size_t draft_connect(struct draft *self, size_t order[]);
/* Fills role, output and input types; notes what does not fit. */
void draft_check_flow(struct draft *self, size_t n_order, const size_t order[]);

#endif
