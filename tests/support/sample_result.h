/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sample_result: a made-up result of 3 members, 5 clusters, 7 mass bins, 16 pixels, 4 slices. */
#ifndef TESTS_SUPPORT_SAMPLE_RESULT_H
#define TESTS_SUPPORT_SAMPLE_RESULT_H

#include <math.h>

#include "common/store/results/result_file.h"

enum { SAMPLE_MEMBERS = 3, SAMPLE_CLUSTERS = 5, SAMPLE_BINS = 7, SAMPLE_PIXELS = 16 };
enum { SAMPLE_SLICES = 4, SAMPLE_CELLS = SAMPLE_MEMBERS * SAMPLE_CLUSTERS * SAMPLE_BINS };

static float sample_centres[SAMPLE_MEMBERS][SAMPLE_CLUSTERS * SAMPLE_PIXELS];
static const double sample_scale[SAMPLE_CLUSTERS] = {1, 1, 1, 1, 1};
static const double sample_bias[SAMPLE_CLUSTERS];
static const uint16_t sample_map[SAMPLE_CLUSTERS] = {0, 1, 2, 3, 4};
static struct model_record sample_models[SAMPLE_MEMBERS];
static uint64_t sample_counts[SAMPLE_CELLS], sample_signal[SAMPLE_CELLS];
static double sample_z[SAMPLE_CELLS];
static uint8_t sample_label[SAMPLE_MEMBERS * SAMPLE_CLUSTERS];
static uint64_t sample_rich[SAMPLE_MEMBERS * SAMPLE_BINS];
static uint64_t sample_depleted[SAMPLE_MEMBERS * SAMPLE_BINS];
static double sample_background[SAMPLE_MEMBERS * SAMPLE_BINS];
static struct selection_record sample_selection;
static double sample_mls[SAMPLE_MEMBERS];
static int32_t sample_bin[SAMPLE_MEMBERS];
static struct score_record sample_score;
static uint64_t sample_history_events[SAMPLE_SLICES];
static double sample_history_mean[SAMPLE_SLICES];

static struct verdict sample_verdicts[VERDICT_CHECKS] = {
    [VERDICT_COUNTS] = {VERDICT_BAD, "too few \xc3\xa9v\xc3\xa9nements"},
    [VERDICT_TRAINING] = {VERDICT_DOUBTFUL, "in the window"}};
static struct input_note sample_note[] = {
    {.file = "a.h5", .reason = "no event file"},
    {.source = 1, .file = "b \"2\".h5", .reason = "refused 3 times", .first_row = 512, .rows = 2}};
static struct input_notes sample_notes = {.n = 2, .note = sample_note};

static inline void sample_fill_arrays(void)
{
    for (size_t m = 0; m < SAMPLE_MEMBERS; m++) {
        for (size_t i = 0; i < SAMPLE_CLUSTERS * SAMPLE_PIXELS; i++)
            sample_centres[m][i] = (float)(m * 100 + i) / 3;
        sample_models[m] = (struct model_record){.member = (uint32_t)m,
                                                 .algorithm = "minibatch_kmeans",
                                                 .clusters = SAMPLE_CLUSTERS,
                                                 .prototypes = SAMPLE_CLUSTERS,
                                                 .pixels = SAMPLE_PIXELS,
                                                 .steps = 90 + m,
                                                 .seed = UINT64_MAX - m,
                                                 .inertia = 0.1 + (double)m,
                                                 .cutoff = INFINITY,
                                                 .prototype = sample_centres[m],
                                                 .scale = sample_scale,
                                                 .bias = sample_bias,
                                                 .map = sample_map};
    }
    for (size_t i = 0; i < SAMPLE_CELLS; i++) {
        sample_counts[i] = 1000 + i;
        sample_signal[i] = i % 3;
        sample_z[i] = (double)i / 7 - 5;
    }
    for (size_t i = 0; i < SAMPLE_MEMBERS * SAMPLE_BINS; i++) {
        sample_rich[i] = 40 + i;
        sample_depleted[i] = 4000 + i;
        sample_background[i] = 39.1 + (double)i;
    }
    for (size_t i = 0; i < SAMPLE_SLICES; i++) {
        sample_history_events[i] = 250 * (i + 1);
        sample_history_mean[i] = (double)i / 3;
    }
}

/* Members 1 and 2 share the largest significance, in bins 3 and 5; clusters 1 and 4 of member 1,
 * 0 of member 2 stick out, none of member 0. 1,000 events read, 988 counted. */
static inline struct result sample_result(void)
{
    static const double mls[] = {0, 4.2, 4.2};
    static const int32_t bin[] = {-1, 3, 5};
    sample_fill_arrays();
    for (size_t m = 0; m < SAMPLE_MEMBERS; m++) {
        sample_mls[m] = mls[m];
        sample_bin[m] = bin[m];
    }
    sample_label[1 * SAMPLE_CLUSTERS + 1] = sample_label[1 * SAMPLE_CLUSTERS + 4] = 1;
    sample_label[2 * SAMPLE_CLUSTERS + 0] = 1;
    sample_selection = (struct selection_record){
        .summed = {.members = SAMPLE_MEMBERS,
                   .clusters = SAMPLE_CLUSTERS,
                   .bins = SAMPLE_BINS,
                   .tally = {.read = 1000, .counted = 988, .quarantined = 2},
                   .in_window = 700,
                   .labelled = 700,
                   .counts = sample_counts,
                   .signal = sample_signal},
        .z = sample_z,
        .label = sample_label,
        .rich = sample_rich,
        .depleted = sample_depleted,
        .background = sample_background};
    sample_selection.summed.tally.dropped[DROP_ONE_JET] = 9;
    sample_selection.summed.tally.dropped[DROP_EMPTY_IMAGE] = 1;
    sample_score = (struct score_record){.members = SAMPLE_MEMBERS,
                                         .read = 1000,
                                         .mean = 2.8000000000000003,
                                         .median = 4.2,
                                         .max = 4.2,
                                         .min = 0,
                                         .mls = sample_mls,
                                         .bin = sample_bin};
    return (struct result){.run_id = "0123456789abcdef0123456789abcdef",
                           .log_id = "fedcba9876543210fedcba9876543210",
                           .version = "0.1.0",
                           .analysis = "stream:\n  batch: 512 # \xc3\xa9v\xc3\xa9nements\n",
                           .bins = {3000, 3700, SAMPLE_BINS},
                           .members = SAMPLE_MEMBERS,
                           .models = sample_models,
                           .selection = &sample_selection,
                           .score = &sample_score,
                           .slices = SAMPLE_SLICES,
                           .history_events = sample_history_events,
                           .history_mean = sample_history_mean,
                           .verdicts = sample_verdicts,
                           .notes = &sample_notes,
                           .final = true};
}

#endif
