/* SPDX-License-Identifier: GPL-3.0-or-later */
/* captured_log: what a call wrote to standard error, for tests of messages. */
#ifndef TESTS_SUPPORT_CAPTURED_LOG_H
#define TESTS_SUPPORT_CAPTURED_LOG_H

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static FILE *captured_file;
static int captured_stderr;

static inline void captured_begin(void)
{
    captured_file = tmpfile();
    ck_assert_ptr_nonnull(captured_file);
    captured_stderr = dup(STDERR_FILENO);
    ck_assert_int_ge(dup2(fileno(captured_file), STDERR_FILENO), 0);
}

/* What was written since; holds until the next call. */
static inline const char *captured_end(void)
{
    static char text[1 << 16];
    dup2(captured_stderr, STDERR_FILENO);
    close(captured_stderr);
    rewind(captured_file);
    const size_t n = fread(text, 1, sizeof text - 1, captured_file);
    text[n] = '\0';
    fclose(captured_file);
    fputs(text, stderr);
    return text;
}

#define CK_SAYS(text, part) \
    ck_assert_msg(strstr((text), (part)) != NULL, "'%s' does not say '%s'", (text), (part))

#endif
