/* SPDX-License-Identifier: GPL-3.0-or-later */
/* topology_shared: settings of a stage that all stages must know. They may stand with the stage or
 * in `analysis`, and mean the same there. */
#ifndef COMMON_TOPOLOGY_TOPOLOGY_SHARED_H
#define COMMON_TOPOLOGY_TOPOLOGY_SHARED_H

#include "common/topology/key_entry.h"
#include "common/topology/topology_draft.h"

/* Moves such settings of all stages into the analysis, so that a topology is the same whichever way
 * it is written. Notes a value that differs from that in `analysis` or of an earlier stage. */
void draft_share_settings(struct draft *self);
/* Where the file sets the value at `offset` of struct analysis: in `analysis`, else in the
 * settings of a stage; both NULL where it does not. */
struct key_entry draft_shared_entry(const struct draft *self, size_t offset);

#endif
