/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scan_report: the result file of a composition scorer in plain words or as JSON. */
#ifndef TOOLS_CLUSTERSCAN_REPORT_SCAN_REPORT_H
#define TOOLS_CLUSTERSCAN_REPORT_SCAN_REPORT_H

#include <stdbool.h>

/* Prints the file; returns the exit code of the program. */
int scan_report_print(const char *path, bool json);

#endif
