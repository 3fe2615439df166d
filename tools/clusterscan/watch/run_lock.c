/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/watch/run_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"

enum { PATH_SIZE = 4300 };

static int open_lock(const char *folder, int flags)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%.4090s/run.lock", folder);
    return open(path, flags | O_CLOEXEC, 0666);
}

int run_lock_take(const char *folder)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int fd = open_lock(folder, O_RDWR | O_CREAT);
    if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return fd;
    log_error("%s/run.lock: %s", folder,
              fd < 0 || (errno != EAGAIN && errno != EACCES)
                  ? strerror(errno)
                  : "another run is at work on the same events; use another --state");
    if (fd >= 0)
        close(fd);
    return -1;
}

bool run_lock_is_held(const char *folder)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int fd = open_lock(folder, O_RDONLY);
    if (fd < 0)
        return false;
    const bool held = fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
    close(fd);
    return held;
}
