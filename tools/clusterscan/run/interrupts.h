/* SPDX-License-Identifier: GPL-3.0-or-later */
/* interrupts: the signals that ask a command to stop. One that was ignored when the program
 * started, as nohup(1) and the shell's `&` in a script do, stays ignored. */
#ifndef TOOLS_CLUSTERSCAN_RUN_INTERRUPTS_H
#define TOOLS_CLUSTERSCAN_RUN_INTERRUPTS_H

#include <signal.h>
#include <stdbool.h>

/* Adds SIGINT, SIGTERM and SIGHUP to *set, those that are ignored apart. */
void interrupts_add(sigset_t *set);
/* Has these noted from now on, with sa_flags as given. */
void interrupts_note(int flags);
/* Whether one has come since. */
bool interrupts_noted(void);

#endif
