/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report: a result file in plain words or as one JSON object, on standard output. */
#ifndef TOOLS_CLUSTERSCAN_COMMANDS_REPORT_H
#define TOOLS_CLUSTERSCAN_COMMANDS_REPORT_H

#include <stdbool.h>

/* Prints the result file at path; returns the exit code of the program. *incomplete, set where that
 * is 0: some of the input was refused or quarantined. */
int report_print(const char *path, bool json, bool *incomplete);

#endif
