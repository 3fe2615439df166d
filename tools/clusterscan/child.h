/* SPDX-License-Identifier: GPL-3.0-or-later */
/* child: one stage process: start, output, end. */
#ifndef TOOLS_CLUSTERSCAN_CHILD_H
#define TOOLS_CLUSTERSCAN_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/status/status.h"
#include "tools/clusterscan/plan.h"

enum child_state {
    CHILD_WAITING, /* to be started at start_ms */
    CHILD_RUNNING,
    CHILD_ENDED /* finished, not to be started again */
};

/* What its last heartbeat said. */
struct pulse {
    bool heard;
    bool finished;
    uint64_t items;
    uint64_t events;
    uint64_t rows;
    uint64_t read;
    uint64_t counted;
    uint64_t dropped;
    char text[200];
};

struct child {
    const struct plan_process *process;
    enum child_state state;
    pid_t pid;
    uint64_t start_ms;
    uint32_t deaths; /* since the last progress */
    uint32_t restarts;
    int output; /* read end of its standard output and error; -1: closed */
    int log;    /* -1: none */
    char line[1024];
    size_t line_size;
    char last_line[1024]; /* its last words */
    bool verbose;
    bool quiet;
    struct pulse pulse;
};

/* Opens the log file FOLDER/logs/NAME.log for appending. */
void child_init(struct child *self, const struct plan_process *process, const char *folder);
void child_fini(struct child *self);
/* Forks and executes. The process leads a group of its own and dies with us. STATUS_IO, logged. */
MUST_CHECK status child_start(struct child *self);
/* Reads what it has said, writes it to its log, shows warnings and errors. */
void child_listen(struct child *self);
/* Sends a signal to the process alone, or to its whole group. */
void child_signal(const struct child *self, int number);
void child_signal_group(const struct child *self, int number);
/* Takes in a heartbeat of this child. True if it says more was done than ever before. */
bool child_take_pulse(struct child *self, const struct pulse *pulse);

#endif
