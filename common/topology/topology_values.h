/* SPDX-License-Identifier: GPL-3.0-or-later */
/* topology_values: the checks of values of a draft that concern several keys. */
#ifndef COMMON_TOPOLOGY_TOPOLOGY_VALUES_H
#define COMMON_TOPOLOGY_TOPOLOGY_VALUES_H

#include "common/topology/topology_draft.h"

/* Notes values that are right by themselves but not together. */
void draft_check_values(struct draft *self);

#endif
