/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_manifest: the lines of manifest.jsonl, and their sums.
 *   first    format, log_id, sources, made_from (an object, or null)
 *   epoch    {epoch}: the log was opened; {epoch, made_from}: and is made from that now
 *   seal     {segment, first_place, batches}, of the log up to and with it {next_seq, rows} per
 *            source and {read, counted, quarantined, dropped}, file: BLAKE2b-128 of the file,
 *            records: XXH3-128 of what it says
 *   cut      {cut, epoch, because}: only so many segments are left
 *   end      {complete: true}: every source has ended and all of it is in the segments
 *   extents  {extents}: batches of every source, which the order of the log was made from */
#ifndef COMMON_STORE_LOG_LOG_MANIFEST_H
#define COMMON_STORE_LOG_LOG_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/store/log/log_folder.h"

struct log_manifest {
    char *log_id;
    uint64_t epoch;
    json_t *made_from; /* object, or NULL */
    bool complete;     /* every source has ended and all of it is in the segments */
    bool cut;          /* segments were given up, and none was sealed since */
    bool tallied;      /* false: of a manifest.json, with no tally, rows, records */
    uint32_t n_sources;
    uint64_t *extent; /* [n_sources] batches; NULL: not noted */
    size_t n;         /* segments */
    size_t room;
    struct log_folder_segment *segments; /* [n] */
    struct tally *tally;                 /* [n] of the log up to and with each segment; */
    uint64_t *next_seq;                  /* [n, n_sources] likewise */
    uint64_t *rows;                      /* [n, n_sources] likewise */
};

/* Makes an empty manifest of epoch 0. log_id NULL: of any log and number of sources, to be parsed
 * into. *self is to be given to log_manifest_fini whatever is returned. */
MUST_CHECK status log_manifest_init(struct log_manifest *self, const char *log_id,
                                    uint32_t n_sources);
/* Frees what is in *self and zeroes it. */
void log_manifest_fini(struct log_manifest *self);

/* What the log holds up to and with its first n segments, of one source where that is given. */
struct tally log_manifest_tally(const struct log_manifest *self, size_t n);
uint64_t log_manifest_next_seq(const struct log_manifest *self, size_t n, uint32_t source);
uint64_t log_manifest_rows(const struct log_manifest *self, size_t n, uint32_t source);
uint64_t log_manifest_places(const struct log_manifest *self, size_t n);

/* Appends a segment; next_seq and rows [n_sources] are copied. */
MUST_CHECK status log_manifest_push(struct log_manifest *self,
                                    const struct log_folder_segment *entry,
                                    const struct tally *tally, const uint64_t next_seq[],
                                    const uint64_t rows[]);

/* The lines as JSON objects; the caller's, NULL when out of memory. */
json_t *log_manifest_first_line(const struct log_manifest *self);
json_t *log_manifest_seal_line(const struct log_manifest *self, size_t i);

/* Sets log id and number of sources, or compares them with those expected: STATUS_BAD_INPUT, logged
 * with path, if they differ. */
MUST_CHECK status log_manifest_name(struct log_manifest *self, const char *path, const char *log_id,
                                    uint64_t sources);
/* Takes the first line. STATUS_BAD_INPUT, logged with path: it is of another format, another log or
 * another number of sources. */
MUST_CHECK status log_manifest_take_first(struct log_manifest *self, const char *path,
                                          const json_t *line);
/* Takes another. STATUS_BAD_SHAPE, nothing changed: it does not follow from those before. */
MUST_CHECK status log_manifest_take(struct log_manifest *self, const json_t *line);

#endif
