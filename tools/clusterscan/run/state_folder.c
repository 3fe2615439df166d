/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/state_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/printable.h"

#define REMOVING "removing-"
#define REPLAY   "replay-"

/* --- files of ours ----------------------------------------------------------------------- */

static const char *without(const char *name, const char *prefix)
{
    const size_t length = strlen(prefix);
    return strncmp(name, prefix, length) == 0 ? name + length : name;
}

bool state_folder_is_log(const char *name)
{
    return strlen(name) == 32 && strspn(name, "0123456789abcdef") == 32;
}

bool state_folder_is_name(const char *name)
{
    return state_folder_is_log(without(without(name, REMOVING), REPLAY));
}

/* Where an entry is, and what runs call theirs there. */
enum entry_folder { AT_TOP, IN_LOGS };

static bool is_known(const char *name, enum entry_folder where)
{
    static const char *const top[] = {"manifest.json*",
                                      "segment-[0-9]*.h5*",
                                      "files-[0-9]*.jsonl*",
                                      "inputs.json",
                                      "inputs.json.tmp",
                                      "lock",
                                      "run.lock",
                                      "status.json",
                                      ".status.json",
                                      NULL};
    static const char *const logs[] = {"*.log", "*.log.1", NULL};
    for (const char *const *pattern = where == AT_TOP ? top : logs; *pattern != NULL; pattern++)
        if (fnmatch(*pattern, name, 0) == 0)
            return true;
    return false;
}

static bool is_logs(const char *name, enum entry_folder where, const struct stat *about)
{
    return where == AT_TOP && strcmp(name, "logs") == 0 && S_ISDIR(about->st_mode);
}

/* --- walking ----------------------------------------------------------------------------- */

static int open_folder(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Called for every entry of a folder and of its logs/, the entries of logs/ first. */
struct visitor {
    /* STATUS_OK to go on. */
    status (*visit)(void *self, int folder, const char *name, enum entry_folder where,
                    const struct stat *about);
    void *self;
};

static status walk(int folder, enum entry_folder where, const struct visitor *visitor);

static status walk_logs(int folder, const struct visitor *visitor)
{
    const int logs = open_folder(folder, "logs");
    if (logs < 0)
        return STATUS_IO;
    const status done = walk(logs, IN_LOGS, visitor);
    close(logs);
    return done;
}

static status walk(int folder, enum entry_folder where, const struct visitor *visitor)
{
    const int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
    if (entries == NULL) {
        if (copy >= 0)
            close(copy);
        return STATUS_IO;
    }
    status done = STATUS_OK;
    for (const struct dirent *entry; done == STATUS_OK && (entry = readdir(entries)) != NULL;) {
        const char *name = entry->d_name;
        struct stat about;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (is_logs(name, where, &about))
            done = walk_logs(folder, visitor);
        if (done == STATUS_OK)
            done = visitor->visit(visitor->self, folder, name, where, &about);
    }
    closedir(entries);
    return done;
}

static status look_at(void *self, int folder, const char *name, enum entry_folder where,
                      const struct stat *about)
{
    struct state_folder *out = self;
    (void)folder;
    const bool regular = S_ISREG(about->st_mode);
    if (regular && is_known(name, where)) {
        out->bytes += (uint64_t)about->st_size;
        out->last_used = about->st_mtime > out->last_used ? about->st_mtime : out->last_used;
    } else if (!is_logs(name, where, about) && out->stranger[0] == '\0') {
        char safe[300];
        text_printable(name, sizeof safe, safe);
        snprintf(out->stranger, sizeof out->stranger, "%s%s %s", where == IN_LOGS ? "logs/" : "",
                 safe, is_known(name, where) ? "is no regular file" : "is of no run");
    }
    return STATUS_OK;
}

/* --- locks ------------------------------------------------------------------------------- */

/* -1 with errno. A file of that name that is not regular is left alone: errno is EINVAL. */
static int open_lock(int folder, const char *name, int flags)
{
    struct stat about;
    const int fd =
        openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
    if (fd < 0 || (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

static bool run_is_at_work(int folder)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int fd = open_lock(folder, "run.lock", O_RDONLY);
    const bool held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
    if (fd >= 0)
        close(fd);
    return held;
}

static bool log_is_at_work(int folder)
{
    const int fd = open_lock(folder, "lock", O_RDONLY);
    const bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return held;
}

/* Both locks, which are held until they are closed. */
struct locks {
    int run;
    int log;
};

static void let_go(struct locks *self)
{
    if (self->run >= 0)
        close(self->run);
    if (self->log >= 0)
        close(self->log);
}

/* False with errno: EWOULDBLOCK if another process has one. */
static bool take_locks(struct locks *out, int folder)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    *out = (struct locks){-1, -1};
    out->run = open_lock(folder, "run.lock", O_RDWR | O_CREAT);
    if (out->run >= 0 && fcntl(out->run, F_OFD_SETLK, &whole) == 0)
        out->log = open_lock(folder, "lock", O_RDWR | O_CREAT);
    if (out->log >= 0 && flock(out->log, LOCK_EX | LOCK_NB) == 0)
        return true;
    const int error = errno == EACCES && out->run >= 0 ? EWOULDBLOCK : errno;
    let_go(out);
    errno = error;
    return false;
}

/* --- looking ----------------------------------------------------------------------------- */

status state_open(int *fd, const char *path)
{
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd >= 0)
        return STATUS_OK;
    log_error("%s: the state folder cannot be opened: %s", path, strerror(errno));
    return STATUS_BAD_INPUT;
}

static status look(struct state_folder *out, int folder, const char *name)
{
    struct stat about;
    *out = (struct state_folder){0};
    snprintf(out->name, sizeof out->name, "%s", name);
    const struct visitor visitor = {look_at, out};
    const status done = walk(folder, AT_TOP, &visitor);
    if (done == STATUS_OK && out->last_used == 0 && fstat(folder, &about) == 0)
        out->last_used = about.st_mtime; /* of an empty one */
    out->in_use = run_is_at_work(folder) || log_is_at_work(folder);
    return done;
}

status state_folder_look(struct state_folder *out, int state, const char *name)
{
    const int folder = open_folder(state, name);
    if (folder < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return STATUS_END;
    status done = folder >= 0 ? look(out, folder, name) : STATUS_IO;
    if (done != STATUS_OK)
        log_error("%s: cannot be read: %s", name, strerror(errno));
    if (folder >= 0)
        close(folder);
    return done;
}

/* --- removing ---------------------------------------------------------------------------- */

static status remove_entry(void *self, int folder, const char *name, enum entry_folder where,
                           const struct stat *about)
{
    uint64_t *freed = self;
    const bool logs = is_logs(name, where, about);
    if (!logs && !(S_ISREG(about->st_mode) && is_known(name, where)))
        return STATUS_OK; /* it came after we looked; the folder stays for its sake */
    if (unlinkat(folder, name, logs ? AT_REMOVEDIR : 0) != 0)
        return errno == ENOTEMPTY || errno == EEXIST ? STATUS_OK : STATUS_IO;
    if (!logs && about->st_nlink == 1)
        *freed += (uint64_t)about->st_size;
    return STATUS_OK;
}

/* Renames `name`, if it still is the folder that was opened. */
static status set_aside(int state, int folder, const char *name, const char *aside)
{
    struct stat opened, named;
    if (strcmp(name, aside) == 0)
        return STATUS_OK;
    if (fstat(folder, &opened) != 0 || fstatat(state, name, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
        opened.st_ino != named.st_ino || opened.st_dev != named.st_dev) {
        log_error("%s: is another folder now; nothing was removed", name);
        return STATUS_BAD_INPUT;
    }
    if (renameat2(state, name, state, aside, RENAME_NOREPLACE) == 0)
        return STATUS_OK;
    if (errno == EEXIST)
        log_error("%s: %s of an earlier removal is there; remove that first", name, aside);
    else
        log_error("%s: cannot be renamed to %s: %s", name, aside, strerror(errno));
    return STATUS_BAD_INPUT;
}

static status empty_and_remove(int state, int folder, const char *aside, uint64_t *freed)
{
    const struct visitor visitor = {remove_entry, freed};
    const status done = walk(folder, AT_TOP, &visitor);
    if (done == STATUS_OK && unlinkat(state, aside, AT_REMOVEDIR) == 0)
        return STATUS_OK;
    log_error("%s: cannot be removed whole: %s", aside, strerror(errno));
    return STATUS_IO;
}

static status remove_opened(int state, int folder, const char *name, uint64_t *freed)
{
    struct state_folder found;
    if (look(&found, folder, name) != STATUS_OK) {
        log_error("%s: cannot be read: %s", name, strerror(errno));
        return STATUS_BAD_INPUT;
    }
    if (found.stranger[0] != '\0') {
        log_error("%s: %s; nothing was removed", name, found.stranger);
        return STATUS_BAD_INPUT;
    }
    struct locks locks;
    if (!take_locks(&locks, folder)) {
        log_error("%s: %s; nothing was removed", name,
                  errno == EWOULDBLOCK ? "is in use" : strerror(errno));
        return STATUS_BAD_INPUT;
    }
    char aside[STATE_NAME_SIZE + sizeof REMOVING];
    snprintf(aside, sizeof aside, REMOVING "%s", without(name, REMOVING));
    status done = set_aside(state, folder, name, aside);
    if (done == STATUS_OK)
        done = empty_and_remove(state, folder, aside, freed);
    let_go(&locks);
    return done;
}

status state_folder_remove(int state, const char *name, uint64_t *freed)
{
    char safe[200];
    text_printable(name, sizeof safe, safe);
    *freed = 0;
    if (!state_folder_is_name(name)) {
        log_error("'%s' is no id: expected 32 hex digits, or replay- and 32 hex digits", safe);
        return STATUS_BAD_INPUT;
    }
    const int folder = open_folder(state, name);
    if (folder < 0) {
        log_error("%s: %s", name,
                  errno == ENOTDIR || errno == ELOOP ? "is no folder" : strerror(errno));
        return STATUS_BAD_INPUT;
    }
    const status done = remove_opened(state, folder, name, freed);
    close(folder);
    return done;
}
