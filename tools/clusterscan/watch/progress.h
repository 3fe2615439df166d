/* SPDX-License-Identifier: GPL-3.0-or-later */
/* progress: how far a run is, for people: one live block on a terminal (a line for the run and one
 * for each stage, redrawn in place), a plain line every few seconds elsewhere, and a line for every
 * slice that was scored. Colours only on a terminal and where NO_COLOR is not set. */
#ifndef TOOLS_CLUSTERSCAN_WATCH_PROGRESS_H
#define TOOLS_CLUSTERSCAN_WATCH_PROGRESS_H

#include "common/watch/watched_run.h"

enum { PROGRESS_LINES_MAX = 1 + TOPOLOGY_STAGES_MAX };

struct progress {
    bool quiet;
    bool live; /* a terminal that can go back in what it shows */
    bool colours;
    size_t lines;                              /* of the block that stands on the terminal now */
    unsigned short length[PROGRESS_LINES_MAX]; /* of each, in columns */
    uint64_t start_ms;
    uint64_t shown_ms;
};

void progress_init(struct progress *self, bool quiet);
void progress_fini(struct progress *self);
/* Shows what the heartbeats report, when a redraw is due. */
void progress_show(struct progress *self, const struct watched_run *run);
/* Removes the block and prints how far the run has come. */
void progress_end(struct progress *self, const struct watched_run *run);
/* Prints a line that stays. */
void progress_print(struct progress *self, const char *line);
/* Removes the block, so that something else can be printed. */
void progress_clear(struct progress *self);

#endif
