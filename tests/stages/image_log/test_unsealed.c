/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log's order: (seq, source), a source that has ended being skipped, each batch once. */
#include "stages/image_log/unsealed.h"
#include "tests/support/check_main.h"

#include <string.h>

enum { WINDOW = 4 };
static unsealed *two;

static void open_unsealed(void)
{
    ck_assert_int_eq(unsealed_create(&two, 2, WINDOW, UNSEALED_ROUNDS), STATUS_OK);
}

static void close_unsealed(void)
{
    unsealed_destroy(&two);
}

/* A batch of one event whose row tells which batch it is. */
static status add(uint32_t source, uint64_t seq)
{
    static const uint32_t dropped[DROP_REASONS] = {0};
    static const uint32_t offset[] = {0, 1, 2};
    static const uint16_t pixel[] = {820, 821};
    static const uint16_t constituents[] = {1, 1};
    static const float ones[] = {1.0F, 1.0F};
    const uint64_t row[] = {100 * source + seq};
    const struct image_batch batch = {.first_row = row[0],
                                      .read = 1,
                                      .events = 1,
                                      .lit = 2,
                                      .dropped = dropped,
                                      .row = row,
                                      .m_jj = ones,
                                      .pt = ones,
                                      .eta = ones,
                                      .phi = ones,
                                      .mass = ones,
                                      .tau1 = ones,
                                      .tau2 = ones,
                                      .tau3 = ones,
                                      .constituents = constituents,
                                      .offset = offset,
                                      .pixel = pixel,
                                      .intensity = ones};
    return unsealed_add(two, source, seq, &batch);
}

/* The rows of the ready batches, dropped on the way, must be these. */
static void expect(size_t n, const uint64_t rows[])
{
    ck_assert_uint_eq(unsealed_count_ready(two), n);
    const struct segment_batch *ready = unsealed_ready(two, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(ready[i].images.row[0], rows[i]);
    unsealed_drop(two, n);
}

START_TEST(batches_come_out_by_seq_and_then_by_source)
{
    for (uint64_t seq = 3; seq < 4; seq--) {
        ck_assert_int_eq(add(1, seq), STATUS_OK);
        ck_assert_int_eq(add(0, seq), STATUS_OK);
    }
    expect(8, (const uint64_t[]){0, 100, 1, 101, 2, 102, 3, 103});
}
END_TEST

START_TEST(a_gap_holds_back_what_stands_behind_it)
{
    ck_assert_int_eq(add(0, 0), STATUS_OK);
    ck_assert_int_eq(add(0, 1), STATUS_OK);
    ck_assert_int_eq(add(1, 1), STATUS_OK);
    expect(1, (const uint64_t[]){0});
    ck_assert_int_eq(add(1, 0), STATUS_OK);
    expect(3, (const uint64_t[]){100, 1, 101});
}
END_TEST

START_TEST(a_source_is_waited_for_until_its_end_is_known_and_then_skipped)
{
    for (uint64_t seq = 0; seq < 3; seq++)
        ck_assert_int_eq(add(0, seq), STATUS_OK);
    ck_assert_int_eq(add(1, 0), STATUS_OK);
    expect(3, (const uint64_t[]){0, 100, 1});
    ck_assert(!unsealed_all_ready(two));
    unsealed_end(two, 1, 1, 1);
    expect(1, (const uint64_t[]){2});
    ck_assert(!unsealed_all_ready(two));
    unsealed_end(two, 0, 3, 3);
    ck_assert(unsealed_all_ready(two));
}
END_TEST

START_TEST(a_second_copy_changes_nothing)
{
    ck_assert_int_eq(add(0, 0), STATUS_OK);
    ck_assert_int_eq(add(0, 0), STATUS_OK);
    ck_assert_uint_eq(unsealed_count(two), 1);
    expect(1, (const uint64_t[]){0});
    ck_assert_int_eq(add(0, 0), STATUS_OK); /* on disk by now */
    ck_assert_uint_eq(unsealed_count(two), 0);
}
END_TEST

START_TEST(a_batch_beyond_the_window_is_not_taken)
{
    ck_assert_int_eq(add(0, WINDOW), STATUS_END);
    ck_assert_int_eq(add(0, WINDOW - 1), STATUS_OK);
    ck_assert_uint_eq(unsealed_count(two), 1);
}
END_TEST

START_TEST(the_bitmap_names_what_is_here_above_the_disk)
{
    uint8_t bitmap[1] = {0};
    unsealed_start(two, 0, 7);
    ck_assert_int_eq(add(0, 8), STATUS_OK);
    ck_assert_int_eq(add(0, 10), STATUS_OK);
    unsealed_bitmap(two, 0, sizeof bitmap, bitmap);
    ck_assert_uint_eq(bitmap[0], 0x0a);
}
END_TEST

START_TEST(after_a_restart_the_order_goes_on_where_it_was)
{
    unsealed_start(two, 0, 3);
    unsealed_start(two, 1, 2);
    ck_assert_int_eq(add(0, 3), STATUS_OK);
    ck_assert_int_eq(add(1, 2), STATUS_OK);
    ck_assert_int_eq(add(1, 3), STATUS_OK);
    expect(3, (const uint64_t[]){102, 3, 103});
}
END_TEST

/* The sources of the ready batches, in order, dropped on the way. */
static void expect_sources(unsealed *all, const char *sources)
{
    const size_t n = unsealed_count_ready(all);
    ck_assert_uint_eq(n, strlen(sources));
    const struct segment_batch *ready = unsealed_ready(all, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(ready[i].source, (uint32_t)(sources[i] - '0'));
    unsealed_drop(all, n);
}

static void open_in_proportion(void)
{
    unsealed_destroy(&two);
    ck_assert_int_eq(unsealed_create(&two, 3, 7, UNSEALED_PROPORTIONAL), STATUS_OK);
}

START_TEST(in_proportion_each_source_is_spread_evenly_over_the_whole)
{
    open_in_proportion();
    unsealed_end(two, 0, 7, 7);
    unsealed_end(two, 1, 3, 3);
    unsealed_end(two, 2, 0, 0); /* takes no part */
    for (uint64_t seq = 0; seq < 7; seq++)
        ck_assert_int_eq(add(0, seq), STATUS_OK);
    for (uint64_t seq = 0; seq < 3; seq++)
        ck_assert_int_eq(add(1, seq), STATUS_OK);
    /* 1/14, 1/6, 3/14, 5/14, 7/14 = 3/6, 9/14, 11/14, 5/6, 13/14 */
    expect_sources(two, "0100010010");
    ck_assert(unsealed_all_ready(two));
}
END_TEST

START_TEST(in_proportion_nothing_has_its_turn_before_all_ends_are_known)
{
    open_in_proportion();
    unsealed_end(two, 0, 2, 2);
    unsealed_end(two, 1, 1, 1);
    ck_assert_int_eq(add(0, 0), STATUS_OK);
    expect_sources(two, "");
    ck_assert(!unsealed_all_ready(two));
    unsealed_end(two, 2, 1, 1);
    expect_sources(two, "0");
    ck_assert_int_eq(add(2, 0), STATUS_OK);
    expect_sources(two, "");
    ck_assert_int_eq(add(1, 0), STATUS_OK);
    expect_sources(two, "12"); /* 1/2 both: the first source first */
}
END_TEST

START_TEST(in_proportion_a_restart_goes_on_in_the_same_order)
{
    open_in_proportion();
    unsealed_start(two, 0, 2);
    unsealed_start(two, 1, 1);
    unsealed_end(two, 0, 7, 7);
    unsealed_end(two, 1, 3, 3);
    unsealed_end(two, 2, 0, 0);
    for (uint64_t seq = 2; seq < 7; seq++)
        ck_assert_int_eq(add(0, seq), STATUS_OK);
    for (uint64_t seq = 1; seq < 3; seq++)
        ck_assert_int_eq(add(1, seq), STATUS_OK);
    expect_sources(two, "0010010");
}
END_TEST

START_TEST(numbers_of_batches_near_2_to_63_do_not_wrap)
{
    open_in_proportion();
    const uint64_t large = INT64_MAX;
    unsealed_start(two, 0, large - 1);
    unsealed_start(two, 1, large / 2);
    unsealed_end(two, 0, large, large);
    unsealed_end(two, 1, large, large);
    unsealed_end(two, 2, 0, 0);
    ck_assert_int_eq(add(0, large - 1), STATUS_OK);
    expect_sources(two, "");
    ck_assert_int_eq(add(1, large / 2), STATUS_OK);
    expect_sources(two, "1");
}
END_TEST

START_TEST(what_was_cleared_is_taken_again_and_the_ends_stay_known)
{
    ck_assert_int_eq(add(0, 0), STATUS_OK);
    ck_assert_int_eq(add(1, 0), STATUS_OK);
    unsealed_end(two, 1, 1, 1);
    expect(2, (const uint64_t[]){0, 100});
    ck_assert_int_eq(add(0, 1), STATUS_OK);
    ck_assert_uint_eq(unsealed_count_ready(two), 1);
    unsealed_clear(two);
    unsealed_start(two, 0, 0);
    unsealed_start(two, 1, 0);
    ck_assert_uint_eq(unsealed_count(two), 0);
    ck_assert_uint_eq(unsealed_count_ready(two), 0);
    ck_assert_int_eq(add(1, 0), STATUS_OK);
    ck_assert_int_eq(add(0, 0), STATUS_OK);
    ck_assert_int_eq(add(0, 1), STATUS_OK);
    expect(3, (const uint64_t[]){0, 100, 1});
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("unsealed");
    tcase_add_checked_fixture(cases, open_unsealed, close_unsealed);
    tcase_add_test(cases, batches_come_out_by_seq_and_then_by_source);
    tcase_add_test(cases, a_gap_holds_back_what_stands_behind_it);
    tcase_add_test(cases, a_source_is_waited_for_until_its_end_is_known_and_then_skipped);
    tcase_add_test(cases, a_second_copy_changes_nothing);
    tcase_add_test(cases, a_batch_beyond_the_window_is_not_taken);
    tcase_add_test(cases, the_bitmap_names_what_is_here_above_the_disk);
    tcase_add_test(cases, after_a_restart_the_order_goes_on_where_it_was);
    tcase_add_test(cases, in_proportion_each_source_is_spread_evenly_over_the_whole);
    tcase_add_test(cases, in_proportion_nothing_has_its_turn_before_all_ends_are_known);
    tcase_add_test(cases, in_proportion_a_restart_goes_on_in_the_same_order);
    tcase_add_test(cases, numbers_of_batches_near_2_to_63_do_not_wrap);
    tcase_add_test(cases, what_was_cleared_is_taken_again_and_the_ends_stay_known);
    return run_case(cases, "stages/image_log/unsealed");
}
