/* SPDX-License-Identifier: GPL-3.0-or-later */
/* watched_run: a run as its watcher sees it: its processes, and their last heartbeats. */
#ifndef COMMON_WATCH_WATCHED_RUN_H
#define COMMON_WATCH_WATCHED_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/flow/heartbeat/heartbeat.h"
#include "common/topology/topology.h"

/* Growth rate of a counter. */
struct meter {
    bool started;
    uint64_t value;
    uint64_t ms;
    double rate; /* per second, over the last few seconds */
};

enum process_state {
    PROCESS_WAITING, /* to be started, for the first time or again */
    PROCESS_RUNNING,
    PROCESS_ENDED /* finished, not to be started again */
};

struct watched_process {
    size_t stage; /* in the topology */
    uint32_t replica;
    enum process_state state;
    uint32_t restarts;
    bool heard;              /* in this life of the process */
    struct heartbeat last;   /* of its heartbeats; items never fall */
    uint64_t refused_before; /* in its earlier lives */
    struct meter events;
    struct meter read;
};

struct watched_run {
    const topology *flow;
    const char *run_id;
    const char *log_id;
    size_t n;
    struct watched_process *process; /* [n] in the order of the topology */
};

/* The process a heartbeat is of, NULL if there is none. */
struct watched_process *watched_run_find(const struct watched_run *self,
                                         const struct heartbeat *heartbeat);
/* Notes that the process was started. */
void watched_process_start(struct watched_process *self);
/* Notes a heartbeat of this process. True if it reports more items than any before. */
bool watched_process_hear(struct watched_process *self, const struct heartbeat *heartbeat);
/* Reads all meters, once a second. */
void watched_run_measure(struct watched_run *self, uint64_t now_ms);

#endif
