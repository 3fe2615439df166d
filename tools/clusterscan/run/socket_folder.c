/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/socket_folder.h"

#include <ctype.h>
#include <dirent.h>
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

enum { NAME_LENGTH = 6 };

/* --- the parent -------------------------------------------------------------------------- */

/* Whether the folder at path is ours alone (0700); created if it is absent. *why: the fault. */
static bool own_folder(const char *path, const char **why)
{
    struct stat about;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        *why = strerror(errno);
        return false;
    }
    *why = "it is not a folder of yours that is closed to others (mode 0700)";
    return lstat(path, &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == geteuid() &&
           (about.st_mode & 077) == 0;
}

/* One candidate; false, with *why, if it will not do. */
static bool try_parent(const char *base, const char *name, char out[SOCKET_FOLDER_MAX],
                       const char **why)
{
    const int n = snprintf(out, SOCKET_FOLDER_MAX, "%s/%s", base, name);
    if (n < 0 || n + 1 + NAME_LENGTH >= SOCKET_FOLDER_MAX) {
        *why = "its name is too long for a socket address";
        return false;
    }
    return own_folder(out, why);
}

static status find_parent(char out[SOCKET_FOLDER_MAX])
{
    char name[40];
    const char *why = "";
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *temporary = getenv("TMPDIR");
    if (runtime != NULL && runtime[0] == '/' && try_parent(runtime, "clusterscan", out, &why))
        return STATUS_OK;
    snprintf(name, sizeof name, "clusterscan-%lu", (unsigned long)geteuid());
    if (temporary != NULL && temporary[0] == '/' && try_parent(temporary, name, out, &why))
        return STATUS_OK;
    if (try_parent("/tmp", name, out, &why))
        return STATUS_OK;
    log_error("no place for sockets: %s: %s; set XDG_RUNTIME_DIR or TMPDIR to a folder of your own",
              out, why);
    return STATUS_BAD_INPUT;
}

/* --- what killed runs have left ----------------------------------------------------------- */

/* Six letters and digits, as mkdtemp(3) makes them. */
static bool is_run_name(const char *name)
{
    for (int i = 0; i < NAME_LENGTH; i++)
        if (!isalnum((unsigned char)name[i]))
            return false;
    return name[NAME_LENGTH] == '\0';
}

/* Names of our regular files: N.json, N.started and the locks. */
static bool is_our_file(const char *name)
{
    const size_t digits = strspn(name, "0123456789");
    return (digits > 0 &&
            (strcmp(name + digits, ".json") == 0 || strcmp(name + digits, ".started") == 0)) ||
           strcmp(name, "lock") == 0 || strcmp(name, "lock.new") == 0;
}

void socket_folder_remove(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (folder == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct stat about;
        if (fstatat(fd, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
            (S_ISSOCK(about.st_mode) || (S_ISREG(about.st_mode) && is_our_file(entry->d_name))))
            unlinkat(fd, entry->d_name, 0);
    }
    closedir(folder);
    if (rmdir(path) != 0 && errno == ENOTEMPTY)
        log_warning("%s holds files that clusterscan did not make: they are left", path);
}

/* Locks a folder that no process uses; -1 if it is in use or has no lock yet. */
static int lock_left_behind(const char *path)
{
    char lock[SOCKET_FOLDER_MAX + 300];
    snprintf(lock, sizeof lock, "%s/lock", path);
    const int fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void sweep(const char *parent)
{
    DIR *folder = opendir(parent);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[SOCKET_FOLDER_MAX + 260];
        struct stat found;
        if (!is_run_name(entry->d_name))
            continue;
        snprintf(path, sizeof path, "%s/%s", parent, entry->d_name);
        if (lstat(path, &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != geteuid())
            continue;
        const int lock = lock_left_behind(path);
        if (lock < 0)
            continue;
        socket_folder_remove(path);
        close(lock);
    }
    closedir(folder);
}

/* --- this run's --------------------------------------------------------------------------- */

/* Locks a new folder; the lock file is named once it is held, so no other process finds it free. */
static int lock_new(const char *path)
{
    char unnamed[SOCKET_FOLDER_MAX + 12];
    char lock[SOCKET_FOLDER_MAX + 8];
    snprintf(unnamed, sizeof unnamed, "%s/lock.new", path);
    snprintf(lock, sizeof lock, "%s/lock", path);
    const int fd = open(unnamed, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && rename(unnamed, lock) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

status socket_folder_make(char out[SOCKET_FOLDER_MAX], int *lock)
{
    char parent[SOCKET_FOLDER_MAX];
    *lock = -1;
    const status found = find_parent(parent);
    if (found != STATUS_OK) {
        out[0] = '\0';
        return found;
    }
    sweep(parent);
    snprintf(out, SOCKET_FOLDER_MAX, "%.*s/XXXXXX", SOCKET_FOLDER_MAX - NAME_LENGTH - 2, parent);
    if (mkdtemp(out) == NULL) {
        log_error("cannot make a folder for sockets in %s: %s", parent, strerror(errno));
        out[0] = '\0';
        return STATUS_BAD_INPUT;
    }
    *lock = lock_new(out);
    if (*lock >= 0)
        return STATUS_OK;
    log_error("cannot make a lock in %s: %s", out, strerror(errno));
    socket_folder_remove(out);
    out[0] = '\0';
    return STATUS_BAD_INPUT;
}

status socket_folder_renew(const char *path)
{
    char parent[SOCKET_FOLDER_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    *strrchr(parent, '/') = '\0';
    const char *why;
    if (own_folder(parent, &why) && own_folder(path, &why))
        return STATUS_OK;
    log_error("%s: the folder of the run's sockets has vanished and cannot be made again: %s", path,
              why);
    return STATUS_IO;
}

void socket_folder_touch(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strcmp(entry->d_name, "..") != 0)
            utimensat(dirfd(folder), entry->d_name, NULL, AT_SYMLINK_NOFOLLOW);
    closedir(folder);
}
