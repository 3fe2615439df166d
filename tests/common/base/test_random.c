/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers against published vectors, numpy, and what their distributions must be. */
#include <math.h>

#include "common/base/random.h"
#include "tests/support/check_main.h"

START_TEST(the_first_block_of_key_zero_is_the_published_vector)
{
    /* kat_vectors of the Random123 distribution: philox4x64, 10 rounds, all zero. */
    static const uint64_t expected[4] = {0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b,
                                         0x7e68b68aec7ba23b};
    struct random_state random;
    random_init(&random, 0, 0, 0);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(random_u64(&random), expected[i]);
}
END_TEST

START_TEST(key_stream_and_counter_are_laid_out_as_documented)
{
    /* numpy 1.24.2, Philox (philox4x64-10) from counter {0, 0x13198a2e03707344, 0, 0}: the last
     * four words come from the next counter. */
    static const uint64_t expected[8] = {0x694e27d7b387fb75, 0x41e4dc8d80916ab0, 0xe0c2fe346bf45555,
                                         0x88e2fdd26c91731c, 0xa4212b4889a5c896, 0x37c4d502995d3bb1,
                                         0x4451b47b0fd515ec, 0xa6d6fcaea92145cb};
    struct random_state random;
    random_init(&random, 0x452821e638d01377, 0xbe5466cf34e90c6c, 0x13198a2e03707344);
    for (int i = 0; i < 8; i++)
        ck_assert_uint_eq(random_u64(&random), expected[i]);
    ck_assert_uint_eq(random.counter, 2);
}
END_TEST

START_TEST(a_uniform_number_is_the_upper_53_bits_of_a_word)
{
    struct random_state words, random;
    random_init(&words, 7, 3, 11);
    random_init(&random, 7, 3, 11);
    for (int i = 0; i < 1001; i++) {
        const double expected = ldexp((double)(random_u64(&words) / 2048), -53);
        const double number = random_uniform(&random);
        ck_assert_double_eq(number, expected);
        ck_assert(number >= 0.0 && number < 1.0);
    }
}
END_TEST

START_TEST(numbers_below_seven_are_equally_frequent)
{
    enum { DRAWS = 70007 };
    unsigned count[7] = {0};
    struct random_state random;
    random_init(&random, 1, 2, 3);
    for (int i = 0; i < DRAWS; i++)
        count[random_below(&random, 7)]++;
    double chi2 = 0.0;
    for (int i = 0; i < 7; i++)
        chi2 += pow(count[i] - DRAWS / 7.0, 2) / (DRAWS / 7.0);
    ck_assert_double_lt(chi2, 22.46); /* 99.9 % of chi2 with 6 degrees of freedom */
}
END_TEST

START_TEST(a_large_range_has_no_favourites)
{
    /* A plain remainder would give the lowest third half of the draws. */
    enum { DRAWS = 9001 };
    const uint64_t third = UINT64_C(1) << 62;
    struct random_state random;
    random_init(&random, 5, 0, 0);
    unsigned low = 0;
    for (int i = 0; i < DRAWS; i++) {
        const uint64_t number = random_below(&random, 3 * third);
        ck_assert_uint_lt(number, 3 * third);
        low += number < third;
    }
    const double sd = sqrt(DRAWS * 2.0 / 9.0);
    ck_assert_double_eq_tol(low, DRAWS / 3.0, 4.0 * sd);
}
END_TEST

START_TEST(below_one_is_always_zero)
{
    struct random_state random;
    random_init(&random, 5, 0, 0);
    for (int i = 0; i < 9; i++)
        ck_assert_uint_eq(random_below(&random, 1), 0);
}
END_TEST

START_TEST(gaussian_numbers_have_the_moments_and_tails_of_a_gaussian)
{
    enum { DRAWS = 100003 };
    struct random_state random;
    random_init(&random, 42, 0, 9);
    double m1 = 0.0, m2 = 0.0, m4 = 0.0, tail = 0.0;
    for (int i = 0; i < DRAWS; i++) {
        const double x = random_gaussian(&random);
        m1 += x / DRAWS;
        m2 += x * x / DRAWS;
        m4 += x * x * x * x / DRAWS;
        tail += (fabs(x) > 1.959963984540054) / (double)DRAWS;
    }
    /* Four standard deviations of the mean of each: 1, sqrt(2), sqrt(96), sqrt(0.05 0.95). */
    const double unit = 4.0 / sqrt(DRAWS);
    ck_assert_double_eq_tol(m1, 0.0, unit);
    ck_assert_double_eq_tol(m2, 1.0, unit * sqrt(2.0));
    ck_assert_double_eq_tol(m4, 3.0, unit * sqrt(96.0));
    ck_assert_double_eq_tol(tail, 0.05, unit * sqrt(0.05 * 0.95));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("random");
    tcase_add_test(cases, the_first_block_of_key_zero_is_the_published_vector);
    tcase_add_test(cases, key_stream_and_counter_are_laid_out_as_documented);
    tcase_add_test(cases, a_uniform_number_is_the_upper_53_bits_of_a_word);
    tcase_add_test(cases, numbers_below_seven_are_equally_frequent);
    tcase_add_test(cases, a_large_range_has_no_favourites);
    tcase_add_test(cases, below_one_is_always_zero);
    tcase_add_test(cases, gaussian_numbers_have_the_moments_and_tails_of_a_gaussian);
    return run_case(cases, "random");
}
