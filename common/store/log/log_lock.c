/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/log/log_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/store/disk/regular_file.h"

enum { LOCK_WAIT_MS = 5000, LOCK_RETRY_MS = 20 };

/* The kernel drops a dead owner's lock, but a killed owner may still be on its way out. */
static status wait_for_lock(int lock, const char *path, int kind)
{
    const uint64_t give_up = clock_ms() + LOCK_WAIT_MS;
    while (flock(lock, kind | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            log_error("%s: the lock cannot be taken: %s", path, strerror(errno));
            return STATUS_IO;
        }
        if (clock_ms() >= give_up) {
            log_error("%s: another log %s this folder", path,
                      kind == LOCK_SH ? "writes to" : "writes to or reads");
            return STATUS_LOCKED;
        }
        poll(NULL, 0, LOCK_RETRY_MS);
    }
    return STATUS_OK;
}

static status take(int *lock, const char *path, int flags, int kind)
{
    char *file;
    *lock = -1;
    if (asprintf(&file, "%s/lock", path) < 0)
        return STATUS_NO_MEMORY;
    status outcome = regular_file_open(lock, file, flags);
    free(file);
    if (outcome != STATUS_OK)
        return outcome;
    outcome = wait_for_lock(*lock, path, kind);
    if (outcome != STATUS_OK) {
        close(*lock);
        *lock = -1;
    }
    return outcome;
}

status log_lock_take(int *lock, const char *path)
{
    return take(lock, path, O_RDWR | O_CREAT, LOCK_EX);
}

status log_lock_share(int *lock, const char *path)
{
    const status outcome = take(lock, path, O_RDONLY, LOCK_SH);
    return outcome == STATUS_END ? STATUS_OK : outcome;
}
