/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tally: kept + dropped + quarantined = read, and it can fail. */
#include "common/records/tally.h"

#include "tests/support/check_main.h"

static const uint32_t dropped[DROP_REASONS] = {[DROP_ONE_JET] = 3, [DROP_NOT_FINITE] = 1};

START_TEST(a_batch_adds_what_it_keeps_and_not_what_is_left_of_its_rows)
{
    const struct image_batch batch = {
        .read = 10, .quarantined = 1, .events = 5, .dropped = dropped};
    struct tally tally = {0};
    tally_add_batch(&tally, &batch);
    tally_add_batch(&tally, &batch);
    ck_assert_uint_eq(tally.read, 20);
    ck_assert_uint_eq(tally.quarantined, 2);
    ck_assert_uint_eq(tally_dropped(&tally), 8);
    ck_assert_uint_eq(tally.dropped[DROP_ONE_JET], 6);
    ck_assert_int_eq(tally_adds_up(&tally), 1);
}
END_TEST

START_TEST(a_tally_that_does_not_add_up_is_told)
{
    struct tally tally = {.read = 20, .counted = 15, .quarantined = 1};
    tally.dropped[DROP_NO_JET] = 4;
    ck_assert_int_eq(tally_adds_up(&tally), 1);
    tally.read++; /* a row that nobody accounts for */
    ck_assert_int_eq(tally_adds_up(&tally), 0);
    tally.read -= 2; /* one accounted for twice */
    ck_assert_int_eq(tally_adds_up(&tally), 0);
    tally = (struct tally){.read = 3, .counted = UINT64_MAX, .quarantined = 4}; /* wraps to 3 */
    ck_assert_int_eq(tally_adds_up(&tally), 0);
}
END_TEST

START_TEST(tallies_add)
{
    struct tally a = {.read = 5, .counted = 3, .quarantined = 1, .dropped = {1}};
    const struct tally b = {.read = 7, .counted = 6, .quarantined = 0, .dropped = {0, 1}};
    tally_add(&a, &b);
    ck_assert_uint_eq(a.read, 12);
    ck_assert_uint_eq(a.counted, 9);
    ck_assert_uint_eq(a.quarantined, 1);
    ck_assert_uint_eq(tally_dropped(&a), 2);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("tally");
    tcase_add_test(cases, a_batch_adds_what_it_keeps_and_not_what_is_left_of_its_rows);
    tcase_add_test(cases, a_tally_that_does_not_add_up_is_told);
    tcase_add_test(cases, tallies_add);
    return run_case(cases, "tally");
}
