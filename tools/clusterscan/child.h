/* SPDX-License-Identifier: GPL-3.0-or-later */
/* child: one stage process: start, output, end. */
#ifndef TOOLS_CLUSTERSCAN_CHILD_H
#define TOOLS_CLUSTERSCAN_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/status/status.h"
#include "tools/clusterscan/plan.h"
#include "tools/clusterscan/pulse.h"

enum child_state {
    CHILD_WAITING, /* to be started at start_ms */
    CHILD_RUNNING,
    CHILD_ENDED /* finished, not to be started again */
};

/* How fast something that is counted grows. */
struct meter {
    bool started;
    uint64_t value;
    uint64_t ms;
    double rate; /* per second, over the last few seconds */
};

struct child {
    const struct plan_process *process;
    enum child_state state;
    pid_t pid;
    uint64_t start_ms;   /* when it is to be started */
    uint64_t started_ms; /* when it was */
    uint32_t deaths;     /* since the last progress */
    uint64_t first_death_ms;
    bool bound;    /* its sockets have been seen since it was started */
    bool replaced; /* by us, for no fault of its own */
    uint32_t restarts;
    int output; /* read end of its standard output and error; -1: closed */
    int log;    /* -1: none */
    char log_path[4300];
    uint64_t log_size;
    uint64_t shown_since_ms; /* lines shown to people, and left out, in this interval */
    uint32_t shown;
    uint32_t left_out;
    char line[1024];
    size_t line_size;
    char last_line[1024]; /* its last words */
    bool verbose;
    bool quiet;
    /* Shows a line of its to people. */
    void (*tell)(void *context, const char *line);
    void *context;
    struct pulse pulse;      /* what its last heartbeat said */
    uint64_t refused_before; /* in its earlier lives */
    struct meter events;
    struct meter read;
};

/* Opens the log file FOLDER/logs/NAME.log for appending. One that grows beyond 8 MiB becomes
 * NAME.log.1, in place of the last of that name. */
void child_init(struct child *self, const struct plan_process *process, const char *folder);
void child_fini(struct child *self);
/* Forks and executes. The process leads a group of its own and dies with us. STATUS_IO, logged. */
MUST_CHECK status child_start(struct child *self);
/* Reads some of what it has said, writes it to its log, shows warnings and errors, 25 in ten
 * seconds at most. An output that it has closed is closed here too. */
void child_listen(struct child *self);
/* After its end: all that is left, up to a megabyte. */
void child_drain(struct child *self);
/* Sends a signal to the process alone, or to its whole group. */
void child_signal(const struct child *self, int number);
void child_signal_group(const struct child *self, int number);
/* Takes in a heartbeat of this child. True if it says more was done than ever before. */
bool child_take_pulse(struct child *self, const struct pulse *pulse);
/* Takes a reading of its meters, when it is time to. */
void child_measure(struct child *self, uint64_t now_ms);

#endif
