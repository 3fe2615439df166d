/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Image batches put together event by event. */
#include "common/records/image_columns.h"

#include <math.h>

#include "tests/support/check_main.h"
#include "tests/support/sample_batch.h"

static struct image_columns columns;

static void set_up(void)
{
    columns = (struct image_columns){0};
}

static void tear_down(void)
{
    image_columns_fini(&columns);
}

/* What the columns hold is batch `must`, whose other numbers they do not keep. */
static void check_columns(const struct sample_batch *must, int labelled)
{
    struct segment_batch is = {must->batch.source, must->batch.seq, must->batch.images};
    image_columns_view(&columns, labelled, &is.images);
    sample_batch_check(&is, &must->batch);
}

START_TEST(a_copy_is_the_batch_whatever_the_columns_held_before)
{
    static const uint32_t events[] = {7, 0, 301, 1, 13};
    for (uint64_t i = 0; i < 5; i++) {
        struct sample_batch *batch = sample_batch_make(1, i, events[i], i % 2 == 0);
        ck_assert_int_eq(image_columns_copy(&columns, &batch->batch.images), STATUS_OK);
        check_columns(batch, i % 2 == 0);
        free(batch);
    }
}
END_TEST

START_TEST(columns_are_not_moved_while_the_batches_fit)
{
    struct sample_batch *large = sample_batch_make(0, 3, 59, 1);
    struct sample_batch *small = sample_batch_make(0, 4, 11, 1);
    ck_assert_int_eq(image_columns_copy(&columns, &large->batch.images), STATUS_OK);
    const float *intensity = columns.intensity;
    ck_assert_int_eq(image_columns_copy(&columns, &small->batch.images), STATUS_OK);
    ck_assert_ptr_eq(columns.intensity, intensity);
    check_columns(small, 1);
    free(large);
    free(small);
}
END_TEST

START_TEST(labels_that_are_not_known_become_minus_one)
{
    struct sample_batch *batch = sample_batch_make(0, 0, 3, 0);
    struct image_batch view = batch->batch.images;
    ck_assert_int_eq(image_columns_copy(&columns, &batch->batch.images), STATUS_OK);
    image_columns_view(&columns, 1, &view);
    for (uint32_t e = 0; e < 3; e++)
        ck_assert_int_eq(view.label[e], -1);
    image_columns_view(&columns, 0, &view);
    ck_assert_ptr_null(view.label);
    free(batch);
}
END_TEST

START_TEST(a_filter_takes_its_lower_bound_and_not_its_upper)
{
    struct sample_batch *batch = sample_batch_make(0, 2, 9, 1); /* 3000.25, 3001.25, ... GeV */
    const struct image_batch *all = &batch->batch.images;
    struct image_batch some;
    const double mass[2] = {3002.25, 3005.25};
    ck_assert_int_eq(image_columns_filter(&columns, all, mass, &some), STATUS_OK);
    ck_assert_uint_eq(some.events, 3);
    ck_assert_uint_eq(some.read, all->read);
    ck_assert_uint_eq(some.quarantined, all->quarantined);
    CK_SAME_ARRAY(some.dropped, all->dropped, DROP_REASONS);
    for (uint32_t e = 0; e < 3; e++) {
        ck_assert_float_eq(some.m_jj[e], all->m_jj[e + 2]);
        ck_assert_uint_eq(some.row[e], all->row[e + 2]);
        ck_assert_int_eq(some.label[e], all->label[e + 2]);
    }
    for (uint32_t j = 0; j < 6; j++) {
        const uint32_t at = some.offset[j], from = all->offset[j + 4];
        const uint32_t n = some.offset[j + 1] - at;
        ck_assert_uint_eq(n, all->offset[j + 5] - from);
        ck_assert_float_eq(some.tau3[j], all->tau3[j + 4]);
        CK_SAME_ARRAY(some.pixel + at, all->pixel + from, n);
        CK_SAME_ARRAY(some.intensity + at, all->intensity + from, n);
    }
    ck_assert_uint_eq(some.lit, some.offset[6]);
    free(batch);
}
END_TEST

START_TEST(a_filter_that_takes_nothing_gives_an_empty_batch_with_its_counts)
{
    struct sample_batch *batch = sample_batch_make(0, 2, 9, 1);
    struct image_batch none;
    const double mass[2] = {INFINITY, INFINITY};
    ck_assert_int_eq(image_columns_filter(&columns, &batch->batch.images, mass, &none), STATUS_OK);
    ck_assert_uint_eq(none.events, 0);
    ck_assert_uint_eq(none.lit, 0);
    ck_assert_uint_eq(none.read, 14);
    free(batch);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("image_columns");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, a_copy_is_the_batch_whatever_the_columns_held_before);
    tcase_add_test(cases, columns_are_not_moved_while_the_batches_fit);
    tcase_add_test(cases, labels_that_are_not_known_become_minus_one);
    tcase_add_test(cases, a_filter_takes_its_lower_bound_and_not_its_upper);
    tcase_add_test(cases, a_filter_that_takes_nothing_gives_an_empty_batch_with_its_counts);
    return run_case(cases, "kernels/image_columns");
}
