/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check_main: the main function of a Check program with one suite. */
#ifndef TESTS_SUPPORT_CHECK_MAIN_H
#define TESTS_SUPPORT_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

/* Runs the tests added to `cases` and returns what main should; 77 (skipped) is for a
 * program whose input is not there, before any test runs. */
static inline int run_case(TCase *cases, const char *name)
{
    Suite *suite = suite_create(name);
    tcase_set_timeout(cases, 300);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
