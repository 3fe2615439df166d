/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/disk/file_lock.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>

#include "common/base/clock.h"
#include "common/base/log.h"

enum { WAIT_MS = 5000, RETRY_MS = 20 };

status file_lock_take(int fd, const char *path, int kind)
{
    const uint64_t give_up = clock_ms() + WAIT_MS;
    while (flock(fd, kind | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            log_error("%s: the lock cannot be taken: %s", path, strerror(errno));
            return STATUS_IO;
        }
        if (clock_ms() >= give_up)
            return STATUS_LOCKED;
        poll(NULL, 0, RETRY_MS);
    }
    return STATUS_OK;
}
