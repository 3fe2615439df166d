/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slices of three accumulators, two stages of one and two copies, as they may come. */
#include "common/stage/slice_sum.h"

#include "tests/support/check_main.h"

enum { MEMBERS = 1, CLUSTERS = 2, BINS = 3, CELLS = MEMBERS * CLUSTERS * BINS };

static slice_sum *sums;

static void make(void)
{
    static const struct stage_input inputs[] = {{.stage = "a", .copies = 1},
                                                {.stage = "b", .copies = 2}};
    struct stage_setup setup = {.n_inputs = 2, .inputs = inputs};
    setup.analysis.training.ensemble = MEMBERS;
    setup.analysis.training.clusters = CLUSTERS;
    setup.analysis.spectra.bins = BINS;
    ck_assert_int_eq(slice_sum_create(&sums, &setup), STATUS_OK);
}

static void destroy(void)
{
    slice_sum_destroy(&sums);
    ck_assert_ptr_null(sums);
    slice_sum_destroy(&sums);
}

/* Sends counts of `each` in every cell; the sum that is complete, or NULL. */
static const struct spectra_record *send(uint64_t slice, uint64_t each)
{
    uint64_t counts[CELLS], signal[CELLS];
    for (size_t i = 0; i < CELLS; i++) {
        counts[i] = each + i;
        signal[i] = each / 7;
    }
    const struct spectra_record spectra = {.members = MEMBERS,
                                           .clusters = CLUSTERS,
                                           .bins = BINS,
                                           .slice = slice,
                                           .tally = {.read = each, .counted = each},
                                           .in_window = each,
                                           .labelled = each,
                                           .digest = UINT64_MAX - each,
                                           .counts = counts,
                                           .signal = signal};
    const struct spectra_record *complete;
    ck_assert_int_eq(slice_sum_add(sums, &spectra, &complete), STATUS_OK);
    return complete;
}

START_TEST(a_slice_is_complete_with_its_last_copy_and_is_the_sum_of_all)
{
    ck_assert_ptr_null(send(0, 7));
    ck_assert_ptr_null(send(0, 21));
    const struct spectra_record *sum = send(0, 700);
    ck_assert_ptr_nonnull(sum);
    ck_assert_uint_eq(sum->slice, 0);
    ck_assert_uint_eq(sum->tally.read, 728);
    ck_assert_uint_eq(sum->in_window, 728);
    ck_assert_uint_eq(sum->labelled, 728);
    ck_assert_uint_eq(sum->digest, UINT64_MAX - 728 - 2); /* it wraps */
    for (size_t i = 0; i < CELLS; i++) {
        ck_assert_uint_eq(sum->counts[i], 728 + 3 * i);
        ck_assert_uint_eq(sum->signal[i], 104);
    }
}
END_TEST

START_TEST(a_copy_may_be_ahead_and_slices_still_come_in_order)
{
    for (uint64_t slice = 0; slice < 5; slice++)
        ck_assert_ptr_null(send(slice, 10 * slice));
    for (uint64_t slice = 0; slice < 5; slice++)
        ck_assert_ptr_null(send(slice, 100 * slice));
    for (uint64_t slice = 0; slice < 5; slice++) {
        const struct spectra_record *sum = send(slice, 1000 * slice);
        ck_assert_ptr_nonnull(sum);
        ck_assert_uint_eq(sum->slice, slice);
        ck_assert_uint_eq(sum->counts[1], 1110 * slice + 3);
    }
    ck_assert_int_eq(slice_sum_finish(sums, 5), STATUS_OK);
}
END_TEST

START_TEST(an_end_before_the_last_slice_is_complete_is_told)
{
    send(0, 1);
    ck_assert_int_eq(slice_sum_finish(sums, 1), STATUS_BAD_INPUT);
}
END_TEST

START_TEST(spectra_that_do_not_fit_are_refused)
{
    const uint64_t cells[CELLS] = {0};
    struct spectra_record spectra = {
        .members = MEMBERS, .clusters = CLUSTERS, .bins = BINS, .counts = cells, .signal = cells};
    const struct spectra_record *complete;
    spectra.bins = BINS + 1;
    ck_assert_int_eq(slice_sum_add(sums, &spectra, &complete), STATUS_BAD_INPUT);
    spectra.bins = BINS;
    spectra.slice = 32; /* further ahead than copies can be */
    ck_assert_int_eq(slice_sum_add(sums, &spectra, &complete), STATUS_BAD_INPUT);
    for (uint64_t copy = 0; copy < 3; copy++)
        send(0, 1);
    spectra.slice = 0; /* once more */
    ck_assert_int_eq(slice_sum_add(sums, &spectra, &complete), STATUS_BAD_INPUT);
    ck_assert_ptr_null(complete);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("slice_sum");
    tcase_add_checked_fixture(cases, make, destroy);
    tcase_add_test(cases, a_slice_is_complete_with_its_last_copy_and_is_the_sum_of_all);
    tcase_add_test(cases, a_copy_may_be_ahead_and_slices_still_come_in_order);
    tcase_add_test(cases, an_end_before_the_last_slice_is_complete_is_told);
    tcase_add_test(cases, spectra_that_do_not_fit_are_refused);
    return run_case(cases, "stage.slice_sum");
}
