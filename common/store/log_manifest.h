/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_manifest: what manifest.json of a log folder says, to and from text.
 * The text carries a digest of itself, as a flipped digit in a next seq would lose batches in
 * silence. */
#ifndef COMMON_STORE_LOG_MANIFEST_H
#define COMMON_STORE_LOG_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status/status.h"
#include "common/store/log_folder.h"

struct log_manifest {
    char *log_id;
    uint64_t epoch;
    json_t *made_from; /* object, or NULL */
    bool complete;     /* every source has ended and all of it is in the segments */
    uint32_t n_sources;
    size_t n; /* segments */
    size_t room;
    struct log_folder_segment *segments; /* [n] */
    uint64_t *next_seq;                  /* [n, n_sources] after each segment */
};

/* An empty one, epoch 0. log_id NULL: of any log and number of sources, to be parsed into. Give it
 * to log_manifest_fini whatever comes back. */
MUST_CHECK status log_manifest_init(struct log_manifest *self, const char *log_id,
                                    uint32_t n_sources);
/* Frees what is in *self and zeroes it. */
void log_manifest_fini(struct log_manifest *self);

/* Appends a segment; next_seq [n_sources] is copied. */
MUST_CHECK status log_manifest_push(struct log_manifest *self,
                                    const struct log_folder_segment *entry,
                                    const uint64_t next_seq[]);

/* The text of the file; to be given to free, NULL when out of memory. */
char *log_manifest_text(const struct log_manifest *self);
/* Reads text [size] into an initialised, empty manifest; its epoch and segments come from the
 * text, made_from and complete. STATUS_BAD_INPUT (logged with path) if the text is damaged, or of
 * another log or another number of sources. */
MUST_CHECK status log_manifest_parse(struct log_manifest *self, const char *path, size_t size,
                                     const char text[]);

#endif
