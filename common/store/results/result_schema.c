/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/results/result_schema.h"

#include <assert.h>

const struct result_dimension_words result_dimensions[DIMENSIONS] = {
    [DIMENSION_MEMBER] = {"member", "member"},
    [DIMENSION_CLUSTER] = {"cluster", "cluster"},
    [DIMENSION_BIN] = {"bin", "bin"},
    [DIMENSION_EDGE] = {"edge", "bin + 1"},
    [DIMENSION_PIXEL] = {"pixel", "pixel"},
    [DIMENSION_SLICE] = {"slice", "slice"},
    [DIMENSION_REASON] = {"reason", "reason"},
    [DIMENSION_CHECK] = {"check", "check"},
    [DIMENSION_PROTOTYPE] = {"prototype", "prototype"},
    [DIMENSION_FILE] = {"file", "file"},
    [DIMENSION_RANGE] = {"range", "range"},
    [DIMENSION_WINDOW] = {"window", "window"},
    [DIMENSION_TOY] = {"toy", "toy"},
};

/* Rank and dimensions. */
#define SCALAR \
    0,         \
    {          \
        0      \
    }
#define BY1(a)        \
    1,                \
    {                 \
        DIMENSION_##a \
    }
#define BY2(a, b)                    \
    2,                               \
    {                                \
        DIMENSION_##a, DIMENSION_##b \
    }
#define BY3(a, b, c)                                \
    3,                                              \
    {                                               \
        DIMENSION_##a, DIMENSION_##b, DIMENSION_##c \
    }

static const struct result_dataset root_group[] = {
    {RESULT_EDGES, "edges", HDF5_F64, BY1(EDGE), "GeV",
     "edges of the mass bins, which are half-open"},
};

static const struct result_dataset dropped_group[] = {
    {RESULT_DROPPED_REASON, "dropped/reason", HDF5_TEXT, BY1(REASON), "",
     "why an event that was read is not counted"},
    {RESULT_DROPPED_COUNT, "dropped/count", HDF5_U64, BY1(REASON), "events",
     "events dropped for that reason"},
};

static const struct result_dataset codebook_group[] = {
    {RESULT_CODEBOOK_CENTRES, "codebook/centres", HDF5_F32, BY3(MEMBER, CLUSTER, PIXEL), "1",
     "k-means centres before smearing, power applied"},
    {RESULT_CODEBOOK_INERTIA, "codebook/inertia", HDF5_F64, BY1(MEMBER), "1",
     "sum of squared distances of the training jets"},
    {RESULT_CODEBOOK_STEPS, "codebook/steps", HDF5_U64, BY1(MEMBER), "1",
     "mini-batches of the training"},
    {RESULT_CODEBOOK_SEED, "codebook/seed", HDF5_U64, BY1(MEMBER), "1",
     "key of the member's random numbers"},
};

static const struct result_dataset model_group[] = {
    {RESULT_MODEL_ALGORITHM, "model/algorithm", HDF5_TEXT, BY1(MEMBER), "", "what trained it"},
    {RESULT_MODEL_PROTOTYPES, "model/prototypes", HDF5_U32, BY1(MEMBER), "1",
     "how many prototypes it has"},
    {RESULT_MODEL_CUTOFF, "model/cutoff", HDF5_F64, BY1(MEMBER), "1",
     "jets whose least score is above it are of the last cluster; infinity: none"},
    {RESULT_MODEL_PROTOTYPE, "model/prototype", HDF5_F32, BY2(PROTOTYPE, PIXEL), "1",
     "those of all members one behind the other, c, before smearing, power applied"},
    {RESULT_MODEL_SCALE, "model/scale", HDF5_F64, BY1(PROTOTYPE), "1",
     "of its score, scale abs(x - c)^2 + bias"},
    {RESULT_MODEL_BIAS, "model/bias", HDF5_F64, BY1(PROTOTYPE), "1", "of its score"},
    {RESULT_MODEL_MAP, "model/map", HDF5_U16, BY1(PROTOTYPE), "1",
     "cluster of the jets that have their least score here"},
};

static const struct result_dataset spectra_group[] = {
    {RESULT_SPECTRA_COUNTS, "spectra/counts", HDF5_U64, BY3(MEMBER, CLUSTER, BIN), "jets",
     "jets per cluster and mass bin"},
};

static const struct result_dataset selection_group[] = {
    {RESULT_SELECTION_Z, "selection/z", HDF5_F64, BY3(MEMBER, CLUSTER, BIN), "standard deviations",
     "robustly standardised share of a cluster's jets in a bin"},
    {RESULT_SELECTION_LABEL, "selection/label", HDF5_U8, BY2(MEMBER, CLUSTER), "1",
     "1: picked as signal-rich"},
    {RESULT_SELECTION_RICH, "selection/rich", HDF5_U64, BY2(MEMBER, BIN), "jets",
     "jets in the picked clusters"},
    {RESULT_SELECTION_DEPLETED, "selection/depleted", HDF5_U64, BY2(MEMBER, BIN), "jets",
     "jets in all other clusters"},
    {RESULT_SELECTION_BACKGROUND, "selection/background", HDF5_F64, BY2(MEMBER, BIN), "jets",
     "expected in the picked clusters: depleted, scaled to their sum"},
};

static const struct result_dataset score_group[] = {
    {RESULT_SCORE_MLS, "score/mls", HDF5_F64, BY1(MEMBER), "standard deviations",
     "maximum local significance, of clusters picked for it: not calibrated"},
    {RESULT_SCORE_BIN, "score/bin", HDF5_I32, BY1(MEMBER), "1", "its mass bin, -1: none"},
    {RESULT_SCORE_MLS_MEAN, "score/mls_mean", HDF5_F64, SCALAR, "standard deviations",
     "mean of mls over the members"},
    {RESULT_SCORE_MLS_MEDIAN, "score/mls_median", HDF5_F64, SCALAR, "standard deviations",
     "median of mls over the members"},
    {RESULT_SCORE_MLS_MAX, "score/mls_max", HDF5_F64, SCALAR, "standard deviations",
     "largest mls of a member"},
    {RESULT_SCORE_MLS_MIN, "score/mls_min", HDF5_F64, SCALAR, "standard deviations",
     "smallest mls of a member"},
};

static const struct result_dataset history_group[] = {
    {RESULT_HISTORY_EVENTS, "history/events", HDF5_U64, BY1(SLICE), "events",
     "events read up to the end of the slice"},
    {RESULT_HISTORY_MLS_MEAN, "history/mls_mean", HDF5_F64, BY1(SLICE), "standard deviations",
     "mls_mean of those events"},
};

static const struct result_dataset truth_group[] = {
    {RESULT_TRUTH_SIGNAL_COUNTS, "truth/signal_counts", HDF5_U64, BY3(MEMBER, CLUSTER, BIN), "jets",
     "those of spectra/counts that are of events with label 1"},
};

static const struct result_dataset verdict_group[] = {
    {RESULT_VERDICT_NAME, "verdict/name", HDF5_TEXT, BY1(CHECK), "", "a check of the answer"},
    {RESULT_VERDICT_STATE, "verdict/state", HDF5_TEXT, BY1(CHECK), "", "good, doubtful or bad"},
    {RESULT_VERDICT_TEXT, "verdict/text", HDF5_TEXT, BY1(CHECK), "",
     "what was found and what was expected"},
};

static const struct result_dataset refused_group[] = {
    {RESULT_REFUSED_FILE, "refused/file", HDF5_TEXT, BY1(FILE), "",
     "an input file that was not taken"},
    {RESULT_REFUSED_REASON, "refused/reason", HDF5_TEXT, BY1(FILE), "", "why it was not"},
};

static const struct result_dataset quarantined_group[] = {
    {RESULT_QUARANTINED_FILE, "quarantined/file", HDF5_TEXT, BY1(RANGE), "",
     "an input file of which rows are not counted"},
    {RESULT_QUARANTINED_FIRST_ROW, "quarantined/first_row", HDF5_U64, BY1(RANGE), "1",
     "first of these rows within the file"},
    {RESULT_QUARANTINED_ROWS, "quarantined/rows", HDF5_U64, BY1(RANGE), "events",
     "how many rows follow each other"},
    {RESULT_QUARANTINED_REASON, "quarantined/reason", HDF5_TEXT, BY1(RANGE), "",
     "why they are not counted"},
};

/* Of a composition scorer, in a file of its own. */
static const struct result_dataset scan_group[] = {
    {RESULT_SCAN_CLASSES, "scan/classes", HDF5_U32, BY1(MEMBER), "1",
     "classes of events, the pooled one included"},
    {RESULT_SCAN_LOW, "scan/low", HDF5_F64, BY1(WINDOW), "GeV", "lower edge of the mass window"},
    {RESULT_SCAN_HIGH, "scan/high", HDF5_F64, BY1(WINDOW), "GeV", "its upper edge"},
    {RESULT_SCAN_STATISTIC, "scan/statistic", HDF5_F64, BY1(WINDOW), "1",
     "T, mean over the members"},
    {RESULT_SCAN_NULL_MEAN, "scan/null_mean", HDF5_F64, BY1(WINDOW), "1",
     "mean of T over the toys"},
    {RESULT_SCAN_NULL_SD, "scan/null_sd", HDF5_F64, BY1(WINDOW), "1",
     "standard deviation of T over the toys"},
    {RESULT_SCAN_LARGEST, "scan/largest", HDF5_U32, SCALAR, "1",
     "window with the largest pull (statistic - null_mean) / null_sd"},
    {RESULT_SCAN_PULL, "scan/pull", HDF5_F64, SCALAR, "standard deviations",
     "that pull: local, not corrected for the number of windows"},
    {RESULT_SCAN_TOY_PULL, "scan/toy_pull", HDF5_F64, BY1(TOY), "standard deviations",
     "largest pull of each toy"},
    {RESULT_SCAN_REACHED, "scan/reached", HDF5_U32, SCALAR, "1",
     "toys whose largest pull is at least that of the events"},
    {RESULT_SCAN_LN_P, "scan/ln_p", HDF5_F64, SCALAR, "1",
     "logarithm of the p-value of all events, corrected for all windows and classes, not for the "
     "looks at earlier slices"},
    {RESULT_SCAN_Z, "scan/z", HDF5_F64, SCALAR, "standard deviations",
     "the same p-value as a one-sided Gaussian significance"},
    {RESULT_SCAN_EXTRAPOLATED, "scan/extrapolated", HDF5_U8, SCALAR, "1",
     "1: fewer than 10 of at least 500 toys reach the pull, and p is that of a gamma distribution "
     "with their mean, variance and skewness"},
    {RESULT_SCAN_HISTORY_EVENTS, "scan/history_events", HDF5_U64, BY1(SLICE), "events",
     "events read up to the end of the slice"},
    {RESULT_SCAN_HISTORY_TOYS, "scan/history_toys", HDF5_U32, BY1(SLICE), "1",
     "toys made for the slice; 0: it could not be tested"},
    {RESULT_SCAN_HISTORY_LN_P, "scan/history_ln_p", HDF5_F64, BY1(SLICE), "1",
     "logarithm of the p-value of those events"},
    {RESULT_SCAN_HISTORY_Z, "scan/history_z", HDF5_F64, BY1(SLICE), "standard deviations",
     "the same as a one-sided Gaussian significance"},
};

#define GROUP(name, datasets)                                 \
    {                                                         \
        name, sizeof(datasets) / sizeof *(datasets), datasets \
    }

const struct result_group result_groups[] = {
    GROUP("", root_group),
    GROUP("dropped", dropped_group),
    GROUP("codebook", codebook_group),
    GROUP("model", model_group),
    GROUP("spectra", spectra_group),
    GROUP("selection", selection_group),
    GROUP("score", score_group),
    GROUP("history", history_group),
    GROUP("truth", truth_group),
    GROUP("verdict", verdict_group),
    GROUP("refused", refused_group),
    GROUP("quarantined", quarantined_group),
    GROUP("scan", scan_group),
    {0},
};

/* The row of an id, and the group that it stands in. */
static const struct result_dataset *find(enum result_id id, const struct result_group **group)
{
    for (*group = result_groups; (*group)->datasets != NULL; (*group)++)
        for (size_t i = 0; i < (*group)->n; i++)
            if ((*group)->datasets[i].id == id)
                return &(*group)->datasets[i];
    assert(!"every id has a row");
    return NULL;
}

const struct result_dataset *result_dataset(enum result_id id)
{
    const struct result_group *group;
    return find(id, &group);
}

const char *result_group_name(enum result_id id)
{
    const struct result_group *group;
    find(id, &group);
    return group->name;
}
