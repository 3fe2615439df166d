/* SPDX-License-Identifier: GPL-3.0-or-later */
/* small_disk: a file system of 256 kB that a test may fill. */
#ifndef TESTS_SUPPORT_SMALL_DISK_H
#define TESTS_SUPPORT_SMALL_DISK_H

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Puts this process, as root, where it may mount: by right, or in a user namespace of its own. */
static inline int small_disk_allowed(void)
{
    if (unshare(CLONE_NEWNS) == 0)
        return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    const unsigned user = (unsigned)getuid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return 0;
    FILE *map = fopen("/proc/self/uid_map", "w");
    if (map == NULL)
        return 0;
    fprintf(map, "0 %u 1\n", user);
    return fclose(map) == 0;
}

/* Mounted on the new folder `path`, for this process alone. False, with errno, where that is not
 * allowed. */
static inline int small_disk_mount(const char *path)
{
    return mkdir(path, 0777) == 0 && small_disk_allowed() &&
           mount("tmpfs", path, "tmpfs", 0, "size=256k") == 0;
}

static inline void small_disk_unmount(const char *path)
{
    umount(path);
}

#endif
