/* SPDX-License-Identifier: GPL-3.0-or-later */
/* harness: what the benchmark programs share: a failure ends them. */
#ifndef TOOLS_BENCHMARKS_HARNESS_H
#define TOOLS_BENCHMARKS_HARNESS_H

#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/status.h"

/* Returns memory, or ends the program if it is NULL. */
static inline void *must(void *memory)
{
    if (memory != NULL)
        return memory;
    log_error("out of memory");
    exit(EXIT_RUN_FAILED);
}

static inline void check(status done)
{
    if (done != STATUS_OK)
        exit((int)status_exit_code(done));
}

#endif
