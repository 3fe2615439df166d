/* SPDX-License-Identifier: GPL-3.0-or-later */
/* progress: how far a run is, for people: one live line on a terminal, a plain line every few
 * seconds elsewhere. */
#ifndef TOOLS_CLUSTERSCAN_PROGRESS_H
#define TOOLS_CLUSTERSCAN_PROGRESS_H

#include "tools/clusterscan/child.h"

struct progress {
    bool quiet;
    bool terminal;
    bool shown; /* a live line stands on the terminal */
    uint64_t start_ms;
    uint64_t shown_ms;
    char score[200]; /* the last score line */
    char last[400];  /* the last plain line */
};

void progress_init(struct progress *self, bool quiet);
void progress_fini(struct progress *self);
/* Shows what the children's heartbeats say, when it is time to. */
void progress_show(struct progress *self, const topology *flow, size_t n,
                   const struct child children[]);
/* Takes the live line away, so that something else can be printed. */
void progress_clear(struct progress *self);

#endif
