/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_limit: twenty lines, then one that there are more, then the sum. */
#include "common/base/log_limit.h"

#include <string.h>

#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

START_TEST(after_twenty_lines_there_is_one_more_and_the_sum_at_the_end)
{
    struct log_limit limit = {0};
    size_t passed = 0;
    captured_begin();
    for (size_t i = 0; i < 50; i++)
        passed += log_limit_pass(&limit, "sheep counted");
    log_limit_sum(&limit, "sheep counted");
    ck_assert_str_eq(captured_end(),
                     "warning: more sheep counted: from here on this process only counts them\n"
                     "warning: 50 sheep counted in all\n");
    ck_assert_uint_eq(passed, 20);
}
END_TEST

START_TEST(where_all_were_told_there_is_no_sum)
{
    struct log_limit limit = {0};
    captured_begin();
    for (size_t i = 0; i < 20; i++)
        ck_assert(log_limit_pass(&limit, "sheep counted"));
    log_limit_sum(&limit, "sheep counted");
    ck_assert_str_eq(captured_end(), "");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("log_limit");
    tcase_add_test(cases, after_twenty_lines_there_is_one_more_and_the_sum_at_the_end);
    tcase_add_test(cases, where_all_were_told_there_is_no_sum);
    return run_case(cases, "log_limit");
}
