/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status: how a call ended. Errors of the world are values of this type plus one
 * log line where the context is known; our own bugs are asserts. */
#ifndef COMMON_BASE_STATUS_H
#define COMMON_BASE_STATUS_H

typedef enum status {
    STATUS_OK = 0,
    STATUS_NO_MEMORY,  /* an allocation failed */
    STATUS_BAD_SHAPE,  /* sizes that do not fit each other; nothing was changed */
    STATUS_BAD_INPUT,  /* a file, key, row or message is not what it must be: exit code 2 */
    STATUS_IO,         /* the disk, a socket or a library under us refused */
    STATUS_NO_SPACE,   /* the disk is full: may be tried again */
    STATUS_LOCKED,     /* another process holds the lock */
    STATUS_END,        /* there is nothing more to come */
    STATUS_INTERRUPTED /* asked to stop */
} status;

/* Put after a declaration: the caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Exit codes of every program of the house. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_RUN_FAILED = 1,
    EXIT_BAD_INPUT = 2,
    EXIT_QUARANTINED = 3, /* done, but some of the input was refused or quarantined */
    EXIT_INTERRUPTED = 130
};

/* One short phrase for people, never NULL. */
const char *status_text(status code);
/* The exit code of a program that ends with this status. */
enum exit_code status_exit_code(status code);

#endif
