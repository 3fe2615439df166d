/* SPDX-License-Identifier: GPL-3.0-or-later */
/* socket_folder: where the sockets and setup files of a run lie. One parent folder of ours holds a
 * folder of six letters and digits for each run:
 *   $XDG_RUNTIME_DIR/clusterscan, else $TMPDIR/clusterscan-UID, else /tmp/clusterscan-UID
 * the first whose names are short enough for a socket address. The parent must be ours alone
 * (0700). A run's folder holds sockets, N.json, N.started and `lock`; nothing else is ever removed.
 */
#ifndef TOOLS_CLUSTERSCAN_RUN_SOCKET_FOLDER_H
#define TOOLS_CLUSTERSCAN_RUN_SOCKET_FOLDER_H

#include <stddef.h>

#include "common/base/status.h"

enum { SOCKET_FOLDER_MAX = 92 }; /* leaves 15 bytes of a socket's address for its name */

/* Makes a folder for this run, locked, and removes those that killed runs have left. *lock is to be
 * closed after socket_folder_remove. STATUS_BAD_INPUT, logged, if no folder can hold it. */
MUST_CHECK status socket_folder_make(char out[SOCKET_FOLDER_MAX], int *lock);
/* Makes the folder again at the same path, where a cleaner has removed it. STATUS_IO, logged. */
MUST_CHECK status socket_folder_renew(const char *path);
/* Touches its files, so that cleaners of temporary files leave them. */
void socket_folder_touch(const char *path);
/* Removes our files in it and, if it is empty then, the folder. */
void socket_folder_remove(const char *path);

#endif
