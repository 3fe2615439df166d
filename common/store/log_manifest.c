/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/log_manifest.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"

enum { FORMAT = 1, DIGEST = 16, HEX = 2 * DIGEST + 1 };

status log_manifest_init(struct log_manifest *self, const char *log_id, uint32_t n_sources)
{
    *self = (struct log_manifest){.n_sources = n_sources};
    if (log_id == NULL)
        return STATUS_OK;
    self->log_id = strdup(log_id);
    return self->log_id != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void log_manifest_fini(struct log_manifest *self)
{
    free(self->log_id);
    json_decref(self->made_from);
    free(self->segments);
    free(self->next_seq);
    *self = (struct log_manifest){0};
}

static status make_room(struct log_manifest *self)
{
    if (self->n < self->room)
        return STATUS_OK;
    const size_t room = 2 * self->room + 16;
    struct log_folder_segment *segments = realloc(self->segments, room * sizeof *segments);
    if (segments == NULL)
        return STATUS_NO_MEMORY;
    self->segments = segments;
    uint64_t *next_seq = realloc(self->next_seq, room * self->n_sources * sizeof *next_seq);
    if (next_seq == NULL)
        return STATUS_NO_MEMORY;
    self->next_seq = next_seq;
    self->room = room;
    return STATUS_OK;
}

status log_manifest_push(struct log_manifest *self, const struct log_folder_segment *entry,
                         const uint64_t next_seq[])
{
    const status outcome = make_room(self);
    if (outcome != STATUS_OK)
        return outcome;
    self->segments[self->n] = *entry;
    memcpy(self->next_seq + self->n * self->n_sources, next_seq,
           self->n_sources * sizeof *next_seq);
    self->n++;
    return STATUS_OK;
}

static json_t *segment_to_json(const struct log_manifest *self, size_t i)
{
    char digest[HEX];
    sodium_bin2hex(digest, sizeof digest, self->segments[i].digest, DIGEST);
    json_t *next = json_array();
    for (uint32_t s = 0; s < self->n_sources; s++)
        json_array_append_new(next,
                              json_integer((json_int_t)self->next_seq[i * self->n_sources + s]));
    return json_pack("{s:I, s:I, s:o, s:s}", "first_place",
                     (json_int_t)self->segments[i].first_place, "batches",
                     (json_int_t)self->segments[i].batches, "next_seq", next, "digest", digest);
}

/* BLAKE2b-128 of everything but the digest itself; false when out of memory. */
static bool digest_of(json_t *root, char hex[HEX])
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    if (text == NULL)
        return false;
    uint8_t digest[DIGEST];
    crypto_generichash(digest, sizeof digest, (const uint8_t *)text, strlen(text), NULL, 0);
    sodium_bin2hex(hex, HEX, digest, sizeof digest);
    free(text);
    return true;
}

char *log_manifest_text(const struct log_manifest *self)
{
    json_t *segments = json_array();
    bool complete = segments != NULL;
    for (size_t i = 0; complete && i < self->n; i++)
        complete = json_array_append_new(segments, segment_to_json(self, i)) == 0;
    json_t *root =
        json_pack("{s:i, s:s, s:I, s:I, s:O?, s:b, s:o}", "format", FORMAT, "log_id", self->log_id,
                  "epoch", (json_int_t)self->epoch, "sources", (json_int_t)self->n_sources,
                  "made_from", self->made_from, "complete", self->complete, "segments", segments);
    char hex[HEX];
    char *text = NULL;
    if (complete && root != NULL && digest_of(root, hex) &&
        json_object_set_new(root, "digest", json_string(hex)) == 0)
        text = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    json_decref(root);
    return text;
}

static bool digest_fits(json_t *root)
{
    json_t *stored = json_incref(json_object_get(root, "digest"));
    char hex[HEX];
    const bool fits = json_is_string(stored) && json_object_del(root, "digest") == 0 &&
                      digest_of(root, hex) && strcmp(hex, json_string_value(stored)) == 0;
    json_decref(stored);
    return fits;
}

/* The digest has told that the text is as we wrote it; what is checked here is that the segments
 * follow each other and the counts only grow. */
static status parse_segment(struct log_manifest *self, const char *path, json_t *object,
                            uint64_t next_seq[])
{
    json_int_t first_place, batches;
    const char *digest;
    json_t *next;
    struct log_folder_segment sealed = {0};
    if (json_unpack(object, "{s:I, s:I, s:o, s:s}", "first_place", &first_place, "batches",
                    &batches, "next_seq", &next, "digest", &digest) != 0 ||
        json_array_size(next) != self->n_sources || strlen(digest) != HEX - 1 ||
        sodium_hex2bin(sealed.digest, DIGEST, digest, HEX - 1, NULL, NULL, NULL) != 0)
        goto damaged;
    sealed.first_place = (uint64_t)first_place;
    sealed.batches = (uint64_t)batches;
    const struct log_folder_segment *last = self->n > 0 ? &self->segments[self->n - 1] : NULL;
    if (batches < 1 || sealed.first_place != (last ? last->first_place + last->batches : 0))
        goto damaged;
    for (uint32_t s = 0; s < self->n_sources; s++) {
        const uint64_t seq = (uint64_t)json_integer_value(json_array_get(next, s));
        if (seq < next_seq[s])
            goto damaged;
        next_seq[s] = seq;
    }
    return log_manifest_push(self, &sealed, next_seq);
damaged:
    log_error("%s: damaged: segment %zu does not follow the one before", path, self->n);
    return STATUS_BAD_INPUT;
}

static status parse_segments(struct log_manifest *self, const char *path, json_t *segments)
{
    uint64_t *next_seq = calloc((size_t)self->n_sources + 1, sizeof *next_seq);
    if (next_seq == NULL)
        return STATUS_NO_MEMORY;
    status outcome = STATUS_OK;
    for (size_t i = 0; outcome == STATUS_OK && i < json_array_size(segments); i++)
        outcome = parse_segment(self, path, json_array_get(segments, i), next_seq);
    free(next_seq);
    return outcome;
}

static status parse_root(struct log_manifest *self, const char *path, json_t *root)
{
    int format;
    int complete = 0; /* older manifests do not tell */
    json_int_t epoch, sources;
    const char *log_id;
    json_t *made_from, *segments;
    if (!digest_fits(root) ||
        json_unpack(root, "{s:i, s:s, s:I, s:I, s:o, s?b, s:o}", "format", &format, "log_id",
                    &log_id, "epoch", &epoch, "sources", &sources, "made_from", &made_from,
                    "complete", &complete, "segments", &segments) != 0) {
        log_error("%s: damaged: it does not fit its own digest", path);
        return STATUS_BAD_INPUT;
    }
    if (format != FORMAT) {
        log_error("%s: format %d, expected %d", path, format, FORMAT);
        return STATUS_BAD_INPUT;
    }
    if (self->log_id == NULL && sources >= 1 && sources <= UINT32_MAX) {
        self->n_sources = (uint32_t)sources;
        self->log_id = strdup(log_id);
    }
    if (self->log_id == NULL)
        return STATUS_NO_MEMORY;
    if (strcmp(log_id, self->log_id) != 0) {
        log_error("%s: of log %s, expected log %s", path, log_id, self->log_id);
        return STATUS_BAD_INPUT;
    }
    if (sources != (json_int_t)self->n_sources) {
        log_error("%s: of %lld sources, expected %lu", path, (long long)sources,
                  (unsigned long)self->n_sources);
        return STATUS_BAD_INPUT;
    }
    self->epoch = (uint64_t)epoch;
    self->complete = complete != 0;
    self->made_from = json_is_object(made_from) ? json_incref(made_from) : NULL;
    return parse_segments(self, path, segments);
}

status log_manifest_parse(struct log_manifest *self, const char *path, size_t size,
                          const char text[])
{
    assert(self->n == 0 && self->made_from == NULL);
    json_error_t error;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        log_error("%s: damaged: line %d: %s", path, error.line, error.text);
        return STATUS_BAD_INPUT;
    }
    const status outcome = parse_root(self, path, root);
    json_decref(root);
    return outcome;
}
