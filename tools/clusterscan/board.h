/* SPDX-License-Identifier: GPL-3.0-or-later */
/* board: STATE/LOG_ID/status.json, what a run is doing, replaced once a second so that it is always
 * whole. It stays when the run is killed: whether the run is still at work, its lock tells. */
#ifndef TOOLS_CLUSTERSCAN_BOARD_H
#define TOOLS_CLUSTERSCAN_BOARD_H

#include "tools/clusterscan/child.h"

#define BOARD_FILE "status.json"

struct board {
    const struct plan *plan;
    uint64_t start_ms;
    uint64_t shown_ms;
};

void board_init(struct board *self, const struct plan *plan);
/* Writes it anew, when it is time to. A disk that is full does not stop the run. */
void board_show(struct board *self, size_t n, const struct child children[]);
/* Writes it for the last time. */
void board_end(struct board *self, size_t n, const struct child children[], enum exit_code code);

/* The lock of the run at work in a state folder: held from run_lock_take until the process ends;
 * -1, logged: somebody else holds it. */
int run_lock_take(const char *folder);
/* Whether somebody holds it; looking does not disturb one that is about to take it. */
bool run_lock_is_held(const char *folder);

#endif
