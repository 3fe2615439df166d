/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/toy/gsl_philox.h"

#include <gsl/gsl_randist.h>
#include <math.h>

#include "tests/support/check_main.h"

START_TEST(its_numbers_are_those_of_the_random_state)
{
    struct random_state ours, theirs;
    struct gsl_philox philox;
    random_init(&ours, 3, 4, 5);
    random_init(&theirs, 3, 4, 5);
    const gsl_rng *generator = gsl_philox_init(&philox, &theirs);
    for (int i = 0; i < 10; i++) {
        ck_assert_uint_eq(gsl_rng_get(generator), random_u64(&ours) >> 32);
        ck_assert_double_eq(gsl_rng_uniform(generator), random_uniform(&ours));
    }
    ck_assert_uint_eq(gsl_rng_max(generator), UINT32_MAX);
    ck_assert_uint_eq(gsl_rng_min(generator), 0);
}
END_TEST

START_TEST(binomial_numbers_have_their_mean_and_variance)
{
    enum { DRAWS = 40000, N = 1000 };
    const double p = 0.3;
    struct random_state random;
    struct gsl_philox philox;
    random_init(&random, 1, 1, 1);
    const gsl_rng *generator = gsl_philox_init(&philox, &random);
    double sum = 0, squares = 0;
    for (int i = 0; i < DRAWS; i++) {
        const double d = gsl_ran_binomial(generator, p, N) - N * p;
        sum += d;
        squares += d * d;
    }
    const double variance = N * p * (1 - p);
    /* Four standard errors: of a mean, and of a variance of nearly normal numbers. */
    ck_assert_double_lt(fabs(sum / DRAWS), 4 * sqrt(variance / DRAWS));
    ck_assert_double_lt(fabs(squares / DRAWS / variance - 1), 4 * sqrt(2. / DRAWS));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("gsl_philox");
    tcase_add_test(cases, its_numbers_are_those_of_the_random_state);
    tcase_add_test(cases, binomial_numbers_have_their_mean_and_variance);
    return run_case(cases, "gsl_philox");
}
