/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/event_reader/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/array.h"
#include "common/base/log.h"
#include "common/store/disk/atomic_file.h"
#include "common/store/disk/file_lock.h"
#include "common/store/disk/file_name.h"
#include "common/store/disk/regular_file.h"

struct journal {
    char *path;
    int fd;
    off_t size; /* of the good lines */
    size_t n;
    size_t room;
    struct journal_file *file;
    size_t n_known;
    size_t known_room;
    char **known; /* names accepted or refused, in byte order */
    size_t n_refused;
    bool ended;
};

/* --- in memory --------------------------------------------------------------------------- */

/* Where the name is among the known ones, or would be. */
static size_t find_known(const journal *self, const char *name, bool *found)
{
    size_t first = 0;
    size_t last = self->n_known;
    *found = false;
    while (first < last && !*found) {
        const size_t middle = first + (last - first) / 2;
        const int order = strcmp(self->known[middle], name);
        if (order < 0)
            first = middle + 1;
        else
            last = middle;
        *found = order == 0;
    }
    return last;
}

bool journal_knows(const journal *self, const char *name)
{
    bool found;
    find_known(self, name, &found);
    return found;
}

/* Makes room so that a line that is on the disk can always be kept. */
static status reserve(journal *self)
{
    const status done = ARRAY_RESERVE(&self->file, &self->room, self->n + 1);
    return done == STATUS_OK ? ARRAY_RESERVE(&self->known, &self->known_room, self->n_known + 1)
                             : done;
}

/* Owns name. */
static void keep_name(journal *self, char *name)
{
    bool found;
    const size_t at = find_known(self, name, &found);
    memmove(self->known + at + 1, self->known + at, (self->n_known - at) * sizeof *self->known);
    self->known[at] = name;
    self->n_known++;
}

/* Read by common/store/events/input_notes.h only. */
static bool is_quarantine(json_t *line)
{
    const char *file, *because;
    json_int_t first, rows;
    return json_unpack(line, "{s:s, s:I, s:I, s:s !}", "quarantined", &file, "first_row", &first,
                       "rows", &rows, "because", &because) == 0;
}

/* Applies a line; false if it is of no known kind. */
static bool keep_line(journal *self, json_t *line)
{
    const char *name = NULL;
    const char *digest = NULL;
    const char *because = NULL;
    const json_t *identity = NULL;
    json_int_t events = -1;
    int end = 0;
    if (is_quarantine(line))
        return true;
    if (self->ended)
        return false;
    if (json_unpack(line, "{s:b !}", "end", &end) == 0) {
        self->ended = end != 0;
        return self->ended;
    }
    if (json_unpack(line, "{s:s, s:s !}", "refused", &name, "because", &because) == 0) {
        char *copy = file_name_from_text(name);
        if (copy == NULL)
            return false;
        keep_name(self, copy);
        self->n_refused++;
        return true;
    }
    struct journal_file file = {0};
    if (json_unpack(line, "{s:s, s:I, s:o, s:s !}", "file", &name, "events", &events, "identity",
                    &identity, "digest", &digest) != 0 ||
        events < 0 || !file_identity_from_json(&file.content.identity, identity) ||
        !content_from_hex(&file.content, digest))
        return false;
    file.name = file_name_from_text(name);
    if (file.name == NULL)
        return false;
    file.events = (uint64_t)events;
    self->file[self->n++] = file;
    keep_name(self, file.name);
    return true;
}

/* --- on disk ----------------------------------------------------------------------------- */

static status read_lines(journal *self)
{
    FILE *from = fopen(self->path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    size_t number = 0;
    status done = from != NULL ? STATUS_OK : STATUS_IO;
    while (done == STATUS_OK && (n = getline(&line, &room, from)) > 0 && line[n - 1] == '\n') {
        number++;
        json_t *object = json_loadb(line, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
        done = reserve(self);
        if (done == STATUS_OK && !keep_line(self, object)) {
            log_error("%s:%zu: expected a file taken, a file refused or the end; the journal is "
                      "damaged",
                      self->path, number);
            done = STATUS_BAD_INPUT;
        }
        json_decref(object);
        self->size += n;
    }
    free(line);
    if (from != NULL)
        fclose(from);
    return done;
}

static status open_file(journal *self)
{
    const status opened = regular_file_open(&self->fd, self->path, O_RDWR | O_CREAT);
    if (opened != STATUS_OK)
        return opened;
    status done = file_lock_take(self->fd, self->path, LOCK_EX);
    if (done == STATUS_LOCKED)
        log_error("%s: another reader has it", self->path);
    if (done == STATUS_OK)
        done = read_lines(self);
    if (done == STATUS_OK && ftruncate(self->fd, self->size) != 0) {
        log_error("%s: cannot be cut to its last whole line: %s", self->path, strerror(errno));
        done = STATUS_IO;
    }
    return done == STATUS_OK ? parent_sync(self->path) : done;
}

status journal_open(journal **out, const char *folder, uint32_t source)
{
    assert(out != NULL && folder != NULL);
    *out = NULL;
    journal *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->fd = -1;
    status done = STATUS_NO_MEMORY;
    if (asprintf(&self->path, "%s/files-%u.jsonl", folder, source) >= 0)
        done = open_file(self);
    else
        self->path = NULL;
    if (done != STATUS_OK)
        journal_close(&self);
    *out = self;
    return done;
}

void journal_close(journal **self)
{
    if (*self == NULL)
        return;
    if ((*self)->fd >= 0)
        close((*self)->fd);
    for (size_t i = 0; i < (*self)->n_known; i++)
        free((*self)->known[i]); /* the names of the files among them */
    free((*self)->known);
    free((*self)->file);
    free((*self)->path);
    free(*self);
    *self = NULL;
}

/* A line that did not reach the disk whole is cut off. */
static status give_up(journal *self)
{
    const int error = errno;
    const status done = status_of_errno(error);
    if (ftruncate(self->fd, self->size) != 0)
        log_warning("%s: half a line may be left at its end: %s", self->path, strerror(errno));
    if (done != STATUS_NO_SPACE)
        log_error("%s: cannot be written: %s", self->path, strerror(error));
    return done == STATUS_NO_SPACE ? done : STATUS_IO;
}

static status write_line(journal *self, size_t size, const char *text)
{
    for (size_t at = 0; at < size;) {
        const ssize_t n = pwrite(self->fd, text + at, size - at, self->size + (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return give_up(self);
        at += (size_t)n;
    }
    if (fdatasync(self->fd) != 0)
        return give_up(self);
    self->size += (off_t)size;
    return STATUS_OK;
}

/* Writes and applies a line, and owns it. */
static status add_line(journal *self, json_t *line)
{
    char *text = line != NULL ? json_dumps(line, JSON_COMPACT) : NULL;
    status done = text != NULL ? reserve(self) : STATUS_NO_MEMORY;
    if (done == STATUS_OK) {
        const size_t size = strlen(text);
        text[size] = '\n'; /* in place of the zero, which is not written */
        done = write_line(self, size + 1, text);
    }
    if (done == STATUS_OK && !keep_line(self, line))
        done = STATUS_NO_MEMORY;
    free(text);
    json_decref(line);
    return done;
}

status journal_take(journal *self, const struct journal_file *file)
{
    char digest[CONTENT_HEX_SIZE];
    content_hex(&file->content, digest);
    char *name = file_name_to_text(file->name);
    const status done =
        add_line(self, json_pack("{s:s?, s:I, s:o, s:s}", "file", name, "events",
                                 (json_int_t)file->events, "identity",
                                 file_identity_to_json(&file->content.identity), "digest", digest));
    free(name);
    return done;
}

status journal_refuse(journal *self, const char *name, const char *because)
{
    char *text = file_name_to_text(name);
    const status done =
        add_line(self, json_pack("{s:s?, s:s}", "refused", text, "because", because));
    free(text);
    return done;
}

status journal_quarantine(journal *self, const char *file, uint64_t first_row, uint64_t rows,
                          const char *because)
{
    char *text = file_name_to_text(file);
    const status done = add_line(self, json_pack("{s:s?, s:I, s:I, s:s}", "quarantined", text,
                                                 "first_row", (json_int_t)first_row, "rows",
                                                 (json_int_t)rows, "because", because));
    free(text);
    return done;
}

status journal_end(journal *self)
{
    return add_line(self, json_pack("{s:b}", "end", 1));
}

/* --- looking ----------------------------------------------------------------------------- */

const char *journal_path(const journal *self)
{
    return self->path;
}

size_t journal_n_files(const journal *self)
{
    return self->n;
}

const struct journal_file *journal_file(const journal *self, size_t i)
{
    assert(i < self->n);
    return &self->file[i];
}

size_t journal_n_refused(const journal *self)
{
    return self->n_refused;
}

const char *journal_last_name(const journal *self)
{
    return self->n_known > 0 ? self->known[self->n_known - 1] : NULL;
}

bool journal_ended(const journal *self)
{
    return self->ended;
}
