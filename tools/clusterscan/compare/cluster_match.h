/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cluster_match: which cluster of one training is which of another, by their centres. */
#ifndef TOOLS_CLUSTERSCAN_COMPARE_CLUSTER_MATCH_H
#define TOOLS_CLUSTERSCAN_COMPARE_CLUSTER_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

/* What is matched: the same numbers of clusters, pixels and bins on both sides. */
struct match_side {
    const float *centres;   /* [clusters, pixels] */
    const uint64_t *counts; /* [clusters, bins] */
};

struct match {
    size_t a, b;
    double distance; /* of the smeared centres */
    double overlap;  /* of the spectra: sum over the bins of the smaller count / the larger total */
};

/* out[clusters]: each cluster of both sides once, the closest two first, then the closest two of
 * those that are left, and so on; ties go to the lower numbers. The images have side x side pixels
 * and are smeared by `smear` pixels. STATUS_NO_MEMORY. */
MUST_CHECK status clusters_match(struct match out[], size_t clusters, size_t bins, uint32_t side,
                                 double smear, const struct match_side *a,
                                 const struct match_side *b);

#endif
