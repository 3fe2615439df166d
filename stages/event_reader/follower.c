/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/event_reader/follower.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/flow/link.h"
#include "common/log/log.h"
#include "common/log/printable.h"
#include "common/store/event_file.h"

enum {
    LOOK_MS = 2000,   /* also without news: network file systems tell none */
    HURRY_MS = 100,   /* with news, while there is still something to do from the last look */
    CHECK_ROWS = 2000 /* read at a time, so that the rest of the reader is not held up */
};

static const char *const too_late = "it sorts before a file already taken or refused";
static const char *const not_good = "it is no event file that can be read from end to end";

struct follower {
    journal *notes;
    const char *folder;
    const char *end;
    int watch;
    bool news;
    bool end_seen; /* at the last look, before the folder was listed */
    bool full;     /* no space for the journal: not before next_ms again */
    bool told_gone;
    uint64_t looked_ms;
    uint64_t next_ms;
    size_t n;    /* names found that nobody knows yet, in order */
    size_t next; /* the first that has not been dealt with */
    size_t room;
    char **name;
    char *cursor;      /* the last name taken or refused in its turn; NULL: none */
    char *written;     /* the file that is waited for, NULL: none */
    char *told;        /* the last one that was logged */
    json_t *passed_by; /* names that are not UTF-8, escaped, which were logged */
    event_file *file;  /* the one being checked: name[next] */
    uint64_t row;
};

/* --- what is in the folder --------------------------------------------------------------- */

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

/* Whether the journal, which holds UTF-8, can hold the name; one that it cannot is named once. */
static bool can_be_noted(follower *self, const char *name)
{
    json_t *text = json_string(name);
    json_decref(text);
    if (text != NULL)
        return true;
    char shown[4 * NAME_MAX + 1];
    text_printable(name, sizeof shown, shown);
    if (json_object_get(self->passed_by, shown) == NULL) {
        json_object_set_new(self->passed_by, shown, json_true());
        log_warning("%s/%s is passed by: its name is not UTF-8; rename it", self->folder, shown);
    }
    return false;
}

/* Whether the name may be that of an event file. */
static bool is_wanted(follower *self, const char *name)
{
    const size_t length = strlen(name);
    if (name[0] == '.' || (length >= 4 && strcmp(name + length - 4, ".tmp") == 0) ||
        strcmp(name, self->end) == 0 || journal_knows(self->notes, name))
        return false;
    char *path = path_of(self, name);
    const bool wanted = path != NULL && is_regular(path) && can_be_noted(self, name);
    free(path);
    return wanted;
}

static status add_name(follower *self, const char *name)
{
    if (self->n == self->room) {
        const size_t room = 2 * self->room + 16;
        char **larger = realloc(self->name, room * sizeof *larger);
        if (larger == NULL)
            return STATUS_NO_MEMORY;
        self->name = larger;
        self->room = room;
    }
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
        if (!self->told_gone)
            log_warning("%s: cannot be looked into: %s; trying again", self->folder,
                        strerror(errno));
        self->told_gone = true;
        return STATUS_OK;
    }
    self->told_gone = false;
    status done = STATUS_OK;
    for (struct dirent *entry; done == STATUS_OK && (entry = readdir(folder)) != NULL;)
        if (is_wanted(self, entry->d_name))
            done = add_name(self, entry->d_name);
    closedir(folder);
    if (self->n > 0)
        qsort(self->name, self->n, sizeof *self->name, by_bytes);
    return done;
}

/* Reads the news away; what they are the folder itself tells best. */
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
    char *end = path_of(self, self->end);
    self->end_seen = end != NULL && access(end, F_OK) == 0;
    free(end);
    return list_folder(self);
}

/* Whether somebody has the file open for writing: a read lease is not given then. */
static bool is_being_written(const char *path)
{
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool written = fcntl(fd, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    close(fd);
    return written;
}

/* --- files ------------------------------------------------------------------------------- */

/* Name `next` has been dealt with. in_turn: later names must sort behind it. */
static void leave_name(follower *self, bool in_turn)
{
    event_file_close(&self->file);
    free(self->written);
    self->written = NULL;
    char *name = self->name[self->next];
    self->name[self->next++] = NULL;
    if (in_turn) {
        free(self->cursor);
        self->cursor = name;
    } else {
        free(name);
    }
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
    self->next_ms = flow_now_ms() + LOOK_MS;
    return STATUS_END;
}

static status refuse(follower *self, const char *because, bool in_turn)
{
    const char *name = self->name[self->next];
    const status done = when_noted(self, journal_refuse(self->notes, name, because));
    if (done != STATUS_OK)
        return done;
    log_warning("refused %s/%s: %s; going on without it", self->folder, name, because);
    leave_name(self, in_turn);
    return STATUS_OK;
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
        return refuse(self, not_good, true);
    if (done == STATUS_OK && (event_file_identity(self->file, &checked) != STATUS_OK ||
                              !file_identity_equal(&checked, &taken.content.identity))) {
        forget_names(self); /* it has been replaced since it was checked: look again */
        return STATUS_OK;
    }
    if (done == STATUS_OK)
        done = when_noted(self, journal_take(self->notes, &taken));
    if (done != STATUS_OK)
        return done;
    log_info("took %s/%s: %llu events", self->folder, taken.name, (unsigned long long)taken.events);
    leave_name(self, true);
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
        return refuse(self, not_good, true);
    self->row += n;
    return done;
}

static status wait_for_writer(follower *self)
{
    const char *name = self->name[self->next];
    free(self->written);
    self->written = strdup(name);
    if (self->told == NULL || strcmp(self->told, name) != 0) {
        log_info("waiting for the writer of %s/%s", self->folder, name);
        free(self->told);
        self->told = strdup(name);
    }
    forget_names(self);
    return STATUS_END;
}

/* Begins with name `next`. */
static status begin(follower *self)
{
    const char *name = self->name[self->next];
    if (self->cursor != NULL && strcmp(name, self->cursor) < 0)
        return refuse(self, too_late, false);
    char *path = path_of(self, name);
    if (path == NULL)
        return STATUS_NO_MEMORY;
    status done = STATUS_OK;
    if (!is_regular(path)) {
        leave_name(self, false); /* gone again before it was looked at */
    } else if (is_being_written(path)) {
        done = wait_for_writer(self);
    } else {
        self->row = 0;
        done = event_file_open(&self->file, path, NULL);
        if (done == STATUS_BAD_INPUT)
            done = refuse(self, not_good, true);
    }
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
    const uint64_t now = flow_now_ms();
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

/* The last name dealt with in its turn: refused ones that came too late sort before it, so it is
 * the last of all. */
static status find_cursor(follower *self)
{
    const char *last = journal_last_name(self->notes);
    if (last == NULL)
        return STATUS_OK;
    self->cursor = strdup(last);
    return self->cursor != NULL ? STATUS_OK : STATUS_NO_MEMORY;
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

status follower_create(follower **out, journal *notes, const char *folder, const char *end)
{
    assert(out != NULL && notes != NULL && folder != NULL && end != NULL);
    *out = NULL;
    follower *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    *self = (follower){
        .notes = notes, .folder = folder, .end = end, .watch = -1, .passed_by = json_object()};
    status done = find_cursor(self);
    if (done == STATUS_OK)
        done = start_watching(self);
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
    free((*self)->cursor);
    free((*self)->written);
    free((*self)->told);
    json_decref((*self)->passed_by);
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
