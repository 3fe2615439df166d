/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan: what a run of a topology consists of: which processes, on which host, by which command,
 * with which setup (common/stage/setup.h) and which endpoints. Making it reads the input files and
 * creates nothing: no folder, no socket. Executors carry it out (executors/). */
#ifndef TOOLS_CLUSTERSCAN_RUN_PLAN_H
#define TOOLS_CLUSTERSCAN_RUN_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/topology/topology.h"
#include "tools/clusterscan/run/run_ids.h"

enum { PLAN_ENDPOINT_MAX = 108 };

/* One of the logs. Its sources have numbers of its own, from 0 in the order of the file; right of
 * the logs they are numbered on, log by log. */
struct plan_log {
    char images[4096]; /* its folder: STATE/LOG_ID */
    uint32_t sources;
    uint32_t first_source; /* the number of its first among those of all logs */
    char control[PLAN_ENDPOINT_MAX];
};

struct plan_process {
    size_t stage;
    uint32_t replica;
    char name[64];                  /* "images.1" */
    const char *host;               /* "this", the only one there is */
    char output[PLAN_ENDPOINT_MAX]; /* "": it has no consumer */
};

/* Endpoints are "ipc://{sockets}/NAME" or "tcp://127.0.0.1:{port of NAME}" until an executor fills
 * in its folder or ports. */
struct plan {
    const topology *flow;
    struct run_ids ids;
    char folder[4096]; /* of this run's status and logs: that of the first log, STATE/replay-RUN_ID
                        */
    size_t n_logs;
    struct plan_log *log;            /* [n_logs] in the order of the file */
    uint32_t sources;                /* of all logs */
    char monitor[PLAN_ENDPOINT_MAX]; /* of the heartbeats of all processes */
    char watch[PLAN_ENDPOINT_MAX];   /* where the run repeats them to watchers */
    json_t **files;                  /* [stages] expanded lists, NULL: no reader of ours */
    json_t *
        *contents; /* [stages] content of those files, NULL: not known, as in a followed folder */
    size_t n;
    struct plan_process *process;
};

/* Finds the logs of a replay, expands globs, opens event files, makes ids. remember: files that had
 * to be read for their digest are noted in the state folder (content_book.h), if that is there.
 * STATUS_BAD_INPUT, logged. */
MUST_CHECK status plan_make(struct plan *out, const topology *flow, const char *state,
                            bool remember);
/* STATUS_BAD_INPUT, logged, for a state folder whose name is too long. */
MUST_CHECK status plan_check_state(const char *state);
/* How many of the sources of log k stand before `stage` in the file. */
uint32_t plan_sources_before(const struct plan *self, size_t k, size_t stage);
/* Frees the arrays of *self and zeroes it. */
void plan_fini(struct plan *self);

#endif
