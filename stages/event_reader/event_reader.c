/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/event_reader/event_reader.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/array.h"
#include "common/base/log.h"
#include "common/store/events/event_file.h"
#include "common/store/events/table_name.h"
#include "stages/event_reader/follower.h"

/* The part of one file within settings.rows. */
struct span {
    char *path;
    char *table;                    /* one of the file's tables by its key, NULL: it has one only */
    bool known;                     /* its expected content, and when that was last seen ... */
    struct content content;         /* ... under its name */
    struct file_identity seen_open; /* ... in the file that is open */
    uint64_t file_first;            /* row of the source where the file begins */
    uint64_t first;                 /* first row wanted, within the file */
    uint64_t rows;                  /* wanted */
    uint64_t first_batch;           /* seq of its first batch */
};

struct reader {
    uint32_t source_batch; /* rows per batch */
    const char *masterkey;
    struct event_labels labels;
    uint64_t wanted[2]; /* rows of the source */
    size_t n;
    size_t room;
    struct span *span;
    uint64_t file_rows; /* of all files so far */
    uint64_t batches;
    uint64_t rows;
    event_file *file; /* the one read last */
    size_t file_index;
    const char *folder; /* the one followed; NULL: none */
    const char *log;    /* folder of the image log, where the journal is */
    uint32_t source;
    journal *notes; /* of the files accepted there */
    follower *follower;
};

static uint64_t batches_of(const struct reader *self, const struct span *span)
{
    return (span->rows + self->source_batch - 1) / self->source_batch;
}

/* Appends a file of so many events. Owns path and table. */
static status add_span(struct reader *self, char *path, char *table, uint64_t events)
{
    if (path == NULL || ARRAY_RESERVE(&self->span, &self->room, self->n + 1) != STATUS_OK) {
        free(path);
        free(table);
        return STATUS_NO_MEMORY;
    }
    const uint64_t file_first = self->file_rows;
    const uint64_t file_last = file_first + events;
    const uint64_t first = self->wanted[0] > file_first ? self->wanted[0] : file_first;
    const uint64_t last = self->wanted[1] < file_last ? self->wanted[1] : file_last;
    struct span *span = &self->span[self->n++];
    *span = (struct span){.path = path,
                          .table = table,
                          .file_first = file_first,
                          .first = first - file_first,
                          .rows = last > first ? last - first : 0,
                          .first_batch = self->batches};
    self->file_rows = file_last;
    self->batches += batches_of(self, span);
    self->rows += span->rows;
    return STATUS_OK;
}

/* --- what a file must hold --------------------------------------------------------------- */

static status expect_content(struct span *span, const json_t *entry)
{
    const char *digest = json_string_value(json_object_get(entry, "digest"));
    const json_t *identity = json_object_get(entry, "identity");
    if (digest == NULL || !content_from_hex(&span->content, digest) ||
        !file_identity_from_json(&span->content.identity, identity)) {
        log_error("contents: expected identity and digest of %s", span->path);
        return STATUS_BAD_INPUT;
    }
    span->known = true;
    span->seen_open = span->content.identity;
    return STATUS_OK;
}

static status has_changed(const struct reader *self, const struct span *span)
{
    log_error(
        "%s: has changed since %s: expected the %llu bytes that it had; nothing that was read "
        "since is counted. %s",
        span->path, self->notes != NULL ? "it was taken" : "the run began",
        (unsigned long long)span->content.identity.size,
        self->notes != NULL ? "Put the file back, or start anew with another --state"
                            : "Run again when it is complete");
    return STATUS_BAD_INPUT;
}

/* The file that is open: as it was, or read again and found to hold the same. */
static status check_open_file(const struct reader *self, struct span *span)
{
    struct file_identity now;
    if (event_file_identity(self->file, &now) == STATUS_OK &&
        file_identity_equal(&now, &span->seen_open))
        return STATUS_OK;
    struct content again;
    const status done = event_file_reread(self->file, &again);
    if (done == STATUS_NO_MEMORY)
        return done;
    if (done != STATUS_OK || memcmp(again.digest, span->content.digest, sizeof again.digest) != 0)
        return has_changed(self, span);
    span->seen_open = again.identity;
    return STATUS_OK;
}

/* The file under that name likewise: a restarted reader would open this one. One that was removed
 * while it is open does no harm yet. */
static status check_named_file(const struct reader *self, struct span *span)
{
    struct file_identity now;
    const status found = file_identity_of(span->path, &now);
    if ((found == STATUS_OK && file_identity_equal(&now, &span->content.identity)) ||
        (found != STATUS_OK && errno == ENOENT))
        return STATUS_OK;
    struct content again;
    const status done = found == STATUS_OK ? content_read(&again, span->path) : found;
    if (done == STATUS_NO_MEMORY)
        return done;
    if (done != STATUS_OK || memcmp(again.digest, span->content.digest, sizeof again.digest) != 0)
        return has_changed(self, span);
    span->content.identity = again.identity;
    return STATUS_OK;
}

/* Whether file i, which is open, still holds what its images are named by. Two calls of stat(2)
 * unless it was touched. */
static status check_content(const struct reader *self, size_t i)
{
    struct span *span = &self->span[i];
    if (!span->known)
        return STATUS_OK;
    const status done = check_open_file(self, span);
    return done == STATUS_OK ? check_named_file(self, span) : done;
}

/* The labels were read from it just now. */
static status check_masterkey(const struct reader *self, const json_t *entry)
{
    struct span key = {.path = (char *)self->masterkey};
    const status done = expect_content(&key, entry);
    return done == STATUS_OK ? check_named_file(self, &key) : done;
}

/* --- files that are all there ------------------------------------------------------------ */

/* Opens FILE or FILE:KEY, the next of the source. */
static status open_next(struct reader *self, const char *name)
{
    event_file_close(&self->file);
    self->file_index = self->n;
    status done = event_file_open(&self->file, name, self->masterkey);
    if (done != STATUS_OK)
        return done;
    event_file_set_labels(self->file, &self->labels);
    struct table_name parts;
    done = table_name_parse(&parts, name);
    if (done == STATUS_OK)
        return add_span(self, parts.path, parts.key, event_file_events(self->file));
    table_name_fini(&parts);
    return done;
}

static status open_all(struct reader *self, const json_t *files, const json_t *contents)
{
    for (size_t i = 0; i < json_array_size(files); i++) {
        const char *name = json_string_value(json_array_get(files, i));
        if (name == NULL) {
            log_error("settings.files[%zu] is no text", i);
            return STATUS_BAD_INPUT;
        }
        status done = open_next(self, name);
        if (done == STATUS_OK && contents != NULL)
            done = expect_content(&self->span[i], json_array_get(contents, i));
        if (done == STATUS_OK)
            done = check_content(self, i);
        if (done != STATUS_OK)
            return done;
    }
    if (self->wanted[1] != UINT64_MAX && self->wanted[1] > self->file_rows)
        log_warning("settings.rows ends at %llu but the source has %llu rows",
                    (unsigned long long)self->wanted[1], (unsigned long long)self->file_rows);
    return STATUS_OK;
}

/* --- a followed folder ------------------------------------------------------------------- */

/* Adds the files that the journal has and we have not. */
static status add_taken(struct reader *self)
{
    status done = STATUS_OK;
    while (done == STATUS_OK && self->n < journal_n_files(self->notes)) {
        const struct journal_file *file = journal_file(self->notes, self->n);
        char *path = NULL;
        if (asprintf(&path, "%s/%s", self->folder, file->name) < 0)
            return STATUS_NO_MEMORY;
        done = add_span(self, path, NULL, file->events);
        if (done != STATUS_OK)
            return done;
        struct span *span = &self->span[self->n - 1];
        span->known = true;
        span->content = file->content;
        span->seen_open = file->content.identity;
    }
    return done;
}

/* What was ended once stays so: files of a later period of data taking would never be read. */
static status check_ended(const struct reader *self, const char *end)
{
    if (!journal_ended(self->notes))
        return STATUS_OK;
    const size_t more = follower_not_taken(self->follower);
    const bool there = follower_end_is_there(self->follower);
    if (more == 0 && there)
        return STATUS_OK;
    if (!there)
        log_error("%s: the end of this input was seen before (%s, after %zu files taken and %zu "
                  "refused), but that file is gone, as if more were to come; %zu other files lie "
                  "there now, and nothing new would be read. Put it back for the same answer, use "
                  "another --state to read the folder anew, or another folder for new files",
                  self->folder, end, journal_n_files(self->notes), journal_n_refused(self->notes),
                  more);
    else
        log_error(
            "%s: the end of this input was seen before (%s, after %zu files taken and %zu "
            "refused), but %zu other files lie there now, which would not be read. Use another "
            "--state to read the folder anew, or another folder for new files",
            self->folder, end, journal_n_files(self->notes), journal_n_refused(self->notes), more);
    return STATUS_BAD_INPUT;
}

static status open_folder(struct reader *self, const struct stage_setup *setup, const json_t *files)
{
    self->folder = json_string_value(json_array_get(files, 0));
    const char *end = json_string_value(json_object_get(setup->settings, "end"));
    if (self->folder == NULL || json_array_size(files) != 1 || end == NULL) {
        log_error("settings.follow takes one folder in settings.files, and settings.end");
        return STATUS_BAD_INPUT;
    }
    status done = journal_open(&self->notes, setup->folder, setup->source);
    const struct follow_settings settings = {
        .folder = self->folder,
        .end = end,
        .labels = &self->labels,
        .patterns = json_object_get(setup->settings, "pattern"),
        .patience_ms =
            (uint64_t)(1000 * json_number_value(json_object_get(setup->settings, "patience")))};
    if (done == STATUS_OK)
        done = follower_create(&self->follower, self->notes, &settings);
    if (done == STATUS_OK)
        done = check_ended(self, end);
    if (done == STATUS_OK)
        done = add_taken(self);
    if (done == STATUS_OK && journal_n_files(self->notes) > 0)
        log_info("%s: %zu files have been taken before%s", self->folder,
                 journal_n_files(self->notes),
                 journal_ended(self->notes) ? ", and the end was seen: no others will be" : "");
    return done;
}

status event_reader_grow(void *state, bool *busy, bool *ended)
{
    struct reader *self = state;
    *ended = self->follower == NULL || journal_ended(self->notes);
    if (*ended)
        return STATUS_OK;
    const status done = follower_step(self->follower, busy);
    *ended = journal_ended(self->notes);
    return done == STATUS_OK ? add_taken(self) : done;
}

size_t event_reader_wanted(void *state, struct stage_descriptor watch[], long *wait_ms)
{
    const struct reader *self = state;
    (void)wait_ms;
    if (self->follower == NULL || journal_ended(self->notes) || follower_watch(self->follower) < 0)
        return 0;
    watch[0] = (struct stage_descriptor){.fd = follower_watch(self->follower), .events = POLLIN};
    return 1;
}

/* --- the whole --------------------------------------------------------------------------- */

/* An accepted file has been renamed since: reading goes on under its new name. */
static void find_again(const struct reader *self, struct span *span)
{
    char *path = follower_find(self->follower, &span->content.identity);
    if (path == NULL)
        return;
    log_info("%s is called %s now", span->path, path);
    free(span->path);
    span->path = path;
}

static status open_file_of(struct reader *self, const struct span *span)
{
    if (span->table == NULL)
        return event_file_open(&self->file, span->path, self->masterkey);
    char *name;
    if (asprintf(&name, "%s:%s", span->path, span->table) < 0)
        return STATUS_NO_MEMORY;
    const status done = event_file_open(&self->file, name, self->masterkey);
    free(name);
    return done;
}

static status open_span(struct reader *self, size_t i)
{
    if (self->file != NULL && self->file_index == i)
        return STATUS_OK;
    event_file_close(&self->file);
    self->file_index = i;
    if (self->follower != NULL && access(self->span[i].path, F_OK) != 0)
        find_again(self, &self->span[i]);
    status done = open_file_of(self, &self->span[i]);
    if (done == STATUS_OK)
        event_file_set_labels(self->file, &self->labels);
    if (done == STATUS_OK)
        done = check_content(self, i);
    if (done != STATUS_OK)
        event_file_close(&self->file);
    return done;
}

void event_reader_destroy(void **state)
{
    struct reader *self = *state;
    if (self == NULL)
        return;
    follower_destroy(&self->follower);
    journal_close(&self->notes);
    event_file_close(&self->file);
    for (size_t i = 0; i < self->n; i++) {
        free(self->span[i].path);
        free(self->span[i].table);
    }
    free(self->span);
    free(self);
    *state = NULL;
}

status event_reader_create(void **out, const struct stage_setup *setup)
{
    const json_t *files = json_object_get(setup->settings, "files");
    const json_t *rows = json_object_get(setup->settings, "rows");
    struct reader *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->wanted[1] = UINT64_MAX;
    if (json_array_size(rows) == 2)
        for (size_t i = 0; i < 2; i++)
            self->wanted[i] = (uint64_t)json_integer_value(json_array_get(rows, i));
    self->source_batch = setup->analysis.stream.batch;
    self->log = setup->folder;
    event_labels_from_settings(&self->labels, setup->settings);
    self->source = setup->source;
    if (json_is_true(json_object_get(setup->settings, "follow")))
        return open_folder(self, setup, files);
    self->masterkey = json_string_value(json_object_get(setup->settings, "masterkey"));
    if (self->masterkey != NULL && json_array_size(files) > 1) {
        log_error("settings.masterkey labels one file, but settings.files has %zu",
                  json_array_size(files));
        return STATUS_BAD_INPUT;
    }
    status done = open_all(self, files, setup->contents);
    if (done == STATUS_OK && self->masterkey != NULL && setup->contents != NULL)
        done = check_masterkey(self, json_array_get(setup->contents, json_array_size(files)));
    return done;
}

void event_reader_extent(void *state, uint64_t *batches, uint64_t *rows)
{
    const struct reader *self = state;
    *batches = self->batches;
    *rows = self->rows;
}

/* The span batch seq lies in: the last that begins at or before it, those without rows apart. */
static size_t find_span(const struct reader *self, uint64_t seq)
{
    size_t first = 0;
    size_t last = self->n;
    while (last - first > 1) {
        const size_t middle = first + (last - first) / 2;
        if (self->span[middle].first_batch <= seq)
            first = middle;
        else
            last = middle;
    }
    return first;
}

status event_reader_read(void *state, uint64_t seq, union record *out, struct stage_rows *rows)
{
    struct reader *self = state;
    assert(seq < self->batches);
    const size_t i = find_span(self, seq);
    const struct span *span = &self->span[i];
    const uint64_t skipped = (seq - span->first_batch) * self->source_batch;
    const uint64_t left = span->rows - skipped;
    const uint32_t n = left < self->source_batch ? (uint32_t)left : self->source_batch;
    status done = open_span(self, i);
    if (done == STATUS_OK)
        done = event_file_read(self->file, span->first + skipped, n, &out->events);
    if (done == STATUS_OK) /* only now: what changed while it was read is not handed out */
        done = check_content(self, i);
    *rows = (struct stage_rows){.first = span->file_first + span->first + skipped, .n = n};
    if (done == STATUS_OK)
        out->events.first_row = rows->first;
    return done;
}

/* A line in the journal, which a reader of files that are all there has only for this. */
status event_reader_quarantine(void *state, uint64_t seq, const char *because)
{
    struct reader *self = state;
    const size_t i = find_span(self, seq);
    const struct span *span = &self->span[i];
    const uint64_t skipped = (seq - span->first_batch) * self->source_batch;
    const uint64_t left = span->rows - skipped;
    const uint64_t rows = left < self->source_batch ? left : self->source_batch;
    journal *notes = self->notes;
    status done = STATUS_OK;
    if (notes == NULL)
        done = journal_open(&notes, self->log, self->source);
    if (done == STATUS_OK)
        done = journal_quarantine(notes, span->path, span->first + skipped, rows, because);
    if (notes != self->notes)
        journal_close(&notes);
    if (done == STATUS_NO_SPACE)
        log_error("%s: no space left to note what is quarantined", self->log);
    return done;
}

void event_reader_describe(void *state, size_t size, char out[])
{
    const struct reader *self = state;
    const char *written = self->follower != NULL ? follower_waits_for(self->follower) : NULL;
    if (self->notes == NULL)
        return;
    const int n = snprintf(out, size, "%zu files taken, %zu refused", journal_n_files(self->notes),
                           journal_n_refused(self->notes));
    const size_t used = n > 0 && (size_t)n < size ? (size_t)n : 0;
    const size_t others = self->follower != NULL ? follower_others(self->follower) : 0;
    if (others > 0)
        snprintf(out + used, size - used, ", %zu other names", others);
    if (written != NULL)
        snprintf(out + strlen(out), size - strlen(out), ", waiting for %s", written);
}
