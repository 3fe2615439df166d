/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verdicts: what speaks against an answer. Each check looks at the last selection of a run and says
 * good, doubtful or bad, and why, in a sentence with the numbers that were found and expected.
 * docs/physics.md explains them. */
#ifndef COMMON_KERNELS_STATISTICS_VERDICTS_H
#define COMMON_KERNELS_STATISTICS_VERDICTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/statistics/mass_bins.h"
#include "common/records/selection_record.h"

enum verdict_check {
    VERDICT_COUNTS,     /* jets per cluster-bin */
    VERDICT_RICH,       /* clusters picked, against what the estimators stand */
    VERDICT_AGREEMENT,  /* members that name the same mass bin */
    VERDICT_UNSEARCHED, /* bins in which the clusters have no spread */
    VERDICT_BACKGROUND, /* bins of the depleted spectrum without a jet */
    VERDICT_DEPLETED,   /* an excess left in the depleted spectrum */
    VERDICT_TRAINING,   /* the excess inside the training window */
    VERDICT_REACHABLE,  /* whether any cluster could pass the threshold */
    VERDICT_CHECKS
};
enum verdict_state { VERDICT_GOOD, VERDICT_DOUBTFUL, VERDICT_BAD, VERDICT_STATES };
/* "counts", ...; "good", ... */
const char *verdict_name(enum verdict_check check);
const char *verdict_state_name(enum verdict_state state);

enum { VERDICT_TEXT_SIZE = 400 };
struct verdict {
    enum verdict_state state;
    char text[VERDICT_TEXT_SIZE];
};

/* Where doubtful and bad begin. */
struct verdict_settings {
    uint32_t counts;          /* jets that a cluster-bin should hold */
    double few_doubtful;      /* share of cluster-bins with fewer */
    double few_bad;           /* likewise */
    double agreement;         /* share of the members with an excess that must agree on its bin */
    double depleted_doubtful; /* standard deviations of an excess in the depleted spectrum */
    double depleted_bad;
};
extern const struct verdict_settings verdict_defaults;

/* What the checks look at. */
struct verdict_input {
    const struct selection_record *selection; /* of the last slice */
    const int32_t *bin;                       /* [members] of the largest significance, -1: none */
    struct mass_bins bins;
    double training[2]; /* window, GeV */
    double outlier_fraction;
    double threshold;
    double sd_factor;
};

/* Makes all verdicts. STATUS_NO_MEMORY. */
MUST_CHECK status verdicts_make(struct verdict out[VERDICT_CHECKS],
                                const struct verdict_settings *settings,
                                const struct verdict_input *input);
/* The worst state of all. */
enum verdict_state verdicts_worst(const struct verdict verdicts[VERDICT_CHECKS]);

/* The bin that most members name, the lowest on a tie, and how many; -1 and 0 if none names one. */
int32_t most_named_bin(size_t members, const int32_t bin[], size_t *named);

#endif
