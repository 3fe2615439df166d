/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heartbeat: what is packed is parsed, and what others send does no harm. */
#include "common/flow/heartbeat/heartbeat.h"

#include <string.h>

#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

START_TEST(what_is_packed_is_parsed)
{
    const struct heartbeat sent = {.stage = "spectra",
                                   .replica = 3,
                                   .pid = 4711,
                                   .finished = true,
                                   .items = 12,
                                   .events = UINT64_C(1) << 40,
                                   .refused = 2,
                                   .rows = 5,
                                   .read = 6,
                                   .counted = 7,
                                   .dropped = 8,
                                   .text = "slice 3: 4 % \"done\"",
                                   .growing = true,
                                   .idle = 55,
                                   .waits = "input",
                                   .waits_for = "log",
                                   .credits = 9,
                                   .used = 4,
                                   .lag = 11,
                                   .n_inputs = 2,
                                   .input = {{"log", 17}, {"trainer", UINT64_MAX}}};
    char text[HEARTBEAT_BYTES_MAX];
    ck_assert_uint_gt(heartbeat_pack(&sent, sizeof text, text), 0);
    struct heartbeat got;
    ck_assert(heartbeat_parse(&got, text));
    ck_assert_int_eq(memcmp(&got, &sent, sizeof got), 0);
}
END_TEST

START_TEST(the_least_that_a_foreign_stage_sends_is_enough)
{
    struct heartbeat got;
    ck_assert(heartbeat_parse(&got, "{\"stage\": \"mine\", \"replica\": 1, \"items\": 5}"));
    ck_assert_str_eq(got.stage, "mine");
    ck_assert_uint_eq(got.replica, 1);
    ck_assert_uint_eq(got.items, 5);
    ck_assert_uint_eq(got.n_inputs, 0);
    ck_assert_str_eq(got.text, "");
}
END_TEST

START_TEST(what_is_no_heartbeat_is_none_and_hostile_values_are_tamed)
{
    static const char *const none[] = {"",
                                       "[]",
                                       "17",
                                       "{\"stage\": 1, \"replica\": 0}",
                                       "{\"replica\": 0}",
                                       "{\"stage\": \"a\"}",
                                       "{\"stage\""};
    struct heartbeat got;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_msg(!heartbeat_parse(&got, none[i]), "%s", none[i]);
    ck_assert(heartbeat_parse(
        &got, "{\"stage\": \"a\", \"replica\": 0, \"items\": -4, \"text\": \"\\u001b[31mred\","
              " \"flow\": {\"idle\": 900, \"inputs\": [1, 2, {\"stage\": []}]}}"));
    ck_assert_uint_eq(got.items, 0);
    ck_assert_uint_eq(got.idle, 100);
    ck_assert_ptr_null(strchr(got.text, '\33'));
    ck_assert_uint_eq(got.n_inputs, 3);
}
END_TEST

START_TEST(one_that_does_not_fit_is_not_packed)
{
    const struct heartbeat sent = {.stage = "a"};
    char text[64];
    ck_assert_uint_eq(heartbeat_pack(&sent, sizeof text, text), 0);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("heartbeat");
    tcase_add_test(cases, what_is_packed_is_parsed);
    tcase_add_test(cases, the_least_that_a_foreign_stage_sends_is_enough);
    tcase_add_test(cases, what_is_no_heartbeat_is_none_and_hostile_values_are_tamed);
    tcase_add_test(cases, one_that_does_not_fit_is_not_packed);
    return run_case(cases, "heartbeat");
}
