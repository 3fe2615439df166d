/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/log/log_lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/disk/file_lock.h"
#include "common/store/disk/regular_file.h"

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
    outcome = file_lock_take(*lock, path, kind);
    if (outcome == STATUS_LOCKED)
        log_error("%s: another log %s this folder", path,
                  kind == LOCK_SH ? "writes to" : "writes to or reads");
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
