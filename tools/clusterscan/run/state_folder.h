/* SPDX-License-Identifier: GPL-3.0-or-later */
/* state_folder: the folders of a state folder, LOG_ID and replay-RUN_ID, and their removal. Ours
 * are only those of such a name in which there is nothing but what runs write; no symbolic link is
 * ever followed, nor anything opened that is no regular file. */
#ifndef TOOLS_CLUSTERSCAN_RUN_STATE_FOLDER_H
#define TOOLS_CLUSTERSCAN_RUN_STATE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/base/status.h"

enum { STATE_NAME_SIZE = 64, STATE_TEXT_SIZE = 400 };

struct state_folder {
    char name[STATE_NAME_SIZE];
    uint64_t bytes;                 /* of the files in it */
    time_t last_used;               /* when the newest of them was written */
    bool in_use;                    /* a run or a log is at work, or a replay reads it */
    char stranger[STATE_TEXT_SIZE]; /* what in it is not of a run, printable; "": nothing */
};

/* 32 hex digits, behind them or alone `replay-`, and before that `removing-`, which a removal that
 * was cut short leaves. */
bool state_folder_is_name(const char *name);
bool state_folder_is_log(const char *name);

/* Opens a state folder; *fd is the caller's. STATUS_BAD_INPUT, logged, if it cannot be. */
MUST_CHECK status state_open(int *fd, const char *path);
/* Looks into the folder `name`. STATUS_END: it is gone or no folder. STATUS_IO, logged. */
MUST_CHECK status state_folder_look(struct state_folder *out, int state, const char *name);
/* Removes it, holding the locks of the run and of the log, under the name removing-NAME first.
 * *freed gets the bytes of the files that had no other name. STATUS_BAD_INPUT, logged, nothing
 * changed: no such folder, it is not ours, or in use. STATUS_IO, logged: not all of it is gone. */
MUST_CHECK status state_folder_remove(int state, const char *name, uint64_t *freed);

#endif
