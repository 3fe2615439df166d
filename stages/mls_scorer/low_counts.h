/* SPDX-License-Identifier: GPL-3.0-or-later */
/* low_counts: tells where the counts of a final selection are too small for what is made of them.
 */
#ifndef STAGES_MLS_SCORER_LOW_COUNTS_H
#define STAGES_MLS_SCORER_LOW_COUNTS_H

#include "common/kernels/records.h"

/* Below this the fluctuations of a bin are not those of a normal distribution, which the robust
 * standardisation and its threshold take them for. */
enum { LOW_COUNT = 20 };

/* A warning that counts the cluster-bins below LOW_COUNT jets and names the first few by member,
 * cluster and bin, and one for the clusters without any jet (which are taken as depleted, with
 * z = 0). Nothing if there are none. */
void low_counts_tell(const struct selection_record *selection);

#endif
