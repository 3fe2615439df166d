/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cluster_selection: against numpy, scipy and the authors' own fixture. */
#include "common/kernels/statistics/cluster_selection.h"

#include <math.h>
#include <stdio.h>

#include "common/kernels/statistics/robust.h"
#include "common/kernels/statistics/significance.h"
#include "tests/support/check_main.h"

static double relative(double found, double expected)
{
    return fabs(found - expected) / fabs(expected);
}

START_TEST(a_small_selection_agrees_with_numpy)
{
    static const uint64_t counts[7][3] = {{30, 20, 10}, {33, 18, 11}, {60, 41, 19}, {29, 22, 9},
                                          {0, 0, 0},    {10, 12, 26}, {31, 19, 12}};
    /* numpy: the estimators above on n = counts / row sum, without the empty row */
    static const double expected[7][3] = {
        {-0.129462132105624, 0.1393114489156322, -0.11006604292208923},
        {1.2098013034697739, -0.9221091142510935, 0.35830009717190725},
        {-0.129462132105624, 0.3449616830291862, -0.4730498014949358},
        {-0.8214149071529133, 0.9619123853698452, -0.8360335600677824},
        {0, 0, 0},
        {-12.238635695433189, -1.9171908922199004, 16.22420309285601},
        {-0.129462132105624, -0.5240764030635714, 1.0608493073129002}};
    static const uint8_t labels[7] = {0, 0, 0, 0, 0, 1, 0};
    static const uint64_t is_rich[3] = {10, 12, 26}, is_depleted[3] = {183, 120, 61};
    static const double expectation[3] = {24.13186813186813, 15.824175824175825, 8.043956043956044};
    const struct selection_settings settings = {0.2, 3, robust_sd_factor(0.2)};
    double z[7][3], background[3];
    uint8_t label[7];
    uint64_t rich[3], depleted[3];
    ck_assert_int_eq(select_clusters(&settings, 7, 3, &counts[0][0], &z[0][0], label, rich,
                                     depleted, background),
                     STATUS_OK);
    for (size_t i = 0; i < 7; i++)
        for (size_t b = 0; b < 3; b++) /* differences of fractions lose two digits */
            ck_assert_double_eq_tol(z[i][b], expected[i][b], 1e-12);
    ck_assert_mem_eq(label, labels, sizeof label);
    ck_assert_mem_eq(rich, is_rich, sizeof rich);
    ck_assert_mem_eq(depleted, is_depleted, sizeof depleted);
    for (size_t b = 0; b < 3; b++)
        ck_assert_double_eq_tol(background[b], expectation[b], 1e-13);
}
END_TEST

START_TEST(a_bin_without_spread_labels_nobody)
{
    static const uint64_t counts[3][2] = {{1, 1}, {3, 3}, {8, 8}};
    const struct selection_settings settings = {0.2, 3, 1.5};
    double z[3][2], background[2];
    uint8_t label[3];
    uint64_t rich[2], depleted[2];
    ck_assert_int_eq(select_clusters(&settings, 3, 2, &counts[0][0], &z[0][0], label, rich,
                                     depleted, background),
                     STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_double_eq(z[i][0], 0);
        ck_assert_double_eq(z[i][1], 0);
        ck_assert_uint_eq(label[i], 0);
    }
    ck_assert_uint_eq(depleted[0], 12);
    ck_assert_double_eq(background[1], 0);
}
END_TEST

START_TEST(no_counts_at_all_select_nothing)
{
    static const uint64_t counts[3] = {0};
    const struct selection_settings settings = {0.2, -1, 1.5};
    double z[3], background[1];
    uint8_t label[3];
    uint64_t rich[1], depleted[1];
    ck_assert_int_eq(select_clusters(&settings, 3, 1, counts, z, label, rich, depleted, background),
                     STATUS_OK);
    ck_assert_double_eq(z[0], 0);
    ck_assert_double_eq(background[0], 0); /* theta -1: all rich, nobody depleted, no division */
}
END_TEST

enum { WINDOWS = 200, CLUSTERS = 50 };

/* The fixture's rows are windows; ours are clusters. 0 where the folder is absent. */
static int read_fixture(uint64_t counts[CLUSTERS][WINDOWS])
{
    FILE *file = fopen(SHARED_FOLDER "/reference/jcs_counts_200x50.csv", "r");
    if (file == NULL)
        return 0;
    for (size_t b = 0; b < WINDOWS; b++)
        for (size_t i = 0; i < CLUSTERS; i++) {
            double value;
            ck_assert_int_eq(fscanf(file, i + 1 < CLUSTERS ? "%lf," : "%lf", &value), 1);
            counts[i][b] = (uint64_t)value;
        }
    fclose(file);
    return 1;
}

START_TEST(the_authors_counts_give_the_authors_clusters)
{
    static uint64_t counts[CLUSTERS][WINDOWS];
    static double z[CLUSTERS][WINDOWS];
    if (!read_fixture(counts))
        SKIP("no " SHARED_FOLDER "/reference");
    const struct selection_settings settings = {0.2, 5, 1.51};
    uint8_t label[CLUSTERS];
    uint64_t rich[WINDOWS], depleted[WINDOWS];
    double background[WINDOWS];
    ck_assert_int_eq(select_clusters(&settings, CLUSTERS, WINDOWS, &counts[0][0], &z[0][0], label,
                                     rich, depleted, background),
                     STATUS_OK);
    for (int i = 0; i < CLUSTERS; i++) /* jcs_expected.json, full200, maxdev5 */
        ck_assert_int_eq(label[i], i == 2 || i == 14 || i == 15 || i == 40);
    /* numpy and scipy on the same counts; norm.isf(poisson.sf) for the Poisson form */
    ck_assert_double_eq_tol(z[14][51], 9.166438938293524, 1e-11);
    int32_t bin;
    const double gaussian = max_local_significance(WINDOWS, rich, depleted, background,
                                                   MLS_GAUSSIAN, MLS_ABSOLUTE, &bin);
    ck_assert_double_lt(relative(gaussian, 18.10330945407367), 1e-12);
    ck_assert_int_eq(bin, 51);
    const double poisson = max_local_significance(WINDOWS, rich, depleted, background, MLS_POISSON,
                                                  MLS_POSITIVE, &bin);
    ck_assert_double_lt(relative(poisson, 17.3182134936299), 1e-12);
    ck_assert_int_eq(bin, 50);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("cluster_selection");
    tcase_add_test(cases, a_small_selection_agrees_with_numpy);
    tcase_add_test(cases, a_bin_without_spread_labels_nobody);
    tcase_add_test(cases, no_counts_at_all_select_nothing);
    tcase_add_test(cases, the_authors_counts_give_the_authors_clusters);
    return run_case(cases, "cluster_selection");
}
