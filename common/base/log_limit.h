/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_limit: the first lines of a kind are logged, the others only counted. */
#ifndef COMMON_BASE_LOG_LIMIT_H
#define COMMON_BASE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_LIMIT_LINES = 20 };

/* Start with all zero. */
struct log_limit {
    uint64_t n; /* so far */
};

/* Counts one more event of the kind; true if it is still to be logged. After the last one that is,
 * a line says that no more of `what` (a plural, as "messages refused") are logged. */
bool log_limit_pass(struct log_limit *self, const char *of_what);
/* At the end: logs the total count, if some events were not logged. */
void log_limit_sum(const struct log_limit *self, const char *of_what);

#endif
