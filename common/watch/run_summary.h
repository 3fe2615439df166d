/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_summary: what a run and each of its stages are doing, made of the heartbeats of their
 * processes, for the live block, the plain lines and `clusterscan status`. */
#ifndef COMMON_WATCH_RUN_SUMMARY_H
#define COMMON_WATCH_RUN_SUMMARY_H

#include <jansson.h>

#include "common/watch/watched_run.h"

/* One stage, all its processes together. */
struct stage_summary {
    const char *state; /* "starting", "restarting", "running", "finished": of its
                        * least advanced process */
    double rate;       /* events/s */
    uint64_t events;
    uint64_t items;
    unsigned busy; /* percent of the busiest process */
    uint64_t credits;
    uint64_t used;
    bool has_lag;
    uint64_t lag; /* batches or items */
    uint32_t restarts;
    uint64_t refused; /* messages, by all lives of its processes */
    char waits[100];  /* name of the stage it waits for, "" if none */
    const char *text;
};
void run_summary_stage(struct stage_summary *out, const struct watched_run *run, size_t stage);

/* The run as a whole. */
struct run_totals {
    uint64_t rows; /* of all sources, as far as they are known */
    bool growing;  /* more may come */
    uint64_t read; /* on disk */
    uint64_t counted;
    uint64_t dropped;
    uint64_t refused;  /* messages, by all stages */
    double rate;       /* events/s that reach the disk; while growing: that are read */
    const char *score; /* last text of a sink, "": none yet */
};
void run_summary_totals(struct run_totals *out, const struct watched_run *run);

/* Everything as one JSON object, a new reference (see `clusterscan status --help`). */
json_t *run_summary_to_json(const struct watched_run *run, uint64_t seconds);

#endif
