/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batches by their place, whichever segments are in memory. */
#include "stages/image_log/segment_cache.h"

#include <math.h>

#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/sample_batch.h"
#include "tests/support/scratch_folder.h"

enum { SEGMENTS = 7 }; /* more than are kept in memory */
static log_folder *folder;
static segment_cache *books;

/* Segment i holds i % 3 + 1 batches; batch seq has seq % 5 + 1 events. */
static struct sample_batch *sample(uint64_t seq)
{
    return sample_batch_make(0, seq, (uint32_t)(seq % 5) + 1, 0);
}

static void seal(size_t n)
{
    struct sample_batch *samples[3];
    struct segment_batch batches[3] = {0};
    for (size_t b = 0; b < n; b++) {
        samples[b] = sample(log_folder_next_seq(folder, 0) + b);
        batches[b] = samples[b]->batch;
    }
    ck_assert_int_eq(log_folder_seal(folder, n, batches), STATUS_OK);
    for (size_t b = 0; b < n; b++)
        free(samples[b]);
}

static void set_up(void)
{
    scratch_make();
    ck_assert_int_eq(log_folder_open(&folder, &segment_images, scratch_path("log"), "x", 1, NULL),
                     STATUS_OK);
    for (size_t i = 0; i < SEGMENTS; i++)
        seal(i % 3 + 1);
    ck_assert_int_eq(segment_cache_create(&books, folder), STATUS_OK);
}

static void tear_down(void)
{
    segment_cache_destroy(&books);
    log_folder_close(&folder);
    scratch_remove();
}

static void check_place(uint64_t place)
{
    struct segment_batch got;
    ck_assert_int_eq(segment_cache_get(books, place, &got), STATUS_OK);
    struct sample_batch *must = sample(place);
    sample_batch_check(&got, &must->batch);
    free(must);
}

START_TEST(every_place_has_its_batch_in_any_order)
{
    const uint64_t n = log_folder_places(folder);
    ck_assert_uint_eq(n, 13);
    for (uint64_t i = 0; i < 5 * n; i++)
        check_place(i * 8 % n);
}
END_TEST

START_TEST(a_filter_leaves_the_events_within_its_masses)
{
    const double mass[2] = {3001, 3003};
    const double all[2] = {-INFINITY, INFINITY};
    struct image_batch got;
    uint32_t source = 7;
    ck_assert_int_eq(segment_cache_get_filtered(books, 4, mass, &got, &source), STATUS_OK);
    ck_assert_uint_eq(source, 0);
    ck_assert_uint_eq(got.events, 2); /* of 5, at 3000.25 GeV and one more each */
    ck_assert_float_eq(got.m_jj[0], 3001.25f);
    ck_assert_uint_eq(got.read, 10);
    ck_assert_int_eq(segment_cache_get_filtered(books, 4, all, &got, &source), STATUS_OK);
    ck_assert_uint_eq(got.events, 5);
}
END_TEST

START_TEST(a_damaged_segment_is_told_with_its_number_and_the_others_stay)
{
    struct segment_batch got;
    const char *why;
    file_flip(scratch_path("log/segment-000004.h5"), 444);
    check_place(6); /* the last of segment 3 */
    ck_assert_int_eq(segment_cache_get(books, 7, &got), STATUS_BAD_SHAPE);
    ck_assert_uint_eq(segment_cache_fault(books, &why), 4);
    CK_SAYS(why, "is damaged");
    check_place(6);
    check_place(9);
}
END_TEST

START_TEST(what_was_given_up_is_read_anew)
{
    check_place(12);
    check_place(10);
    ck_assert_int_eq(log_folder_cut(folder, 5, "is lost"), STATUS_OK);
    segment_cache_forget(books, 5);
    ck_assert_uint_eq(log_folder_places(folder), 9);
    check_place(8);
    seal(1); /* where three were */
    seal(3);
    check_place(9);
    check_place(12);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("segment_cache");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, every_place_has_its_batch_in_any_order);
    tcase_add_test(cases, a_filter_leaves_the_events_within_its_masses);
    tcase_add_test(cases, a_damaged_segment_is_told_with_its_number_and_the_others_stay);
    tcase_add_test(cases, what_was_given_up_is_read_anew);
    return run_case(cases, "stages/image_log/segment_cache");
}
