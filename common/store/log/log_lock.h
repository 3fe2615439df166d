/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_lock: the file `lock` of a log folder, flock(2)ed by the one log that writes there, or shared
 * by those that only read. */
#ifndef COMMON_STORE_LOG_LOG_LOCK_H
#define COMMON_STORE_LOG_LOG_LOCK_H

#include "common/base/status.h"

/* Takes the lock of folder `path`, making the file, and waits up to 5 s for a dying owner:
 * STATUS_LOCKED, logged, after that. *lock is to be given to close. STATUS_NO_SPACE, not logged. */
MUST_CHECK status log_lock_take(int *lock, const char *path);
/* A reader's share of it. *lock is -1 where there is no such file: then there is nothing to wait
 * for. */
MUST_CHECK status log_lock_share(int *lock, const char *path);

#endif
