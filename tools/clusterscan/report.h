/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report: a result file in plain words or as one JSON object, on standard output. */
#ifndef TOOLS_CLUSTERSCAN_REPORT_H
#define TOOLS_CLUSTERSCAN_REPORT_H

#include <stdbool.h>

/* Prints the result file at path; returns the exit code of the program. */
int report_print(const char *path, bool json);

#endif
