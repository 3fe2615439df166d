/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file_lock: the lock of a file (flock(2)) whose last owner may just have been killed. */
#ifndef COMMON_STORE_DISK_FILE_LOCK_H
#define COMMON_STORE_DISK_FILE_LOCK_H

#include "common/base/status.h"

/* Locks the open file, kind LOCK_SH or LOCK_EX. The kernel drops the lock of a dead process, but a
 * killed one may take a moment to die: waits up to 5 s. STATUS_LOCKED, not logged, after that;
 * STATUS_IO, logged with path. */
MUST_CHECK status file_lock_take(int fd, const char *path, int kind);

#endif
