/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_file: STATE/LOG_ID/status.json, what a run is doing, replaced once a second so that it is
 * always whole. It stays when the run is killed: its lock shows whether the run is still at work.
 * Of a run with several logs it is in the folder of the first, and those of the others refer to it.
 */
#ifndef TOOLS_CLUSTERSCAN_WATCH_STATUS_FILE_H
#define TOOLS_CLUSTERSCAN_WATCH_STATUS_FILE_H

#include "common/watch/watched_run.h"

#define STATUS_FILE_NAME "status.json"

struct status_file {
    const char *folder;
    const char *watch; /* endpoint where the run repeats heartbeats */
    uint64_t start_ms;
    uint64_t shown_ms;
};

/* Borrows both. */
void status_file_init(struct status_file *self, const char *folder, const char *watch);
/* Writes the file anew, once a second. A full disk does not stop the run. */
void status_file_show(struct status_file *self, const struct watched_run *run);
/* What stands in the folder of another log of the run: {"part_of": LOG_ID of the first}. */
void status_file_refer(const char *folder, const char *first_log_id);
/* Writes the file for the last time. */
void status_file_end(struct status_file *self, const struct watched_run *run, enum exit_code code);

#endif
