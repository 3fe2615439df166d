/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/disk/atomic_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"

struct atomic_file {
    char *path;
    char *temporary;
    int fd; /* of the temporary file, locked; -1: not ours (yet) */
};

status status_of_errno(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return STATUS_NO_SPACE;
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
    case ENAMETOOLONG:
    case EFBIG: /* more than the process, or the file system, may write: waiting does not help */
        return STATUS_BAD_INPUT;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_IO;
    }
}

static status failure(const char *path, const char *what)
{
    const int error = errno;
    const status outcome = status_of_errno(error);
    if (outcome != STATUS_NO_SPACE)
        log_error("%s: cannot %s: %s", path, what, strerror(error));
    return outcome;
}

static status folder_sync(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failure(path, "open the folder");
    status outcome = STATUS_OK;
    /* EINVAL: a file system that has nothing to sync for a folder. */
    if (fsync(fd) != 0 && errno != EINVAL)
        outcome = failure(path, "make the folder durable");
    close(fd);
    return outcome;
}

status parent_sync(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL   ? strdup(".")
                   : slash == path ? strdup("/")
                                   : strndup(path, (size_t)(slash - path));
    if (folder == NULL)
        return STATUS_NO_MEMORY;
    const status outcome = folder_sync(folder);
    free(folder);
    return outcome;
}

/* The name may have gone to another file between open and flock, when its writer renamed it. */
static bool still_named(int fd, const char *name)
{
    struct stat ours, theirs;
    return fstat(fd, &ours) == 0 && lstat(name, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
           ours.st_dev == theirs.st_dev;
}

static status take_temporary(atomic_file *self)
{
    for (;;) {
        const int fd =
            open(self->temporary, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
        if (fd < 0)
            return failure(self->path, "write the file");
        struct stat about;
        if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
            close(fd);
            log_error("%s: cannot be written: %s is no regular file", self->path, self->temporary);
            return STATUS_BAD_INPUT;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            close(fd);
            log_error("%s: another process is writing it", self->path);
            return STATUS_LOCKED;
        }
        if (still_named(fd, self->temporary)) {
            self->fd = fd;
            return STATUS_OK;
        }
        close(fd);
    }
}

status atomic_file_create(atomic_file **out, const char *path)
{
    assert(out != NULL && path != NULL);
    *out = NULL;
    atomic_file *self = malloc(sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    *self = (atomic_file){.fd = -1};
    status outcome = STATUS_NO_MEMORY;
    self->path = strdup(path);
    if (self->path == NULL || asprintf(&self->temporary, "%s.tmp", path) < 0)
        goto fail;
    struct stat there;
    if (stat(path, &there) == 0 && S_ISDIR(there.st_mode)) {
        errno = EISDIR;
        outcome = failure(path, "write the file");
        goto fail;
    }
    outcome = take_temporary(self);
    if (outcome != STATUS_OK)
        goto fail;
    if (ftruncate(self->fd, 0) != 0) {
        outcome = failure(path, "write the file");
        goto fail;
    }
    *out = self;
    return STATUS_OK;
fail:
    atomic_file_destroy(&self);
    return outcome;
}

const char *atomic_file_temporary(const atomic_file *self)
{
    return self->temporary;
}

status atomic_file_write(atomic_file *self, size_t size, const void *bytes)
{
    const char *rest = bytes;
    while (size > 0) {
        const ssize_t done = write(self->fd, rest, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return failure(self->path, "write the file");
        rest += done;
        size -= (size_t)done;
    }
    return STATUS_OK;
}

/* Frees all but the temporary file, which has got another name or is gone. */
static void let_go(atomic_file **self)
{
    if ((*self)->fd >= 0)
        close((*self)->fd);
    free((*self)->path);
    free((*self)->temporary);
    free(*self);
    *self = NULL;
}

status atomic_file_commit(atomic_file **self)
{
    const atomic_file *const file = *self;
    status outcome = STATUS_OK;
    if (fsync(file->fd) != 0)
        outcome = failure(file->path, "make the file durable");
    else if (rename(file->temporary, file->path) != 0)
        outcome = failure(file->path, "give the file its name");
    if (outcome != STATUS_OK) {
        atomic_file_destroy(self);
        return outcome;
    }
    outcome = parent_sync(file->path);
    let_go(self);
    return outcome;
}

void atomic_file_destroy(atomic_file **self)
{
    if (self == NULL || *self == NULL)
        return;
    if ((*self)->fd >= 0) {
        unlink((*self)->temporary);
        /* Gives the space back even while a library still has the file open. */
        if (ftruncate((*self)->fd, 0) != 0)
            log_warning("%s: cannot be emptied: %s", (*self)->temporary, strerror(errno));
    }
    let_go(self);
}

/* Compares the file with bytes[size]; asks the kernel to drop its cache, so that the disk is read.
 */
static status verify(const atomic_file *self, size_t size, const void *bytes)
{
    if (fsync(self->fd) != 0)
        return failure(self->path, "make the file durable");
    /* Advice only: where the kernel keeps its pages we compare with those. */
    (void)posix_fadvise(self->fd, 0, 0, POSIX_FADV_DONTNEED);
    char block[1 << 16];
    for (size_t at = 0; at < size;) {
        const size_t wanted = size - at < sizeof block ? size - at : sizeof block;
        const ssize_t got = pread(self->fd, block, wanted, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failure(self->path, "read back what was written");
        if (got == 0 || memcmp(block, (const char *)bytes + at, (size_t)got) != 0) {
            log_error("%s: what was written reads back differently near byte %zu", self->path, at);
            return STATUS_IO;
        }
        at += (size_t)got;
    }
    return STATUS_OK;
}

status atomic_file_replace(const char *path, size_t size, const void *bytes)
{
    atomic_file *file;
    status outcome = atomic_file_create(&file, path);
    if (outcome != STATUS_OK)
        return outcome;
    outcome = atomic_file_write(file, size, bytes);
    if (outcome == STATUS_OK)
        outcome = verify(file, size, bytes);
    if (outcome == STATUS_OK)
        return atomic_file_commit(&file);
    atomic_file_destroy(&file);
    return outcome;
}
