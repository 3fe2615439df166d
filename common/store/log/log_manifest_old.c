/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_manifest_old: manifest.json, which was written whole for every segment, with a digest of all
 * of it and no tallies. It is read, never written. */
#include "common/store/log/log_manifest_old.h"

#include "common/store/log/log_manifest.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json_digest.h"
#include "common/base/log.h"

enum { FORMAT = 1, DIGEST = 16, HEX = 2 * DIGEST };

static bool digest_fits(json_t *root)
{
    json_t *stored = json_incref(json_object_get(root, "digest"));
    char hex[JSON_DIGEST_SIZE];
    const bool fits = json_is_string(stored) && json_object_del(root, "digest") == 0 &&
                      json_digest(root, hex) == STATUS_OK &&
                      strcmp(hex, json_string_value(stored)) == 0;
    json_decref(stored);
    return fits;
}

/* The digest has shown that the text is as it was written; checked here is that the segments follow
 * each other and the counts only grow. */
static status parse_segment(struct log_manifest *self, const char *path, json_t *object,
                            uint64_t next_seq[], const uint64_t no_rows[])
{
    json_int_t first_place, batches;
    const char *digest;
    json_t *next;
    struct log_folder_segment sealed = {0};
    if (json_unpack(object, "{s:I, s:I, s:o, s:s}", "first_place", &first_place, "batches",
                    &batches, "next_seq", &next, "digest", &digest) != 0 ||
        json_array_size(next) != self->n_sources || strlen(digest) != HEX ||
        sodium_hex2bin(sealed.digest, DIGEST, digest, HEX, NULL, NULL, NULL) != 0)
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
    const struct tally unknown = {0};
    return log_manifest_push(self, &sealed, &unknown, next_seq, no_rows);
damaged:
    log_error("%s: damaged: segment %zu does not follow the one before", path, self->n);
    return STATUS_BAD_INPUT;
}

static status parse_segments(struct log_manifest *self, const char *path, json_t *segments)
{
    uint64_t *next_seq = calloc((size_t)2 * self->n_sources, sizeof *next_seq);
    if (next_seq == NULL)
        return STATUS_NO_MEMORY;
    status outcome = STATUS_OK;
    for (size_t i = 0; outcome == STATUS_OK && i < json_array_size(segments); i++)
        outcome = parse_segment(self, path, json_array_get(segments, i), next_seq,
                                next_seq + self->n_sources);
    free(next_seq);
    return outcome;
}

static status parse_root(struct log_manifest *self, const char *path, json_t *root)
{
    int format;
    int complete = 0; /* absent in older manifests */
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
    if (sources < 1 || sources > UINT16_MAX) {
        log_error("%s: %lld sources, expected 1 to 65535", path, (long long)sources);
        return STATUS_BAD_INPUT;
    }
    const status named = log_manifest_name(self, path, log_id, (uint64_t)sources);
    if (named != STATUS_OK)
        return named;
    self->epoch = (uint64_t)epoch;
    self->made_from = json_is_object(made_from) ? json_incref(made_from) : NULL;
    self->tallied = false;
    const status outcome = parse_segments(self, path, segments);
    self->complete = complete != 0;
    return outcome;
}

status log_manifest_old_parse(struct log_manifest *self, const char *path, size_t size,
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
