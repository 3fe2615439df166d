/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/toy_null.h"

#include <math.h>
#include <string.h>

#include "common/base/random.h"
#include "tests/support/check_main.h"

enum { TOYS = 999, N = 7 };

static double t[TOYS * N], scratch[TOYS + 2 * N];

/* Toys of N independent statistics with other means and spreads, unit Gaussian in pulls. */
static void draw(void)
{
    struct random_state random;
    random_init(&random, 11, 12, 13);
    for (size_t i = 0; i < TOYS * N; i++)
        t[i] = 100. * (double)(i % N) + (1. + (double)(i % N)) * random_gaussian(&random);
}

/* All at their means, but one that is `pulls` above. */
static struct toy_null test_of(size_t at, double pulls)
{
    double observed[N];
    struct toy_null null;
    for (size_t i = 0; i < N; i++)
        observed[i] = 100. * (double)i + (i == at ? pulls * (1. + (double)i) : 0);
    toy_null_test(TOYS, N, observed, t, scratch, &null);
    return null;
}

START_TEST(the_p_value_is_corrected_for_all_statistics_that_were_looked_at)
{
    draw();
    const struct toy_null null = test_of(4, 2);
    /* One Gaussian is above 2 in 2.3 %, the largest of seven in 1 - 0.97725^7 = 14.9 %; the share
     * of 999 toys scatters by 1.1 %. */
    ck_assert_uint_eq(null.largest, 4);
    ck_assert_double_eq_tol(null.s, 2, 0.15);
    ck_assert_double_eq_tol(null.p_toys, 0.149, 0.045);
    ck_assert_double_eq(null.p_toys, (1. + (double)null.reached) / (1. + TOYS));
    ck_assert(!null.extrapolated);
    ck_assert_double_eq_tol(exp(null.log_p), null.p_toys, 1e-12);
    ck_assert_double_eq_tol(null.z, 1.04, 0.2);
}
END_TEST

START_TEST(beyond_the_toys_the_p_value_is_extrapolated_and_falls)
{
    draw();
    double before = 0;
    for (double pulls = 3.5; pulls < 60; pulls *= 1.3) {
        const struct toy_null null = test_of(2, pulls);
        ck_assert(null.extrapolated);
        ck_assert(isfinite(null.z) && null.z > before);
        ck_assert_double_lt(null.log_p, log((double)TOY_NULL_REACHED_MIN / TOYS));
        before = null.z;
    }
    /* The largest of seven Gaussians has the mean 1.352, the spread 0.603 (David, Nagaraja, Order
     * Statistics, 2003) and the skewness 0.36: of 999 toys to 0.02, 0.014 and 0.08. */
    const struct toy_null null = test_of(2, 10);
    ck_assert_double_eq_tol(null.mean, 1.352, 0.08);
    ck_assert_double_eq_tol(null.sd, 0.603, 0.06);
    ck_assert_double_eq_tol(null.skewness, 0.36, 0.32);
}
END_TEST

START_TEST(few_toys_are_not_extrapolated_but_bound_the_p_value)
{
    enum { FEW = 100 };
    draw();
    double observed[N];
    struct toy_null null;
    for (size_t i = 0; i < N; i++)
        observed[i] = 100. * (double)i + (i == 3 ? 40 : 0);
    toy_null_test(FEW, N, observed, t, scratch, &null);
    ck_assert_double_gt(null.s, 8);
    ck_assert_uint_eq(null.reached, 0);
    ck_assert(!null.extrapolated);
    ck_assert_double_eq(null.p_toys, 1. / (1 + FEW));
    ck_assert_double_eq_tol(null.z, 2.33, 0.01); /* that is all which 100 toys can say */
}
END_TEST

START_TEST(below_all_toys_the_p_value_is_almost_1)
{
    draw();
    double observed[N];
    struct toy_null null;
    for (size_t i = 0; i < N; i++)
        observed[i] = -1e6;
    toy_null_test(TOYS, N, observed, t, scratch, &null);
    ck_assert_uint_eq(null.reached, TOYS);
    ck_assert_double_eq(null.p_toys, 1);
    ck_assert(isfinite(null.z) && null.z < -3);
}
END_TEST

START_TEST(a_statistic_that_never_changes_is_left_out)
{
    memset(t, 0, sizeof t);
    const double observed[N] = {5, 1, 2};
    struct toy_null null;
    toy_null_test(TOYS, N, observed, t, scratch, &null);
    ck_assert_double_eq(null.s, 0);
    ck_assert_double_eq(null.p_toys, 1);
    ck_assert(isfinite(null.z));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("toy_null");
    tcase_add_test(cases, the_p_value_is_corrected_for_all_statistics_that_were_looked_at);
    tcase_add_test(cases, beyond_the_toys_the_p_value_is_extrapolated_and_falls);
    tcase_add_test(cases, few_toys_are_not_extrapolated_but_bound_the_p_value);
    tcase_add_test(cases, below_all_toys_the_p_value_is_almost_1);
    tcase_add_test(cases, a_statistic_that_never_changes_is_left_out);
    return run_case(cases, "toy_null");
}
