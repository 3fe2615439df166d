/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is wrong with the numbers of a batch. */
#include "common/records/image_batch.h"

#include <math.h>

#include "tests/support/check_main.h"
#include "tests/support/sample_batch.h"

static struct sample_batch *batch;

static void set_up(void)
{
    batch = sample_batch_make(0, 3, 7, 0);
}

static void tear_down(void)
{
    free(batch);
}

static const char *fault(void)
{
    return image_batch_value_fault(&batch->batch.images);
}

START_TEST(a_batch_as_an_imager_makes_it_has_no_fault)
{
    ck_assert_ptr_null(fault());
    struct sample_batch *empty = sample_batch_make(0, 0, 0, 0);
    ck_assert_ptr_null(image_batch_value_fault(&empty->batch.images));
    free(empty);
}
END_TEST

START_TEST(a_dijet_mass_must_be_a_number_from_0_on)
{
    static const float wrong[] = {NAN, INFINITY, -INFINITY, -0.5f};
    batch->m_jj[6] = wrong[_i];
    ck_assert_str_eq(fault(), "a dijet mass is no number from 0 on");
}
END_TEST

START_TEST(what_a_jet_is_must_be_finite)
{
    batch->jet[_i][13] = _i % 2 ? NAN : INFINITY; /* pt, eta, phi, mass */
    ck_assert_str_eq(fault(), "a momentum, angle or mass of a jet is not finite");
}
END_TEST

START_TEST(rows_are_ascending_and_the_batchs_own)
{
    const uint64_t first = batch->row[0];
    const uint64_t wrong[][2] = {{3, first + 2}, {0, first - 1}, {6, first + 12}, {6, UINT64_MAX}};
    batch->row[wrong[_i][0]] = wrong[_i][1];
    ck_assert_str_eq(fault(), "rows are not ascending or not the batch's own");
    batch->row[6] = first + 11; /* the last of twelve */
    batch->row[3] = first + 3;
    batch->row[0] = first;
    ck_assert_ptr_null(fault());
}
END_TEST

START_TEST(intensities_are_fractions_of_the_sum_of_their_image)
{
    static const float wrong[] = {NAN, INFINITY, -0.25f, 0.0f, 1.5f};
    const uint32_t last = batch->batch.images.lit - 1;
    const float good = batch->intensity[last];
    batch->intensity[last] = wrong[_i];
    ck_assert_str_eq(fault(), "the intensities of an image are no fractions of its sum");
    batch->intensity[last] = nextafterf(good, 1);
    ck_assert_ptr_null(fault());
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("image_batch");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, a_batch_as_an_imager_makes_it_has_no_fault);
    tcase_add_loop_test(cases, a_dijet_mass_must_be_a_number_from_0_on, 0, 4);
    tcase_add_loop_test(cases, what_a_jet_is_must_be_finite, 0, 4);
    tcase_add_loop_test(cases, rows_are_ascending_and_the_batchs_own, 0, 4);
    tcase_add_loop_test(cases, intensities_are_fractions_of_the_sum_of_their_image, 0, 5);
    return run_case(cases, "kernels/records");
}
