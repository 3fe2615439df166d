/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stage/model_arrivals.h"

#include "tests/support/bare_stage.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

static struct model_arrivals arrivals;

static void make(void)
{
    struct analysis analysis = bare_analysis();
    analysis.training.ensemble = 3;
    ck_assert_int_eq(model_arrivals_init(&arrivals, &analysis), STATUS_OK);
}

static void end(void)
{
    model_arrivals_fini(&arrivals);
}

static status note(uint32_t member, uint32_t clusters, uint32_t pixels)
{
    return model_arrivals_note(
        &arrivals,
        &(struct model_record){.member = member, .clusters = clusters, .pixels = pixels});
}

START_TEST(the_members_are_complete_in_any_order_and_when_one_comes_twice)
{
    const uint32_t order[] = {2, 0, 2, 1};
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(note(order[i], 2, 16), STATUS_OK);
    ck_assert_int_eq(model_arrivals_check(&arrivals), STATUS_OK);
}
END_TEST

START_TEST(the_first_missing_member_is_named)
{
    ck_assert_int_eq(note(0, 2, 16), STATUS_OK);
    captured_begin();
    ck_assert_int_eq(model_arrivals_check(&arrivals), STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "the trainer ended without a model of member 1");
}
END_TEST

START_TEST(a_model_of_another_shape_is_refused_with_what_was_expected)
{
    captured_begin();
    ck_assert_int_eq(note(3, 2, 16), STATUS_BAD_INPUT);
    ck_assert_int_eq(note(0, 5, 16), STATUS_BAD_INPUT);
    ck_assert_int_eq(note(0, 2, 25), STATUS_BAD_INPUT);
    const char *said = captured_end();
    CK_SAYS(said, "model of member 3 with 2 clusters of 16 pixels: expected one of 3 members, 2 "
                  "clusters, 16 pixels");
    CK_SAYS(said, "with 5 clusters");
    CK_SAYS(said, "of 25 pixels");
    ck_assert(!arrivals.here[0]);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("model_arrivals");
    tcase_add_checked_fixture(cases, make, end);
    tcase_add_test(cases, the_members_are_complete_in_any_order_and_when_one_comes_twice);
    tcase_add_test(cases, the_first_missing_member_is_named);
    tcase_add_test(cases, a_model_of_another_shape_is_refused_with_what_was_expected);
    return run_case(cases, "model_arrivals");
}
