/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cluster_selection: robust standardisation of the cluster spectra and choice of the signal-rich
 * clusters (arXiv 2402.17714, section 5). */
#ifndef COMMON_KERNELS_STATISTICS_CLUSTER_SELECTION_H
#define COMMON_KERNELS_STATISTICS_CLUSTER_SELECTION_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

struct selection_settings {
    double outlier_fraction;
    double threshold; /* theta, in standard deviations */
    double sd_factor; /* robust_sd_factor(f), or what the user gave */
};

/* Standardises one member's spectra and labels its clusters.
 * counts[k][bins] in; z[k][bins], label[k] (1: signal-rich), rich[bins], depleted[bins],
 * background[bins] out. n_ib = counts_ib / sum_b counts_ib; z per bin over the clusters that
 * have counts; any z > threshold makes a cluster rich. A cluster without counts: z = 0,
 * depleted. A bin whose sd is 0: z = 0. background = depleted x sum(rich) / sum(depleted), 0 if
 * no jet is depleted. STATUS_NO_MEMORY. */
MUST_CHECK status select_clusters(const struct selection_settings *settings, size_t k, size_t bins,
                                  const uint64_t counts[], double z[], uint8_t label[],
                                  uint64_t rich[], uint64_t depleted[], double background[]);

#endif
