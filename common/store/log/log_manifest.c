/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/log/log_manifest.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

enum { FORMAT = 2, DIGEST = 16, HEX = 2 * DIGEST + 1 };

status log_manifest_init(struct log_manifest *self, const char *log_id, uint32_t n_sources)
{
    *self = (struct log_manifest){.n_sources = n_sources, .tallied = true};
    if (log_id == NULL)
        return STATUS_OK;
    self->log_id = strdup(log_id);
    return self->log_id != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void log_manifest_fini(struct log_manifest *self)
{
    free(self->log_id);
    json_decref(self->made_from);
    free(self->extent);
    free(self->segments);
    free(self->tally);
    free(self->next_seq);
    free(self->rows);
    *self = (struct log_manifest){0};
}

struct tally log_manifest_tally(const struct log_manifest *self, size_t n)
{
    return n > 0 ? self->tally[n - 1] : (struct tally){0};
}

uint64_t log_manifest_next_seq(const struct log_manifest *self, size_t n, uint32_t source)
{
    return n > 0 ? self->next_seq[(n - 1) * self->n_sources + source] : 0;
}

uint64_t log_manifest_rows(const struct log_manifest *self, size_t n, uint32_t source)
{
    return n > 0 ? self->rows[(n - 1) * self->n_sources + source] : 0;
}

uint64_t log_manifest_places(const struct log_manifest *self, size_t n)
{
    return n > 0 ? self->segments[n - 1].first_place + self->segments[n - 1].batches : 0;
}

/* Makes *array, of elements of so many bytes, longer. */
static bool grow(void **array, size_t elements, size_t bytes)
{
    void *larger = realloc(*array, elements * bytes);
    if (larger != NULL)
        *array = larger;
    return larger != NULL;
}

static status make_room(struct log_manifest *self)
{
    if (self->n < self->room)
        return STATUS_OK;
    const size_t room = 2 * self->room + 16;
    void *segments = self->segments, *tally = self->tally;
    void *next_seq = self->next_seq, *rows = self->rows;
    const bool grown = grow(&segments, room, sizeof *self->segments) &&
                       grow(&tally, room, sizeof *self->tally) &&
                       grow(&next_seq, room * self->n_sources, sizeof *self->next_seq) &&
                       grow(&rows, room * self->n_sources, sizeof *self->rows);
    self->segments = segments;
    self->tally = tally;
    self->next_seq = next_seq;
    self->rows = rows;
    if (grown)
        self->room = room;
    return grown ? STATUS_OK : STATUS_NO_MEMORY;
}

status log_manifest_push(struct log_manifest *self, const struct log_folder_segment *entry,
                         const struct tally *tally, const uint64_t next_seq[],
                         const uint64_t rows[])
{
    const status outcome = make_room(self);
    if (outcome != STATUS_OK)
        return outcome;
    const size_t bytes = self->n_sources * sizeof *next_seq;
    self->segments[self->n] = *entry;
    self->tally[self->n] = *tally;
    memcpy(self->next_seq + self->n * self->n_sources, next_seq, bytes);
    memcpy(self->rows + self->n * self->n_sources, rows, bytes);
    self->n++;
    self->complete = false;
    self->cut = false;
    return STATUS_OK;
}

/* --- to lines ---------------------------------------------------------------------------- */

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *list_of(size_t n, const uint64_t values[])
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, number(values[i]));
    return list;
}

json_t *log_manifest_first_line(const struct log_manifest *self)
{
    return json_pack("{s:i, s:s, s:o, s:O?}", "format", FORMAT, "log_id", self->log_id, "sources",
                     number(self->n_sources), "made_from", self->made_from);
}

json_t *log_manifest_seal_line(const struct log_manifest *self, size_t i)
{
    char file[HEX], records[HEX];
    const struct log_folder_segment *entry = &self->segments[i];
    const struct tally *tally = &self->tally[i];
    sodium_bin2hex(file, sizeof file, entry->digest, DIGEST);
    sodium_bin2hex(records, sizeof records, entry->records, DIGEST);
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s}", "segment", number(i),
        "first_place", number(entry->first_place), "batches", number(entry->batches), "next_seq",
        list_of(self->n_sources, self->next_seq + i * self->n_sources), "rows",
        list_of(self->n_sources, self->rows + i * self->n_sources), "read", number(tally->read),
        "counted", number(tally->counted), "quarantined", number(tally->quarantined), "dropped",
        list_of(DROP_REASONS, tally->dropped), "file", file, "records", records);
}

/* --- from lines -------------------------------------------------------------------------- */

static bool take_number(const json_t *value, uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static bool take_list(const json_t *list, size_t n, uint64_t out[])
{
    if (!json_is_array(list) || json_array_size(list) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!take_number(json_array_get(list, i), &out[i]))
            return false;
    return true;
}

static bool take_digest(const json_t *value, uint8_t out[DIGEST])
{
    const char *hex = json_string_value(value);
    return hex != NULL && strlen(hex) == HEX - 1 &&
           sodium_hex2bin(out, DIGEST, hex, HEX - 1, NULL, NULL, NULL) == 0;
}

static bool take_tally(const json_t *line, struct tally *out)
{
    return take_number(json_object_get(line, "read"), &out->read) &&
           take_number(json_object_get(line, "counted"), &out->counted) &&
           take_number(json_object_get(line, "quarantined"), &out->quarantined) &&
           take_list(json_object_get(line, "dropped"), DROP_REASONS, out->dropped) &&
           tally_adds_up(out);
}

static bool only_grows(const struct tally *before, const struct tally *after)
{
    bool grows = after->read >= before->read && after->counted >= before->counted &&
                 after->quarantined >= before->quarantined;
    for (size_t r = 0; r < DROP_REASONS; r++)
        grows = grows && after->dropped[r] >= before->dropped[r];
    return grows;
}

/* The batches of all sources must be those of the segment, and their rows those that were read. */
static bool follows(const struct log_manifest *self, const struct log_folder_segment *entry,
                    const struct tally *tally, const uint64_t next_seq[], const uint64_t rows[])
{
    const struct tally before = log_manifest_tally(self, self->n);
    uint64_t batches = 0, read = 0;
    for (uint32_t s = 0; s < self->n_sources; s++) {
        const uint64_t seq = log_manifest_next_seq(self, self->n, s);
        const uint64_t had = log_manifest_rows(self, self->n, s);
        if (next_seq[s] < seq || rows[s] < had)
            return false;
        batches += next_seq[s] - seq;
        read += rows[s] - had;
    }
    return entry->batches > 0 && batches == entry->batches &&
           entry->first_place == log_manifest_places(self, self->n) &&
           read == tally->read - before.read && only_grows(&before, tally);
}

static status take_segment(struct log_manifest *self, const json_t *line)
{
    struct log_folder_segment entry = {0};
    struct tally tally = {0};
    uint64_t index;
    uint64_t *next_seq = calloc((size_t)2 * self->n_sources, sizeof *next_seq);
    if (next_seq == NULL)
        return STATUS_NO_MEMORY;
    uint64_t *rows = next_seq + self->n_sources;
    status outcome = STATUS_BAD_SHAPE;
    if (take_number(json_object_get(line, "segment"), &index) && index == self->n &&
        take_number(json_object_get(line, "first_place"), &entry.first_place) &&
        take_number(json_object_get(line, "batches"), &entry.batches) &&
        take_digest(json_object_get(line, "file"), entry.digest) &&
        take_digest(json_object_get(line, "records"), entry.records) &&
        take_list(json_object_get(line, "next_seq"), self->n_sources, next_seq) &&
        take_list(json_object_get(line, "rows"), self->n_sources, rows) &&
        take_tally(line, &tally) && follows(self, &entry, &tally, next_seq, rows))
        outcome = log_manifest_push(self, &entry, &tally, next_seq, rows);
    free(next_seq);
    return outcome;
}

static bool take_epoch(struct log_manifest *self, const json_t *line)
{
    uint64_t epoch;
    if (!take_number(json_object_get(line, "epoch"), &epoch) || epoch <= self->epoch)
        return false;
    self->epoch = epoch;
    return true;
}

static bool take_opened(struct log_manifest *self, const json_t *line)
{
    json_t *made_from = json_object_get(line, "made_from");
    if ((made_from != NULL && !json_is_object(made_from)) || !take_epoch(self, line))
        return false;
    if (made_from == NULL)
        return true;
    json_decref(self->made_from);
    self->made_from = json_incref(made_from);
    return true;
}

static bool take_cut(struct log_manifest *self, const json_t *line)
{
    uint64_t left;
    if (!take_number(json_object_get(line, "cut"), &left) || left >= self->n ||
        !take_epoch(self, line))
        return false;
    self->n = (size_t)left;
    self->complete = false;
    self->cut = true;
    return true;
}

static status take_extents(struct log_manifest *self, const json_t *line)
{
    uint64_t *extent = calloc(self->n_sources, sizeof *extent);
    if (extent == NULL)
        return STATUS_NO_MEMORY;
    if (!take_list(json_object_get(line, "extents"), self->n_sources, extent)) {
        free(extent);
        return STATUS_BAD_SHAPE;
    }
    free(self->extent);
    self->extent = extent;
    return STATUS_OK;
}

status log_manifest_take(struct log_manifest *self, const json_t *line)
{
    bool taken = false;
    if (json_object_get(line, "segment") != NULL)
        return take_segment(self, line);
    if (json_object_get(line, "extents") != NULL)
        return take_extents(self, line);
    if (json_object_get(line, "cut") != NULL)
        taken = take_cut(self, line);
    else if (json_object_get(line, "epoch") != NULL)
        taken = take_opened(self, line);
    else if (json_is_true(json_object_get(line, "complete")))
        taken = self->complete = true;
    return taken ? STATUS_OK : STATUS_BAD_SHAPE;
}

status log_manifest_name(struct log_manifest *self, const char *path, const char *log_id,
                         uint64_t sources)
{
    if (self->log_id == NULL) {
        self->n_sources = (uint32_t)sources;
        self->log_id = strdup(log_id);
        return self->log_id != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (strcmp(log_id, self->log_id) != 0) {
        log_error("%s: of log %s, expected log %s", path, log_id, self->log_id);
        return STATUS_BAD_INPUT;
    }
    if (sources != self->n_sources) {
        log_error("%s: of %llu sources, expected %lu", path, (unsigned long long)sources,
                  (unsigned long)self->n_sources);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

status log_manifest_take_first(struct log_manifest *self, const char *path, const json_t *line)
{
    uint64_t format, sources;
    const char *log_id = json_string_value(json_object_get(line, "log_id"));
    json_t *made_from = json_object_get(line, "made_from");
    if (!take_number(json_object_get(line, "format"), &format) || log_id == NULL ||
        !take_number(json_object_get(line, "sources"), &sources) || sources < 1 ||
        sources > UINT16_MAX) {
        log_error("%s: damaged: the first line does not tell format, log_id and sources", path);
        return STATUS_BAD_INPUT;
    }
    if (format != FORMAT) {
        log_error("%s: format %llu, expected %d", path, (unsigned long long)format, FORMAT);
        return STATUS_BAD_INPUT;
    }
    const status outcome = log_manifest_name(self, path, log_id, sources);
    if (outcome == STATUS_OK && json_is_object(made_from))
        self->made_from = json_incref(made_from);
    return outcome;
}
