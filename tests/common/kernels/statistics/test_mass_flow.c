/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/mass_flow.h"

#include <math.h>

#include "tests/support/check_main.h"

enum { BINS = 7, DRAWS = 70000 };

/* Two bins are empty. */
static const uint64_t events[BINS] = {9000, 0, 4000, 2500, 1200, 0, 300};

static mass_flow *flow;

static void make(void)
{
    ck_assert_int_eq(mass_flow_create(&flow, BINS, events), STATUS_OK);
}

static void end(void)
{
    mass_flow_destroy(&flow);
    ck_assert_ptr_null(flow);
}

START_TEST(what_leaves_a_bin_comes_into_it_and_pairs_exchange_as_many)
{
    for (uint32_t a = 0; a < BINS; a++) {
        double leaving = 0, coming = 0;
        for (uint32_t b = 0; b < BINS; b++) {
            const double out = (double)events[a] * mass_flow_probability(flow, a, b);
            const double in = (double)events[b] * mass_flow_probability(flow, b, a);
            ck_assert_double_ge(out, 0);
            ck_assert_double_eq_tol(out, in, 1e-8);
            leaving += out;
            coming += in;
        }
        ck_assert_double_eq_tol(leaving, (double)events[a], 1e-8);
        ck_assert_double_eq_tol(coming, (double)events[a], 1e-8);
    }
}
END_TEST

START_TEST(events_are_drawn_with_these_probabilities_and_never_into_an_empty_bin)
{
    static uint8_t bin[DRAWS], moved[DRAWS];
    struct random_state random;
    for (uint8_t a = 0; a < BINS; a++) {
        size_t n[BINS] = {0};
        if (events[a] == 0)
            continue;
        for (size_t i = 0; i < DRAWS; i++)
            bin[i] = a;
        random_init(&random, 1, 2, a);
        mass_flow_move(flow, &random, DRAWS, bin, moved);
        for (size_t i = 0; i < DRAWS; i++)
            n[moved[i]]++;
        for (uint32_t b = 0; b < BINS; b++) {
            const double p = mass_flow_probability(flow, a, b);
            ck_assert(events[b] > 0 || n[b] == 0);
            /* Four and a half standard deviations of a binomial number. */
            ck_assert_double_le(fabs((double)n[b] - DRAWS * p), 4.5 * sqrt(DRAWS * p * (1 - p)));
        }
    }
}
END_TEST

START_TEST(events_in_a_single_bin_have_no_trend)
{
    mass_flow *none;
    ck_assert_int_eq(mass_flow_create(&none, BINS, (uint64_t[BINS]){0, 0, 5}), STATUS_BAD_SHAPE);
    ck_assert_ptr_null(none);
    ck_assert_int_eq(mass_flow_create(&none, BINS, (uint64_t[BINS]){0}), STATUS_BAD_SHAPE);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("mass_flow");
    tcase_add_checked_fixture(cases, make, end);
    tcase_add_test(cases, what_leaves_a_bin_comes_into_it_and_pairs_exchange_as_many);
    tcase_add_test(cases, events_are_drawn_with_these_probabilities_and_never_into_an_empty_bin);
    tcase_add_test(cases, events_in_a_single_bin_have_no_trend);
    return run_case(cases, "mass_flow");
}
