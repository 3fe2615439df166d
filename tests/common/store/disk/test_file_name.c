/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any name comes back from its text, and the text is UTF-8 without control characters. */
#include "common/store/disk/file_name.h"

#include <stdlib.h>

#include "tests/support/check_main.h"

static const struct {
    const char *name, *text;
} known[] = {{"events_0.h5", "events_0.h5"},
             {"\xc3\xa9v\xc3\xa9nements.h5", "\xc3\xa9v\xc3\xa9nements.h5"},
             {"\xe9v\xe9nements.h5", "\\xe9v\\xe9nements.h5"},
             {"a\\x41.h5", "a\\x5cx41.h5"},
             {"\033[31m\n", "\\x1b[31m\\x0a"},
             {"cut \xe2\x82", "cut \\xe2\\x82"},
             {"\xc0\xaf\xed\xa0\x80\xf5", "\\xc0\\xaf\\xed\\xa0\\x80\\xf5"},
             {"", ""}};

START_TEST(a_name_becomes_text_and_comes_back)
{
    char *text = file_name_to_text(known[_i].name);
    ck_assert_str_eq(text, known[_i].text);
    char *name = file_name_from_text(text);
    ck_assert_str_eq(name, known[_i].name);
    free(text);
    free(name);
}
END_TEST

START_TEST(a_text_that_is_no_escape_stays)
{
    char *name = file_name_from_text("a\\xg1 \\y \\x4");
    ck_assert_str_eq(name, "a\\xg1 \\y \\x4");
    free(name);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("file_name");
    tcase_add_loop_test(cases, a_name_becomes_text_and_comes_back, 0,
                        (int)(sizeof known / sizeof *known));
    tcase_add_test(cases, a_text_that_is_no_escape_stays);
    return run_case(cases, "store.file_name");
}
