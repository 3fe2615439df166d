/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/events/input_notes.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/array.h"

static bool is_there(const struct input_notes *self, const struct input_note *note)
{
    for (size_t i = 0; i < self->n; i++)
        if (self->note[i].source == note->source && self->note[i].first_row == note->first_row &&
            self->note[i].rows == note->rows && strcmp(self->note[i].file, note->file) == 0)
            return true;
    return false;
}

status input_notes_add(struct input_notes *self, const struct input_note *note)
{
    if (is_there(self, note))
        return STATUS_OK;
    const status done = ARRAY_RESERVE(&self->note, &self->room, self->n + 1);
    if (done != STATUS_OK)
        return done;
    struct input_note copy = *note;
    copy.file = strdup(note->file);
    copy.reason = strdup(note->reason);
    if (copy.file == NULL || copy.reason == NULL) {
        free(copy.file);
        free(copy.reason);
        return STATUS_NO_MEMORY;
    }
    self->note[self->n++] = copy;
    return STATUS_OK;
}

/* A line that is a note; false for any other. */
static bool read_note(struct input_note *out, json_t *line)
{
    const char *file;
    const char *reason;
    json_int_t first = 0;
    json_int_t rows = 0;
    if (json_unpack(line, "{s:s, s:s}", "refused", &file, "because", &reason) != 0 &&
        (json_unpack(line, "{s:s, s:I, s:I, s:s}", "quarantined", &file, "first_row", &first,
                     "rows", &rows, "because", &reason) != 0 ||
         first < 0 || rows < 1))
        return false;
    *out = (struct input_note){.file = (char *)file,
                               .reason = (char *)reason,
                               .first_row = (uint64_t)first,
                               .rows = (uint64_t)rows};
    return true;
}

static status read_journal(struct input_notes *out, FILE *from, uint32_t source)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    status done = STATUS_OK;
    while (done == STATUS_OK && (n = getline(&line, &room, from)) > 0) {
        json_t *object = json_loadb(line, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
        struct input_note note;
        if (object != NULL && read_note(&note, object)) {
            note.source = source;
            done = input_notes_add(out, &note);
        }
        json_decref(object);
    }
    free(line);
    return done;
}

/* The journal of a source, open for reading; *out is NULL if there is none. */
static status open_journal(FILE **out, const char *folder, uint32_t source)
{
    char *path;
    *out = NULL;
    if (asprintf(&path, "%s/files-%u.jsonl", folder, source) < 0)
        return STATUS_NO_MEMORY;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    *out = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (*out == NULL && fd >= 0)
        close(fd);
    free(path);
    return STATUS_OK;
}

status input_notes_read(struct input_notes *out, const char *folder, uint32_t first,
                        uint32_t sources)
{
    status done = STATUS_OK;
    for (uint32_t s = 0; s < sources && done == STATUS_OK; s++) {
        FILE *from;
        done = open_journal(&from, folder, s);
        if (from == NULL)
            continue;
        done = read_journal(out, from, first + s);
        fclose(from);
    }
    return done;
}

static void add_extent(struct input_extent *out, const json_t *line, uint32_t batch)
{
    const json_t *events = json_object_get(line, "events");
    out->ended = out->ended || json_is_true(json_object_get(line, "end"));
    if (json_object_get(line, "file") == NULL || !json_is_integer(events))
        return;
    const uint64_t rows = (uint64_t)json_integer_value(events);
    out->rows += rows;
    out->batches += rows / batch + (rows % batch != 0);
}

status input_extent_read(struct input_extent *out, const char *folder, uint32_t source,
                         uint32_t batch)
{
    FILE *from;
    *out = (struct input_extent){0};
    const status done = open_journal(&from, folder, source);
    if (from == NULL)
        return done == STATUS_OK ? STATUS_BAD_INPUT : done;
    char *text = NULL;
    size_t room = 0;
    for (ssize_t n; (n = getline(&text, &room, from)) > 0;) {
        json_t *line = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
        add_extent(out, line, batch);
        json_decref(line);
    }
    free(text);
    fclose(from);
    return STATUS_OK;
}

size_t input_notes_count(const struct input_notes *self, int of_rows)
{
    size_t n = 0;
    for (size_t i = 0; i < self->n; i++)
        n += (self->note[i].rows > 0) == (of_rows != 0);
    return n;
}

void input_notes_fini(struct input_notes *self)
{
    for (size_t i = 0; i < self->n; i++) {
        free(self->note[i].file);
        free(self->note[i].reason);
    }
    free(self->note);
    *self = (struct input_notes){0};
}
