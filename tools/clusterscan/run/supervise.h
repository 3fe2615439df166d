/* SPDX-License-Identifier: GPL-3.0-or-later */
/* supervise: starts the processes of a plan, keeps them alive, and stops them in order. */
#ifndef TOOLS_CLUSTERSCAN_RUN_SUPERVISE_H
#define TOOLS_CLUSTERSCAN_RUN_SUPERVISE_H

#include <stdbool.h>

#include "tools/clusterscan/run/executors/local.h"

/* Runs the plan until every sink has finished. Returns the exit code of the run:
 *   EXIT_DONE         every sink has finished
 *   EXIT_RUN_FAILED   a stage died five times without progress in between (logged: its last line)
 *   EXIT_BAD_INPUT    a stage found its input or settings wrong (likewise)
 *   EXIT_INTERRUPTED  SIGINT, SIGTERM or SIGHUP came
 * No process it started is left when it returns, nor when it is killed. A stage that dies is
 * restarted with back-off. What stages say goes to FOLDER/logs/NAME.log; quiet: only errors are
 * shown, verbose: every line. */
enum exit_code supervise(const struct local *local, bool quiet, bool verbose);

#endif
