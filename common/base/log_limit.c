/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/base/log_limit.h"

#include <inttypes.h>

#include "common/base/log.h"

bool log_limit_pass(struct log_limit *self, const char *of_what)
{
    if (self->n++ < LOG_LIMIT_LINES)
        return true;
    if (self->n == LOG_LIMIT_LINES + 1)
        log_warning("more %s: from here on this process only counts them", of_what);
    return false;
}

void log_limit_sum(const struct log_limit *self, const char *of_what)
{
    if (self->n > LOG_LIMIT_LINES)
        log_warning("%" PRIu64 " %s in all", self->n, of_what);
}
