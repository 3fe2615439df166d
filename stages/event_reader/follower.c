/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/event_reader/follower.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/store/events/event_file.h"

enum {
    LOOK_MS = 2000,   /* also without an event: network file systems send none */
    HURRY_MS = 100,   /* between two looks after inotify has reported something */
    CHECK_ROWS = 2000 /* read at a time, so that the rest of the reader is not held up */
};

/* A file that could not be accepted at once. */
struct seen {
    char *name;
    struct file_identity identity;
    uint64_t since_ms; /* it has had this identity, by our own clock: that of a server may be off */
    bool bad;          /* was read, and is no event file */
    bool wait_reported; /* that it is waited for */
};

static const char *const not_good = "it is no event file that can be read from end to end";

struct follower {
    journal *notes;
    const char *folder;
    const char *end;
    const struct event_labels *labels;
    const json_t *patterns; /* of names that belong to the input */
    uint64_t patience_ms;   /* how long a file that cannot be read may go on changing */
    uint64_t end_ms;        /* when the end was first seen; 0: not yet */
    size_t others;          /* names of no known file, at the last look */
    int watch;
    bool news;
    bool end_seen; /* at the last look, before the folder was listed */
    bool full;     /* no space for the journal: not before next_ms again */
    bool gone_reported;
    uint64_t looked_ms;
    uint64_t next_ms;
    size_t n;    /* new names, in order */
    size_t next; /* the first that has not been dealt with */
    size_t room;
    char **name;
    char *written; /* the file that is waited for, NULL: none */
    size_t n_seen;
    size_t seen_room;
    struct seen *seen; /* in byte order of the names */
    event_file *file;  /* the one being checked: name[next] */
    uint64_t row;
};

/* --- files of the folder ----------------------------------------------------------------- */

static void forget_names(follower *self)
{
    for (size_t i = 0; i < self->n; i++)
        free(self->name[i]);
    self->n = 0;
    self->next = 0;
}

static char *path_of(const follower *self, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", self->folder, name) >= 0 ? path : NULL;
}

static bool is_regular(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

static bool matches(const follower *self, const char *name)
{
    size_t i;
    const json_t *pattern;
    json_array_foreach(self->patterns, i, pattern) if (fnmatch(json_string_value(pattern), name,
                                                               FNM_PERIOD) == 0) return true;
    return false;
}

/* A second name of an accepted file: renamed since, or linked. */
static bool is_taken_file(const follower *self, const char *path)
{
    struct file_identity here;
    if (file_identity_of(path, &here) != STATUS_OK)
        return false;
    for (size_t i = 0; i < journal_n_files(self->notes); i++) {
        const struct file_identity *taken = &journal_file(self->notes, i)->content.identity;
        if (taken->device == here.device && taken->inode == here.inode &&
            taken->size == here.size && taken->mtime_ns == here.mtime_ns)
            return true;
    }
    return false;
}

/* Whether the name is that of a new file of the input. */
static bool is_wanted(follower *self, const char *name)
{
    if (strcmp(name, self->end) == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    if (!matches(self, name)) {
        self->others++;
        return false;
    }
    if (journal_knows(self->notes, name))
        return false;
    char *path = path_of(self, name);
    const bool wanted = path != NULL && is_regular(path) && !is_taken_file(self, path);
    free(path);
    return wanted;
}

static status add_name(follower *self, const char *name)
{
    const status done = ARRAY_RESERVE(&self->name, &self->room, self->n + 1);
    if (done != STATUS_OK)
        return done;
    self->name[self->n] = strdup(name);
    return self->name[self->n] != NULL ? self->n++, STATUS_OK : STATUS_NO_MEMORY;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static status list_folder(follower *self)
{
    DIR *folder = opendir(self->folder);
    if (folder == NULL) {
        if (!self->gone_reported)
            log_warning("%s: cannot be looked into: %s; trying again", self->folder,
                        strerror(errno));
        self->gone_reported = true;
        return STATUS_OK;
    }
    self->gone_reported = false;
    self->others = 0;
    status done = STATUS_OK;
    for (struct dirent *entry; done == STATUS_OK && (entry = readdir(folder)) != NULL;)
        if (is_wanted(self, entry->d_name))
            done = add_name(self, entry->d_name);
    closedir(folder);
    if (self->n > 0)
        qsort(self->name, self->n, sizeof *self->name, by_bytes);
    return done;
}

/* Discards the inotify events; the folder itself is read for the changes. */
static void hear_news(follower *self)
{
    char events[4096];
    while (self->watch >= 0 && read(self->watch, events, sizeof events) > 0)
        self->news = true;
}

static status look(follower *self, uint64_t now)
{
    forget_names(self);
    free(self->written);
    self->written = NULL;
    self->news = false;
    self->looked_ms = now;
    /* First the end, then the files: what was there before the end is found. */
    self->end_seen = follower_end_is_there(self);
    if (self->end_seen && self->end_ms == 0)
        self->end_ms = now;
    return list_folder(self);
}

/* --- files that are waited for ----------------------------------------------------------- */

/* Where the name is among the files seen before, or would be. */
static size_t find_seen(const follower *self, const char *name)
{
    size_t first = 0;
    size_t last = self->n_seen;
    while (first < last) {
        const size_t middle = first + (last - first) / 2;
        if (strcmp(self->seen[middle].name, name) < 0)
            first = middle + 1;
        else
            last = middle;
    }
    return last;
}

static bool is_seen(const follower *self, size_t at, const char *name)
{
    return at < self->n_seen && strcmp(self->seen[at].name, name) == 0;
}

static status insert_seen(follower *self, size_t at, const char *name)
{
    const status done = ARRAY_RESERVE(&self->seen, &self->seen_room, self->n_seen + 1);
    if (done != STATUS_OK)
        return done;
    char *copy = strdup(name);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    memmove(self->seen + at + 1, self->seen + at, (self->n_seen - at) * sizeof *self->seen);
    self->seen[at] = (struct seen){.name = copy};
    self->n_seen++;
    return STATUS_OK;
}

/* State of file `next`, reset if it has changed; *out stays NULL if it is gone. */
static status see_again(follower *self, const char *path, struct seen **out)
{
    struct file_identity now;
    const char *name = self->name[self->next];
    *out = NULL;
    if (file_identity_of(path, &now) != STATUS_OK)
        return STATUS_OK;
    const size_t at = find_seen(self, name);
    if (!is_seen(self, at, name)) {
        const status done = insert_seen(self, at, name);
        if (done != STATUS_OK)
            return done;
    }
    struct seen *seen = &self->seen[at];
    if (seen->since_ms == 0 || !file_identity_equal(&seen->identity, &now)) {
        seen->identity = now;
        seen->since_ms = clock_ms();
        seen->bad = false;
    }
    *out = seen;
    return STATUS_OK;
}

static bool is_calm(const struct seen *seen, uint64_t for_ms)
{
    return clock_ms() - seen->since_ms >= for_ms;
}

static bool is_long_ended(const follower *self)
{
    return self->end_ms != 0 && clock_ms() - self->end_ms >= self->patience_ms;
}

/* What cannot be read may become so: its writer opens and closes it, or sets its mode at the end.
 * So it is looked at again until nothing has changed for the time of patience, or so long after the
 * end. */
static bool may_become_good(const follower *self, const struct seen *seen)
{
    return !is_calm(seen, self->patience_ms) && !is_long_ended(self);
}

/* Whether a process has the file open for writing: the kernel refuses a read lease then. Where
 * leases are unavailable (a file of another user, many network file systems) the answer is no. */
enum written { NOT_WRITTEN, WRITTEN, UNKNOWN };

static enum written is_being_written(const char *path)
{
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return UNKNOWN;
    enum written found = NOT_WRITTEN;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
        found = errno == EAGAIN ? WRITTEN : UNKNOWN;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    close(fd);
    return found;
}

/* Why a file cannot be opened now; 0 if it can. */
static int open_error(const char *path)
{
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

/* --- files ------------------------------------------------------------------------------- */

/* Name `next` has been dealt with. */
static void leave_name(follower *self)
{
    event_file_close(&self->file);
    free(self->name[self->next]);
    self->name[self->next++] = NULL;
}

/* Name `next` is for a later look; others go on meanwhile. */
static void postpone(follower *self)
{
    free(self->written);
    self->written = strdup(self->name[self->next]);
    leave_name(self);
}

/* No room for the journal is waited for; nothing was done then. */
static status when_noted(follower *self, status noted)
{
    if (noted != STATUS_NO_SPACE) {
        self->full = false;
        return noted;
    }
    if (!self->full)
        log_error("no space left for %s: waiting for room", journal_path(self->notes));
    self->full = true;
    self->next_ms = clock_ms() + LOOK_MS;
    return STATUS_END;
}

static status refuse(follower *self, const char *because)
{
    const char *name = self->name[self->next];
    const status done = when_noted(self, journal_refuse(self->notes, name, because));
    if (done != STATUS_OK)
        return done;
    log_warning("refused %s/%s: %s; going on without it", self->folder, name, because);
    leave_name(self);
    return STATUS_OK;
}

/* Name `next` is waited for, or refused if it will not become better. */
static status wait_or_refuse(follower *self, const struct seen *seen, const char *because)
{
    if (seen == NULL) /* gone */
        leave_name(self);
    else if (!may_become_good(self, seen))
        return refuse(self, because);
    else
        postpone(self);
    return STATUS_OK;
}

/* The current file cannot be read from end to end. */
static status refuse_or_wait(follower *self)
{
    struct seen *seen = NULL;
    char *path = path_of(self, self->name[self->next]);
    status done = path != NULL ? see_again(self, path, &seen) : STATUS_NO_MEMORY;
    free(path);
    if (done == STATUS_OK && seen != NULL)
        seen->bad = true;
    return done == STATUS_OK ? wait_or_refuse(self, seen, not_good) : done;
}

/* The accepted file with the same bytes; NULL if there is none. */
static const char *same_content(const follower *self, const struct content *content)
{
    for (size_t i = 0; i < journal_n_files(self->notes); i++) {
        const struct journal_file *taken = journal_file(self->notes, i);
        if (memcmp(taken->content.digest, content->digest, sizeof content->digest) == 0)
            return taken->name;
    }
    return NULL;
}

static status take(follower *self)
{
    struct journal_file taken = {.name = self->name[self->next],
                                 .events = event_file_events(self->file)};
    char *path = path_of(self, taken.name);
    struct file_identity checked;
    status done = path != NULL ? content_read(&taken.content, path) : STATUS_NO_MEMORY;
    free(path);
    if (done == STATUS_BAD_INPUT)
        return refuse_or_wait(self);
    if (done == STATUS_OK && (event_file_identity(self->file, &checked) != STATUS_OK ||
                              !file_identity_equal(&checked, &taken.content.identity))) {
        forget_names(self); /* it has been replaced since it was checked: look again */
        return STATUS_OK;
    }
    const char *twin = done == STATUS_OK ? same_content(self, &taken.content) : NULL;
    if (twin != NULL) {
        char because[400];
        snprintf(because, sizeof because, "it holds the same bytes as %.300s, which was taken",
                 twin);
        return refuse(self, because);
    }
    if (done == STATUS_OK)
        done = when_noted(self, journal_take(self->notes, &taken));
    if (done != STATUS_OK)
        return done;
    log_info("took %s/%s: %llu events", self->folder, taken.name, (unsigned long long)taken.events);
    leave_name(self);
    return STATUS_OK;
}

/* Reads on in the file being checked, so that a broken one is found before any of it is handed
 * out. */
static status check_on(follower *self)
{
    const uint64_t left = event_file_events(self->file) - self->row;
    if (left == 0)
        return take(self);
    struct event_batch rows;
    const uint32_t n = left < CHECK_ROWS ? (uint32_t)left : CHECK_ROWS;
    const status done = event_file_read(self->file, self->row, n, &rows);
    if (done == STATUS_BAD_INPUT)
        return refuse_or_wait(self);
    self->row += n;
    return done;
}

/* A process has the file open. A writer that is idle is ignored some time after the end. */
static status wait_for_writer(follower *self, struct seen *seen)
{
    if (is_long_ended(self) && is_calm(seen, self->patience_ms))
        return refuse(self, "somebody still has it open for writing");
    if (!seen->wait_reported)
        log_info("waiting for the writer of %s/%s", self->folder, seen->name);
    seen->wait_reported = true;
    postpone(self);
    return STATUS_OK;
}

static status start_checking(follower *self, const char *path)
{
    self->row = 0;
    const status done = event_file_open(&self->file, path, NULL);
    if (done == STATUS_OK)
        event_file_set_labels(self->file, self->labels);
    return done == STATUS_BAD_INPUT ? refuse_or_wait(self) : done;
}

/* Begins with the file at path, which is there. */
static status begin_file(follower *self, const char *path)
{
    enum { QUIET_MS = 3 * LOOK_MS };
    char because[200];
    struct seen *seen = NULL;
    const int error = open_error(path);
    const enum written written = error == 0 ? is_being_written(path) : UNKNOWN;
    if (error == 0 && written == NOT_WRITTEN &&
        !is_seen(self, find_seen(self, self->name[self->next]), self->name[self->next]))
        return start_checking(self, path);
    const status done = see_again(self, path, &seen);
    if (done != STATUS_OK)
        return done;
    snprintf(because, sizeof because, "it cannot be opened: %s", strerror(error));
    if (seen == NULL || error != 0)
        return wait_or_refuse(self, seen, because);
    if (written == WRITTEN)
        return wait_for_writer(self, seen);
    const bool too_young = written == UNKNOWN && !is_calm(seen, QUIET_MS);
    const bool still_bad = seen->bad && may_become_good(self, seen);
    if (!too_young && !still_bad)
        return start_checking(self, path);
    postpone(self);
    return STATUS_OK;
}

/* Begins with name `next`. */
static status begin(follower *self)
{
    char *path = path_of(self, self->name[self->next]);
    if (path == NULL)
        return STATUS_NO_MEMORY;
    status done = STATUS_OK;
    if (is_regular(path))
        done = begin_file(self, path);
    else
        leave_name(self);
    free(path);
    return done;
}

/* --- the whole --------------------------------------------------------------------------- */

static status end_here(follower *self)
{
    const status done = when_noted(self, journal_end(self->notes));
    if (done == STATUS_OK)
        log_info("%s/%s: the end, after %zu files taken and %zu refused", self->folder, self->end,
                 journal_n_files(self->notes), journal_n_refused(self->notes));
    return done;
}

static bool is_time_to_look(follower *self, uint64_t now)
{
    hear_news(self);
    const bool idle = self->next == self->n;
    return now - self->looked_ms >= LOOK_MS || (self->news && idle) ||
           (self->news && now - self->looked_ms >= HURRY_MS);
}

status follower_step(follower *self, bool *busy)
{
    const uint64_t now = clock_ms();
    if (journal_ended(self->notes) || (self->full && now < self->next_ms))
        return STATUS_OK;
    status done = STATUS_OK;
    if (self->file != NULL) {
        done = check_on(self);
    } else {
        if (is_time_to_look(self, now))
            done = look(self, now);
        if (done == STATUS_OK && self->next < self->n)
            done = begin(self);
        else if (done == STATUS_OK && self->end_seen && self->written == NULL)
            done = end_here(self);
        else
            return done;
    }
    *busy = *busy || done == STATUS_OK;
    return done == STATUS_END ? STATUS_OK : done;
}

static status start_watching(follower *self)
{
    signal(SIGIO, SIG_IGN); /* a writer that comes during our moment of a lease */
    struct stat about;
    if (stat(self->folder, &about) != 0 || !S_ISDIR(about.st_mode)) {
        log_error("%s: expected a folder to follow, but %s", self->folder,
                  errno == ENOENT ? "there is nothing" : "it is none that can be looked into");
        return STATUS_BAD_INPUT;
    }
    self->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (self->watch < 0 ||
        inotify_add_watch(self->watch, self->folder, IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE) < 0)
        log_warning("%s: no news of new files (%s); looking every %d s", self->folder,
                    strerror(errno), LOOK_MS / 1000);
    self->news = true;
    return STATUS_OK;
}

status follower_create(follower **out, journal *notes, const struct follow_settings *settings)
{
    assert(out != NULL && notes != NULL && settings != NULL);
    *out = NULL;
    follower *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    *self = (follower){.notes = notes,
                       .folder = settings->folder,
                       .end = settings->end,
                       .labels = settings->labels,
                       .patterns = settings->patterns,
                       .patience_ms = settings->patience_ms,
                       .watch = -1};
    const status done = start_watching(self);
    if (done != STATUS_OK)
        follower_destroy(&self);
    *out = self;
    return done;
}

void follower_destroy(follower **self)
{
    if (*self == NULL)
        return;
    event_file_close(&(*self)->file);
    forget_names(*self);
    free((*self)->name);
    free((*self)->written);
    for (size_t i = 0; i < (*self)->n_seen; i++)
        free((*self)->seen[i].name);
    free((*self)->seen);
    if ((*self)->watch >= 0)
        close((*self)->watch);
    free(*self);
    *self = NULL;
}

int follower_watch(const follower *self)
{
    return self->watch;
}

const char *follower_waits_for(const follower *self)
{
    return self->written;
}

size_t follower_not_taken(follower *self)
{
    forget_names(self);
    if (list_folder(self) != STATUS_OK)
        return 0;
    const size_t n = self->n;
    forget_names(self);
    return n;
}

bool follower_end_is_there(const follower *self)
{
    char *end = path_of(self, self->end);
    const bool there = end != NULL && access(end, F_OK) == 0;
    free(end);
    return there;
}

size_t follower_others(const follower *self)
{
    return self->others;
}

char *follower_find(const follower *self, const struct file_identity *identity)
{
    DIR *folder = opendir(self->folder);
    char *found = NULL;
    for (struct dirent *entry;
         folder != NULL && found == NULL && (entry = readdir(folder)) != NULL;) {
        struct file_identity here;
        char *path = path_of(self, entry->d_name);
        if (path != NULL && file_identity_of(path, &here) == STATUS_OK &&
            here.device == identity->device && here.inode == identity->inode)
            found = path;
        else
            free(path);
    }
    if (folder != NULL)
        closedir(folder);
    return found;
}
