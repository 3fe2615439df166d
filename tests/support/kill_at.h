/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kill_at: a deed in a process of its own, killed at a given entry into or return from the kernel.
 */
#ifndef TESTS_SUPPORT_KILL_AT_H
#define TESTS_SUPPORT_KILL_AT_H

#include <check.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Does something with path and ends with _exit(0); says what it must not lose, a byte each, to
 * `acknowledge`. */
typedef void kill_at_deed(const char *path, int acknowledge);

/* Bytes in the pipe; the writer is gone. */
static inline size_t drain(int from)
{
    size_t total = 0;
    char bytes[64];
    for (ssize_t n; (n = read(from, bytes, sizeof bytes)) > 0;)
        total += (size_t)n;
    return total;
}

/* Kills the deed at its stop-th entry or return. False when it had ended before; sets *traced if
 * tracing works here. */
static inline int kill_at(kill_at_deed *deed, const char *path, long stop, int *traced,
                          size_t *acknowledged)
{
    int acknowledge[2], how;
    ck_assert_int_eq(pipe(acknowledge), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(acknowledge[0]);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(77);
        raise(SIGSTOP);
        deed(path, acknowledge[1]);
        _exit(1);
    }
    close(acknowledge[1]);
    ck_assert_int_eq(waitpid(child, &how, 0), child);
    *traced = WIFSTOPPED(how);
    for (long i = 0; i < stop && WIFSTOPPED(how); i++) {
        ck_assert_int_eq(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        ck_assert_int_eq(waitpid(child, &how, 0), child);
    }
    const int alive = WIFSTOPPED(how);
    if (alive) {
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, &how, 0), child);
    } else if (*traced) {
        ck_assert(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    }
    *acknowledged = drain(acknowledge[0]);
    close(acknowledge[0]);
    return alive;
}

#endif
