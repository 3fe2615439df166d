/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ensemble: in any order. */
#include "common/kernels/statistics/ensemble.h"

#include "tests/support/check_main.h"

START_TEST(an_ensemble_is_summed_up)
{
    static const double odd[5] = {3, 1, 7, 5, 9.5}, even[4] = {4, 1, 3, 2};
    double scratch[5];
    struct ensemble e = ensemble_of(5, odd, scratch);
    ck_assert_double_eq(e.mean, 5.1);
    ck_assert_double_eq(e.median, 5);
    ck_assert_double_eq(e.max, 9.5);
    ck_assert_double_eq(e.min, 1);
    e = ensemble_of(4, even, scratch);
    ck_assert_double_eq(e.median, 2.5);
    ck_assert_double_eq(ensemble_of(1, odd, scratch).median, 3);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("ensemble");
    tcase_add_test(cases, an_ensemble_is_summed_up);
    return run_case(cases, "ensemble");
}
