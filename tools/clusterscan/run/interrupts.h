/* SPDX-License-Identifier: GPL-3.0-or-later */
/* interrupts: the signals that stop a command. One that was ignored when the program
 * started, as nohup(1) and the shell's `&` in a script do, stays ignored. */
#ifndef TOOLS_CLUSTERSCAN_RUN_INTERRUPTS_H
#define TOOLS_CLUSTERSCAN_RUN_INTERRUPTS_H

#include <signal.h>
#include <stdbool.h>

/* Adds SIGINT, SIGTERM and SIGHUP to *set, those that are ignored apart. */
void interrupts_add(sigset_t *set);
/* Records these signals from now on; flags are sa_flags. */
void interrupts_note(int flags);
/* Whether one has come since. */
bool interrupts_noted(void);

#endif
