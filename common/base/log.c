/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/printable.h"

static const char *log_name;
static enum log_level log_least = LOG_INFO;

void log_init(const char *name, enum log_level level)
{
    log_name = name;
    log_least = level;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const words[] = {"error", "warning", "info", "debug"};
    if (level > log_least)
        return;
    const int kept = errno;
    char line[1000];
    int n = log_name != NULL ? snprintf(line, sizeof line, "%s: [%s] ", words[level], log_name)
                             : snprintf(line, sizeof line, "%s: ", words[level]);
    if (n < 0 || (size_t)n >= sizeof line)
        n = 0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + n, sizeof line - (size_t)n - 1, format, arguments);
    va_end(arguments);
    /* A name found in a file may hold anything, escape sequences of the terminal as well. */
    char shown[sizeof line];
    text_printable(line, sizeof shown - 1, shown);
    strcat(shown, "\n");
    /* A failed write to standard error cannot be reported. */
    if (write(STDERR_FILENO, shown, strlen(shown)) < 0)
        (void)level;
    errno = kept;
}
