/* SPDX-License-Identifier: GPL-3.0-or-later */
/* setup_file: what a process of a plan is told when it starts, as common/stage/setup.h reads it.
 * The executor that starts the process writes it to the file that its command names. */
#ifndef TOOLS_CLUSTERSCAN_RUN_SETUP_FILE_H
#define TOOLS_CLUSTERSCAN_RUN_SETUP_FILE_H

#include <jansson.h>

#include "tools/clusterscan/run/plan.h"

/* The content of a process's setup file; a new reference, NULL when out of memory. */
json_t *setup_file_make(const struct plan *plan, const struct plan_process *process);
/* What a stage right of the logs is told of log k; likewise. */
json_t *setup_file_log(const struct plan *plan, size_t k);

#endif
