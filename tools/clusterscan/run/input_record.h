/* SPDX-License-Identifier: GPL-3.0-or-later */
/* input_record: STATE/LOG_ID/inputs.json, the names that a log's input had at the last run, so that
 * people find it again. No id depends on it.
 *   {"topology": NAME, "sources": [{"stage": NAME, "files": [{"path": TEXT, "events": N}, ...]},
 *    {"stage": NAME, "folder": TEXT} of a followed folder, {"stage": NAME} of a foreign source]} */
#ifndef TOOLS_CLUSTERSCAN_RUN_INPUT_RECORD_H
#define TOOLS_CLUSTERSCAN_RUN_INPUT_RECORD_H

#include <stdint.h>

#include "tools/clusterscan/run/plan.h"

#define INPUT_RECORD_FILE "inputs.json"

/* Writes that of a run that is no replay, replacing an older one. A disk that is full does not
 * stop the run; other errors are logged. */
void input_record_write(const struct plan *plan);

/* The record in a log's folder; a new reference. NULL if there is none. */
json_t *input_record_read(const char *folder);
/* Name of the stage of a source; NULL if it is not known. Borrowed. */
const char *input_record_stage(const json_t *record, uint32_t source);
/* Files of a source in order, as [{"path", "events"}], of a followed folder those that its journal
 * in the log's folder has as accepted. A new reference; empty if they are not known. */
json_t *input_record_files(const json_t *record, const char *folder, uint32_t source);

#endif
