/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_lock: STATE/LOG_ID/run.lock, held by the run that is at work there. */
#ifndef TOOLS_CLUSTERSCAN_WATCH_RUN_LOCK_H
#define TOOLS_CLUSTERSCAN_WATCH_RUN_LOCK_H

#include <stdbool.h>

/* Held from run_lock_take until the process ends;
 * -1, logged: another run holds it. */
int run_lock_take(const char *folder);
/* Whether a run holds it; asking does not disturb a run that is about to take it. */
bool run_lock_is_held(const char *folder);

#endif
