/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a Check program ends with: a skip is neither a pass nor a failure. */
#include "tests/support/check_main.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(inner_pass)
{
    ck_assert_int_eq(_i, 0);
}
END_TEST

START_TEST(inner_skip)
{
    SKIP("no %s here", "unicorn");
}
END_TEST

START_TEST(inner_failure)
{
    ck_assert_int_eq(_i, 7);
}
END_TEST

/* Runs those tests as a program of their own; its exit code, and what it printed in said[size]. */
static int run_inner(size_t n, const TTest *const tests[], size_t size, char said[])
{
    int out[2], how;
    ck_assert_int_eq(pipe(out), 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        TCase *cases = tcase_create("inner");
        for (size_t i = 0; i < n; i++)
            tcase_add_test(cases, tests[i]);
        exit(run_case(cases, "inner"));
    }
    close(out[1]);
    size_t used = 0;
    for (ssize_t got; (got = read(out[0], said + used, size - 1 - used)) > 0;)
        used += (size_t)got;
    said[used] = '\0';
    close(out[0]);
    ck_assert_int_eq(waitpid(child, &how, 0), child);
    ck_assert(WIFEXITED(how));
    return WEXITSTATUS(how);
}

START_TEST(one_skip_among_passes_makes_the_program_a_skip_and_names_the_test)
{
    char said[4096];
    ck_assert_int_eq(
        run_inner(2, (const TTest *const[]){inner_pass, inner_skip}, sizeof said, said), 77);
    ck_assert_ptr_nonnull(strstr(said, "skipped: inner_skip: no unicorn here\n"));
}
END_TEST

START_TEST(without_a_skip_the_program_passes)
{
    char said[4096];
    ck_assert_int_eq(run_inner(1, (const TTest *const[]){inner_pass}, sizeof said, said), 0);
}
END_TEST

START_TEST(a_failure_is_not_hidden_by_a_skip)
{
    char said[4096];
    ck_assert_int_eq(
        run_inner(2, (const TTest *const[]){inner_skip, inner_failure}, sizeof said, said),
        EXIT_FAILURE);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("check_main");
    tcase_add_test(cases, one_skip_among_passes_makes_the_program_a_skip_and_names_the_test);
    tcase_add_test(cases, without_a_skip_the_program_passes);
    tcase_add_test(cases, a_failure_is_not_hidden_by_a_skip);
    return run_case(cases, "support/check_main");
}
