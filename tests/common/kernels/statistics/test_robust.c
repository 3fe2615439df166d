/* SPDX-License-Identifier: GPL-3.0-or-later */
/* robust: against numpy and the paper. */
#include "common/kernels/statistics/robust.h"

#include <math.h>

#include "tests/support/check_main.h"

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static double relative(double found, double expected)
{
    return fabs(found - expected) / fabs(expected);
}

START_TEST(the_factor_undoes_the_cut_of_a_normal_sample)
{
    /* scipy 1.10.1: 1 / truncnorm.std(-c, c), c = norm.isf(f / 2); at 0.9 as
     * sqrt(chi2.cdf(c*c, 1) / chi2.cdf(c*c, 3)), which keeps more digits there. */
    static const double known[][2] = {{0.01, 1.0398877081933469},
                                      {0.2, 1.5114699778679388},
                                      {0.5, 2.6476545355660046},
                                      {0.9, 13.798003283759305}};
    ck_assert_double_eq(robust_sd_factor(0), 1);
    for (size_t i = 0; i < LENGTH(known); i++) /* a dozen roundings in quantile and integrals */
        ck_assert_double_lt(relative(robust_sd_factor(known[i][0]), known[i][1]), 3e-15);
}
END_TEST

START_TEST(mean_and_sd_of_powers_are_those_of_the_paper)
{
    double x[50], scratch[100], mean, sd;
    for (int i = 0; i < 50; i++)
        x[i] = pow(i + 1, 1.5);
    robust_mean_sd(50, x, 0.2, 1.51, scratch, &mean, &sd);
    /* method, section 5; sums of 40 numbers in another order differ by a few last places */
    ck_assert_double_lt(relative(mean, 104.37428994235181), 1e-15);
    ck_assert_double_lt(relative(sd, 116.14253711086226), 1e-15);
}
END_TEST

START_TEST(an_odd_sample_in_any_order_with_ties_is_cut_as_numpy_does)
{
    /* numpy: d = abs(x - median(x)); k = x[d <= quantile(d, 1 - f)]; k.mean(), g * k.std() */
    static const double x[11] = {3, -1, 4, 1, -5, 9, 2, 6, 5, 3, 5};
    double scratch[22], mean, sd;
    robust_mean_sd(11, x, 0.2, 1, scratch, &mean, &sd); /* cut: the 9th distance exactly */
    ck_assert_double_eq_tol(mean, 3.111111111111111, 1e-15);
    ck_assert_double_eq_tol(sd, 2.078698548207745, 1e-15);
    robust_mean_sd(11, x, 0.3, 2, scratch, &mean, &sd); /* cut among three equal distances */
    ck_assert_double_eq_tol(mean, 3.625, 1e-15);
    ck_assert_double_eq_tol(sd, 3.152380053229623, 1e-15);
}
END_TEST

START_TEST(one_value_and_equal_values_have_no_spread)
{
    static const double x[7] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
    double scratch[14], mean, sd;
    robust_mean_sd(1, x, 0.2, 1.5, scratch, &mean, &sd);
    ck_assert_double_eq(mean, 0.1);
    ck_assert_double_eq(sd, 0);
    /* A tie with the cut must survive its interpolation: none of the seven may go. */
    robust_mean_sd(7, x, 0.35, 1.5, scratch, &mean, &sd);
    ck_assert_double_eq_tol(mean, 0.1, 1e-16);
    ck_assert_double_lt(sd, 1e-16);
}
END_TEST

START_TEST(the_largest_z_follows_from_the_number_of_clusters)
{
    ck_assert_double_eq(largest_z(10, 0, 1), 3); /* one of ten: (D - D/10) / (D sqrt(9) / 10) */
    ck_assert_double_eq(largest_z(26, 0, 2), 2.5);
    ck_assert_double_eq(largest_z(2, 0.2, 1.25), 0.8);
    ck_assert_double_eq(largest_z(8, 0.9, 3), 0);
    ck_assert_double_eq(largest_z(1, 0, 1), 0);
    ck_assert(isinf(largest_z(8, 0.2, 1.5)));
    ck_assert(isinf(largest_z(50, 0.2, 1.5)));
}
END_TEST

START_TEST(no_sample_comes_above_the_largest_z)
{
    double x[9] = {0}, scratch[18], mean, sd;
    for (size_t k = 3; k <= 9; k++) {
        x[k - 1] = 1;
        robust_mean_sd(k, x, 0, 1, scratch, &mean, &sd);
        ck_assert_double_eq_tol((1 - mean) / sd, largest_z(k, 0, 1), 1e-12);
        x[k - 1] = 0;
    }
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("robust");
    tcase_add_test(cases, the_factor_undoes_the_cut_of_a_normal_sample);
    tcase_add_test(cases, mean_and_sd_of_powers_are_those_of_the_paper);
    tcase_add_test(cases, an_odd_sample_in_any_order_with_ties_is_cut_as_numpy_does);
    tcase_add_test(cases, one_value_and_equal_values_have_no_spread);
    tcase_add_test(cases, the_largest_z_follows_from_the_number_of_clusters);
    tcase_add_test(cases, no_sample_comes_above_the_largest_z);
    return run_case(cases, "robust");
}
