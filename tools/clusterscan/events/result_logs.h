/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_logs: the image logs that a result was made of, from the list of ids in it. */
#ifndef TOOLS_CLUSTERSCAN_EVENTS_RESULT_LOGS_H
#define TOOLS_CLUSTERSCAN_EVENTS_RESULT_LOGS_H

#include <stddef.h>

#include "common/base/status.h"

struct result_logs {
    size_t n;
    char **id;     /* [n] */
    char **folder; /* [n] STATE/LOG_ID */
};

/* log_ids: as in a result, with commas between several. STATUS_NO_MEMORY. What is in *out is the
 * caller's, to be given to result_logs_fini. */
MUST_CHECK status result_logs_list(struct result_logs *out, const char *state, const char *log_ids);
/* Frees what is in *self and zeroes it. */
void result_logs_fini(struct result_logs *self);

#endif
