/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_folder: the folder STATE/LOG_ID of one image log on disk (design section 6).
 *   manifest.json     log id, epoch, the `analysis` part that made the images, whether all sources
 *                     are in it to their end, and per segment: first place, batches, per source the
 *                     next seq, BLAKE2b-128 of the file; and a digest of all that
 *   segment-NNNNNN.h5 batches with consecutive places (segment.h)
 *   lock              flock(2)ed by the one log that writes here
 * A segment is written to a temporary name, fsync, read back and verified, renamed, the folder
 * fsynced; then the manifest likewise; only then is it sealed. */
#ifndef COMMON_STORE_LOG_FOLDER_H
#define COMMON_STORE_LOG_FOLDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status/status.h"
#include "common/store/segment.h"

struct log_folder_segment {
    uint64_t first_place;
    uint64_t batches;
    uint8_t digest[16];
};

typedef struct log_folder log_folder;

/* Opens or makes folder `path` (parents too) for n_sources sources, takes its lock (waiting up to
 * 5 s for a dying owner: STATUS_LOCKED, logged, after that), verifies the segments against the
 * manifest and keeps the longest valid run from the start; raises the epoch by one and writes the
 * manifest. Segments or a manifest present but none valid: STATUS_BAD_INPUT, logged, nothing
 * changed. A segment file the manifest does not list was never acknowledged: it is removed.
 * header: text of a JSON object kept in the manifest under "made_from" (may be NULL: keep what is
 * there). A manifest whose log_id is another: STATUS_BAD_INPUT. */
MUST_CHECK status log_folder_open(log_folder **out, const char *path, const char *log_id,
                                  uint32_t n_sources, const char *header);
/* Opens a folder to read it, changing nothing in it, so that it may be on a medium that cannot be
 * written, and any number of readers may share it. Waits up to 5 s for one who writes to it:
 * STATUS_LOCKED, logged, after that. STATUS_BAD_INPUT, logged, if it has no manifest or a damaged
 * one. The segments are not looked at: see log_folder_verify. */
MUST_CHECK status log_folder_read(log_folder **out, const char *path);
/* STATUS_BAD_INPUT, logged, if a segment that the manifest lists is missing or damaged. */
MUST_CHECK status log_folder_verify(const log_folder *self);
void log_folder_close(log_folder **self);

/* The folder's path, as it was given. */
const char *log_folder_name(const log_folder *self);
const char *log_folder_log_id(const log_folder *self);
uint32_t log_folder_sources(const log_folder *self);
/* What was given as header, or by an earlier owner; NULL if nothing ever was. Borrowed. */
json_t *log_folder_made_from(const log_folder *self);
/* Whether log_folder_finish was called and nothing was sealed or lost since. */
bool log_folder_complete(const log_folder *self);
uint64_t log_folder_epoch(const log_folder *self);
size_t log_folder_segments(const log_folder *self);
const struct log_folder_segment *log_folder_segment(const log_folder *self, size_t i);
/* Places sealed so far, and of one source the batches sealed so far (they are 0 .. result - 1). */
uint64_t log_folder_places(const log_folder *self);
uint64_t log_folder_next_seq(const log_folder *self, uint32_t source);
/* Path of segment i, written to out[size]. */
void log_folder_path(const log_folder *self, size_t i, size_t size, char out[]);

/* Seals n batches as the next segment. STATUS_NO_SPACE: nothing has changed, may be tried again;
 * STATUS_IO likewise but logged as an error. */
MUST_CHECK status log_folder_seal(log_folder *self, size_t n, const struct segment_batch batches[]);
/* Notes in the manifest that every source has ended and all of it is sealed; does nothing if that
 * is noted already. Errors as log_folder_seal. */
MUST_CHECK status log_folder_finish(log_folder *self);

#endif
