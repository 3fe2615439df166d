/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check_main: the main function of a Check program with one suite.
 *
 * A test that cannot be run here says so with SKIP(format, ...), which prints one line
 * "skipped: TEST: why" and leaves the test. A program that skipped any of its tests and failed none
 * ends with 77, whatever else it ran: CTest counts it as skipped, so a machine that lacks something
 * never looks like one where everything passed. */
#ifndef TESTS_SUPPORT_CHECK_MAIN_H
#define TESTS_SUPPORT_CHECK_MAIN_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { EXIT_SKIPPED = 77 };

/* Tests run in processes of their own: the number of those skipped is shared. */
static unsigned *skipped_tests;

#define SKIP(...)                                                                   \
    do {                                                                            \
        /* Check calls the function of a test NAME_fn. */                           \
        printf("skipped: %.*s: ", (int)(sizeof __func__ - sizeof "_fn"), __func__); \
        printf(__VA_ARGS__);                                                        \
        putchar('\n');                                                              \
        fflush(stdout);                                                             \
        __atomic_add_fetch(skipped_tests, 1, __ATOMIC_RELAXED);                     \
        return;                                                                     \
    } while (0)

/* Runs the tests added to `cases` and returns what main should. */
static inline int run_case(TCase *cases, const char *name)
{
    void *shared = mmap(NULL, sizeof *skipped_tests, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return EXIT_FAILURE;
    skipped_tests = (unsigned *)shared;
    Suite *suite = suite_create(name);
    tcase_set_timeout(cases, 300);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    if (failed > 0)
        return EXIT_FAILURE;
    return *skipped_tests > 0 ? EXIT_SKIPPED : EXIT_SUCCESS;
}

#endif
