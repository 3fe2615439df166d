/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_text: parts that the reports of all result files share. */
#ifndef TOOLS_CLUSTERSCAN_REPORT_REPORT_TEXT_H
#define TOOLS_CLUSTERSCAN_REPORT_REPORT_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "common/records/tally.h"

/* Prints a text of a file with control characters made visible, so that no terminal obeys it. */
void report_print_text(const char *text);
/* Prints the first line: run, version, and whether the run had ended. */
void report_print_run(const char *run_id, const char *version, bool final);
/* Prints what became of the events, one line per count. */
void report_print_events(const struct tally *tally);
/* Dropped events by reason; a new reference. */
json_t *report_dropped_to_json(const struct tally *tally);
/* Prints an object and a line's end, and frees it. Returns the exit code: that of a failed run if
 * object is NULL, which a text that is not UTF-8 makes it (logged with run_id). */
int report_print_json(json_t *object, const char *run_id);

#endif
