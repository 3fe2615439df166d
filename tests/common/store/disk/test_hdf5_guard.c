/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A crash while HDF5 works on a file is charged to the file; any other stays what it is. */
#include <signal.h>
#include <sys/wait.h>

#include "common/base/status.h"
#include "common/store/disk/hdf5_util.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

/* How a process ends that aborts while the guard stands as told. */
static int end_of(const char *path)
{
    int how;
    const pid_t pid = fork();
    if (pid == 0) {
        hdf5_guard("another.h5");
        hdf5_guard(path);
        raise(SIGABRT);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &how, 0), pid);
    return how;
}

START_TEST(a_crash_while_a_file_is_read_ends_the_process_with_2_and_its_name)
{
    captured_begin();
    const int how = end_of("hostile.h5");
    CK_SAYS(captured_end(), "error: hostile.h5: the HDF5 library crashed reading it");
    ck_assert(WIFEXITED(how) && WEXITSTATUS(how) == EXIT_BAD_INPUT);
}
END_TEST

START_TEST(another_crash_is_not_charged_to_a_file)
{
    const int how = end_of(NULL);
    ck_assert(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("hdf5_guard");
    tcase_add_test(cases, a_crash_while_a_file_is_read_ends_the_process_with_2_and_its_name);
    tcase_add_test(cases, another_crash_is_not_charged_to_a_file);
    return run_case(cases, "store.hdf5_guard");
}
