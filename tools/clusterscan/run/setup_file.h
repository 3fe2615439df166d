/* SPDX-License-Identifier: GPL-3.0-or-later */
/* setup_file: the setup of a process of a plan as JSON, which common/stage/setup.h reads.
 * The executor that starts the process writes it to the file that its command names. */
#ifndef TOOLS_CLUSTERSCAN_RUN_SETUP_FILE_H
#define TOOLS_CLUSTERSCAN_RUN_SETUP_FILE_H

#include <jansson.h>

#include "tools/clusterscan/run/plan.h"

/* The content of a process's setup file; a new reference, NULL when out of memory. */
json_t *setup_file_make(const struct plan *plan, const struct plan_process *process);
/* Keys of log k for a stage right of the logs; likewise. */
json_t *setup_file_log(const struct plan *plan, size_t k);

#endif
