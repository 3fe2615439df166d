/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What speaks against an answer, on selections made by hand. */
#include "common/kernels/statistics/verdicts.h"

#include <math.h>
#include <string.h>

#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

enum { MEMBERS = 3, K = 10, BINS = 12, CELLS = MEMBERS * K * BINS };

static uint64_t counts[CELLS], rich[MEMBERS * BINS], depleted[MEMBERS * BINS];
static double z[CELLS], background[MEMBERS * BINS];
static uint8_t label[MEMBERS * K];
static int32_t bin[MEMBERS];
static struct selection_record selection;
static struct verdict_input input;
static struct verdict verdicts[VERDICT_CHECKS];

/* A falling spectrum in every cluster, cluster 3 picked; all members name bin 7. */
static void make_good(void)
{
    memset(label, 0, sizeof label);
    for (int m = 0; m < MEMBERS; m++) {
        bin[m] = 7;
        label[m * K + 3] = 1;
        for (int c = 0; c < K; c++)
            for (int b = 0; b < BINS; b++) {
                counts[(m * K + c) * BINS + b] = (uint64_t)(4001 * exp(-0.21 * b) + c);
                z[(m * K + c) * BINS + b] = 0.1 * (c - 4);
            }
    }
    input = (struct verdict_input){.selection = &selection,
                                   .bin = bin,
                                   .bins = {3000, 4200, BINS},
                                   .training = {2800, 2950},
                                   .outlier_fraction = 0.2,
                                   .threshold = 3,
                                   .sd_factor = 1.5};
}

/* Sums what the labels say, then judges. */
static void judge(void)
{
    memset(rich, 0, sizeof rich);
    memset(depleted, 0, sizeof depleted);
    for (int m = 0; m < MEMBERS; m++)
        for (int c = 0; c < K; c++)
            for (int b = 0; b < BINS; b++)
                (label[m * K + c] ? rich : depleted)[m * BINS + b] +=
                    counts[(m * K + c) * BINS + b];
    selection = (struct selection_record){
        .summed = {.members = MEMBERS, .clusters = K, .bins = BINS, .counts = counts},
        .z = z,
        .label = label,
        .rich = rich,
        .depleted = depleted,
        .background = background};
    ck_assert_ptr_null(selection_fault(&selection));
    ck_assert_int_eq(verdicts_make(verdicts, &verdict_defaults, &input), STATUS_OK);
}

static void expect(enum verdict_check check, enum verdict_state state, const char *says)
{
    judge();
    ck_assert_msg(verdicts[check].state == state, "%s: %s", verdict_name(check),
                  verdicts[check].text);
    CK_SAYS(verdicts[check].text, says);
    for (int i = 0; i < VERDICT_CHECKS; i++)
        ck_assert_str_ne(verdicts[i].text, "");
}

START_TEST(an_answer_without_a_fault_is_good_in_every_check)
{
    judge();
    for (int i = 0; i < VERDICT_CHECKS; i++)
        ck_assert_msg(verdicts[i].state == VERDICT_GOOD, "%s", verdicts[i].text);
    ck_assert_int_eq(verdicts_worst(verdicts), VERDICT_GOOD);
}
END_TEST

START_TEST(few_jets_in_some_cluster_bins_are_doubtful_and_in_many_bad)
{
    for (int i = 0; i < 5; i++) /* of 360: 1.4 % */
        counts[i * 71] = 19;
    expect(VERDICT_COUNTS, VERDICT_DOUBTFUL, "5 of 360 cluster-bins hold fewer than 20 jets");
    for (int i = 0; i < CELLS; i += 3)
        counts[i] = 7;
    expect(VERDICT_COUNTS, VERDICT_BAD, "too few events for these settings");
    ck_assert_int_eq(verdicts_worst(verdicts), VERDICT_BAD);
}
END_TEST

START_TEST(more_picked_clusters_than_the_estimators_stand_are_doubtful_and_most_of_them_bad)
{
    for (int m = 0; m < MEMBERS; m++)
        label[m * K + 5] = label[m * K + 6] = 1;
    expect(VERDICT_RICH, VERDICT_DOUBTFUL, "3 of 10 clusters are picked");
    for (int m = 0; m < MEMBERS; m++)
        memset(label + m * K + 4, 1, 6);
    expect(VERDICT_RICH, VERDICT_BAD, "7 of 10 clusters are picked");
}
END_TEST

START_TEST(members_that_name_different_bins_are_doubtful)
{
    bin[0] = 2, bin[1] = 9;
    expect(VERDICT_AGREEMENT, VERDICT_DOUBTFUL, "1 of 3 members have their largest excess at 3200");
    bin[0] = bin[1] = bin[2] = -1;
    expect(VERDICT_AGREEMENT, VERDICT_GOOD, "no member has an excess");
}
END_TEST

START_TEST(a_bin_in_which_no_cluster_has_a_deviation_was_not_searched)
{
    for (int c = 0; c < K; c++) {
        z[(1 * K + c) * BINS + 10] = z[(1 * K + c) * BINS + 11] = 0;
        counts[(1 * K + c) * BINS + 10] = counts[(1 * K + c) * BINS + 11] = 0;
    }
    counts[(1 * K + 8) * BINS + 11] = 796;
    expect(VERDICT_UNSEARCHED, VERDICT_BAD, "1 of 3 members could not search 4100 to 4200 GeV");
    CK_SAYS(verdicts[VERDICT_UNSEARCHED].text, "up to 796 jets");
    counts[(1 * K + 8) * BINS + 11] = 3;
    expect(VERDICT_UNSEARCHED, VERDICT_DOUBTFUL, "up to 3 jets");
}
END_TEST

START_TEST(a_bin_that_only_picked_clusters_fill_has_no_background)
{
    for (int c = 0; c < K; c++)
        counts[(2 * K + c) * BINS + 9] = c == 3 ? 43 : 0;
    expect(VERDICT_BACKGROUND, VERDICT_DOUBTFUL, "no jet at 3900 to 4000 GeV");
    memset(label, 1, sizeof label);
    expect(VERDICT_BACKGROUND, VERDICT_BAD, "every jet is in a picked cluster");
}
END_TEST

START_TEST(an_excess_left_in_the_depleted_spectrum_is_found)
{
    /* About 10,000 jets in 9 clusters; one part in 14 more are 5 times sqrt(2 x 10,000), less for
     * what the curve does not know. */
    for (int m = 0; m < MEMBERS; m++)
        for (int c = 0; c < K; c++)
            counts[(m * K + c) * BINS + 6] += counts[(m * K + c) * BINS + 6] / 14;
    expect(VERDICT_DEPLETED, VERDICT_DOUBTFUL, "excess at 3600 to 3700 GeV");
    for (int m = 0; m < MEMBERS; m++)
        for (int c = 0; c < K; c++)
            counts[(m * K + c) * BINS + 6] += counts[(m * K + c) * BINS + 6] / 5;
    expect(VERDICT_DEPLETED, VERDICT_BAD, "left behind");
}
END_TEST

START_TEST(an_excess_inside_the_training_window_is_doubtful)
{
    input.training[0] = 3650, input.training[1] = 3710;
    expect(VERDICT_TRAINING, VERDICT_DOUBTFUL, "3700 to 3800 GeV lies in the training window");
    input.training[1] = 3700; /* half-open */
    expect(VERDICT_TRAINING, VERDICT_GOOD, "no excess");
}
END_TEST

START_TEST(a_threshold_that_no_filled_cluster_can_pass_is_bad)
{
    input.outlier_fraction = 0, input.sd_factor = 1, input.threshold = 2.9;
    expect(VERDICT_REACHABLE, VERDICT_GOOD, "can pass"); /* 10 clusters: up to 3 */
    for (int b = 0; b < BINS; b++)
        counts[(0 * K + 9) * BINS + b] = 0;
    expect(VERDICT_REACHABLE, VERDICT_BAD, "with 9 clusters that have jets");
}
END_TEST

START_TEST(a_selection_that_is_not_true_in_itself_is_found_out)
{
    judge();
    z[17] = NAN;
    CK_SAYS(selection_fault(&selection), "z is not finite");
    z[17] = 0;
    background[5] = -0.5;
    CK_SAYS(selection_fault(&selection), "background");
    background[5] = INFINITY;
    CK_SAYS(selection_fault(&selection), "background");
    background[5] = 0;
    label[4] = 2;
    CK_SAYS(selection_fault(&selection), "label");
    label[4] = 0;
    rich[8]++;
    CK_SAYS(selection_fault(&selection), "not the sums");
    rich[8]--;
    selection.summed.tally.read = 1;
    CK_SAYS(selection_fault(&selection), "events");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("verdicts");
    tcase_add_checked_fixture(cases, make_good, NULL);
    tcase_add_test(cases, an_answer_without_a_fault_is_good_in_every_check);
    tcase_add_test(cases, few_jets_in_some_cluster_bins_are_doubtful_and_in_many_bad);
    tcase_add_test(
        cases, more_picked_clusters_than_the_estimators_stand_are_doubtful_and_most_of_them_bad);
    tcase_add_test(cases, members_that_name_different_bins_are_doubtful);
    tcase_add_test(cases, a_bin_in_which_no_cluster_has_a_deviation_was_not_searched);
    tcase_add_test(cases, a_bin_that_only_picked_clusters_fill_has_no_background);
    tcase_add_test(cases, an_excess_left_in_the_depleted_spectrum_is_found);
    tcase_add_test(cases, an_excess_inside_the_training_window_is_doubtful);
    tcase_add_test(cases, a_threshold_that_no_filled_cluster_can_pass_is_bad);
    tcase_add_test(cases, a_selection_that_is_not_true_in_itself_is_found_out);
    return run_case(cases, "kernels.verdicts");
}
