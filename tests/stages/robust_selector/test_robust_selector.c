/* SPDX-License-Identifier: GPL-3.0-or-later */
/* robust_selector, called bare: the cluster that sticks out in one bin is rich. */
#include "stages/robust_selector/robust_selector.h"

#include "tests/support/bare_stage.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

enum { CLUSTERS = 10, BINS = 3 };

static void *selector;
static const struct stage_input inputs[] = {
    {.stage = "spectra", .type = MESSAGE_SPECTRA, .copies = 2}};

static void create(void)
{
    struct stage_setup setup = {.analysis = bare_analysis(), .n_inputs = 1, .inputs = inputs};
    setup.analysis.training.clusters = CLUSTERS;
    ck_assert_int_eq(robust_selector_create(&selector, &setup), STATUS_OK);
}

static void destroy(void)
{
    robust_selector_destroy(&selector);
    ck_assert_ptr_null(selector);
}

static struct bare_outlet outlet;

static void see(const void *record)
{
    const struct selection_record *selection = record;
    ck_assert_uint_eq(selection->summed.slice, 0);
    for (size_t c = 0; c < CLUSTERS; c++)
        ck_assert_uint_eq(selection->label[c], c == 7);
    ck_assert_double_gt(selection->z[7 * BINS + 1], 3);
    /* The sums over both copies of what take_half makes. */
    ck_assert_uint_eq(selection->rich[0], 218);
    ck_assert_uint_eq(selection->rich[1], 1022);
    ck_assert_uint_eq(selection->depleted[0], 1912);
    ck_assert_uint_eq(selection->depleted[1], 1908);
    /* Scaled to as many jets as the rich cluster has. */
    ck_assert_double_eq_tol(selection->background[1], 1908.0 * 1456 / 5734, 1e-9);
    ck_assert_ptr_null(selection_fault(selection));
}

/* One of the two copies of the accumulator, each with half of the jets. */
static status take_half(uint64_t slice)
{
    uint64_t counts[CLUSTERS * BINS];
    static const uint64_t signal[CLUSTERS * BINS];
    for (uint64_t c = 0; c < CLUSTERS; c++)
        for (uint64_t b = 0; b < BINS; b++)
            counts[c * BINS + b] = 100 + c + c * (b + 1) % 5 + (c == 7 && b == 1 ? 400 : 0);
    const union record spectra = {.spectra = {.generation = 1,
                                              .members = 1,
                                              .clusters = CLUSTERS,
                                              .bins = BINS,
                                              .slice = slice,
                                              .counts = counts,
                                              .signal = signal}};
    return bare_process(robust_selector_process, selector, 0, MESSAGE_SPECTRA, slice, &spectra,
                        &outlet);
}

START_TEST(the_cluster_that_sticks_out_is_rich_once_all_copies_have_told)
{
    outlet = (struct bare_outlet)BARE_OUTLET(see);
    ck_assert_int_eq(take_half(0), STATUS_OK);
    ck_assert_uint_eq(outlet.n, 0);
    ck_assert_int_eq(take_half(0), STATUS_OK);
    ck_assert_uint_eq(outlet.n, 1);
    ck_assert_int_eq(robust_selector_finish(selector, 0, 1, &outlet.outlet), STATUS_OK);
}
END_TEST

START_TEST(an_end_before_all_copies_have_told_is_refused)
{
    outlet = (struct bare_outlet)BARE_OUTLET(see);
    ck_assert_int_eq(take_half(0), STATUS_OK);
    captured_begin();
    ck_assert_int_eq(robust_selector_finish(selector, 0, 1, &outlet.outlet), STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "slice");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("robust_selector");
    tcase_add_checked_fixture(cases, create, destroy);
    tcase_add_test(cases, the_cluster_that_sticks_out_is_rich_once_all_copies_have_told);
    tcase_add_test(cases, an_end_before_all_copies_have_told_is_refused);
    return run_case(cases, "robust_selector");
}
