/* SPDX-License-Identifier: GPL-3.0-or-later */
/* child: one stage process: start, output, end. */
#ifndef TOOLS_CLUSTERSCAN_RUN_CHILD_H
#define TOOLS_CLUSTERSCAN_RUN_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/status.h"
#include "common/watch/watched_run.h"
#include "tools/clusterscan/run/executors/local.h"

struct child {
    const struct plan_process *process;
    const struct local_process *program;
    struct watched_process *watched; /* what others see of it */
    pid_t pid;
    uint64_t start_ms;   /* when it is to be started */
    uint64_t started_ms; /* when it was */
    uint32_t deaths;     /* since the last progress */
    uint64_t first_death_ms;
    bool bound;    /* its sockets have been seen since it was started */
    bool replaced; /* by us, for no fault of its own */
    int output;    /* read end of its standard output and error; -1: closed */
    int log;       /* -1: none */
    char log_path[4300];
    uint64_t log_size;
    uint64_t shown_since_ms; /* lines shown to people, and left out, in this interval */
    uint32_t shown;
    uint32_t left_out;
    char line[1024];
    size_t line_size;
    char last_line[1024]; /* its last line of output */
    bool verbose;
    bool quiet;
    /* Shows a line of its to people. */
    void (*print)(void *context, const char *line);
    void *context;
};

/* Opens the log file FOLDER/logs/NAME.log for appending. One that grows beyond 8 MiB becomes
 * NAME.log.1, in place of the last of that name. */
void child_init(struct child *self, const struct plan_process *process,
                const struct local_process *program, struct watched_process *watched,
                const char *folder);
void child_fini(struct child *self);
/* Forks and executes. The process leads a group of its own and dies with us. STATUS_IO, logged. */
MUST_CHECK status child_start(struct child *self);
/* Reads some of its output, writes it to its log, prints warnings and errors, at most 25 in ten
 * seconds. An output that it has closed is closed here too. */
void child_listen(struct child *self);
/* After its end: all that is left, up to a megabyte. */
void child_drain(struct child *self);
/* Sends a signal to the process alone, or to its whole group. */
void child_signal(const struct child *self, int number);
void child_signal_group(const struct child *self, int number);
#endif
