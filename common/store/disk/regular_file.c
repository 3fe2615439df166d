/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/disk/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/disk/atomic_file.h"

static const char *kind_name(mode_t mode)
{
    return S_ISDIR(mode)    ? "a folder"
           : S_ISFIFO(mode) ? "a named pipe"
           : S_ISLNK(mode)  ? "a symbolic link"
                            : "something that is no regular file";
}

static status refuse_kind(const char *path, mode_t mode)
{
    log_error("%s: found %s, expected a regular file", path, kind_name(mode));
    return STATUS_BAD_INPUT;
}

static status not_opened(const char *path, int error)
{
    struct stat there;
    if (error == ENOENT)
        return STATUS_END;
    /* What open(2) says of a link (ELOOP), a folder (EISDIR) or a socket (ENXIO) names no kind. */
    if (lstat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return refuse_kind(path, there.st_mode);
    const status outcome = status_of_errno(error);
    if (outcome != STATUS_NO_SPACE)
        log_error("%s: cannot be opened: %s", path, strerror(error));
    return outcome;
}

status regular_file_open(int *fd, const char *path, int flags)
{
    struct stat about;
    *fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (*fd < 0)
        return not_opened(path, errno);
    if (fstat(*fd, &about) == 0 && S_ISREG(about.st_mode))
        return STATUS_OK;
    close(*fd);
    *fd = -1;
    return refuse_kind(path, about.st_mode);
}

status move_aside(const char *path, const char *suffix, char to[4096])
{
    struct stat there;
    if (lstat(path, &there) != 0 && errno == ENOENT)
        return STATUS_END;
    snprintf(to, 4096, "%.4000s.%.40s", path, suffix);
    for (unsigned n = 1; lstat(to, &there) == 0; n++)
        snprintf(to, 4096, "%.4000s.%.40s.%u", path, suffix, n);
    if (rename(path, to) == 0)
        return parent_sync(path);
    log_error("%s: cannot be moved aside to %s: %s", path, to, strerror(errno));
    return status_of_errno(errno) == STATUS_NO_SPACE ? STATUS_NO_SPACE : STATUS_IO;
}
