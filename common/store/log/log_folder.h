/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_folder: the folder STATE/LOG_ID of one log on disk (docs/design.md, section 6).
 *   manifest.jsonl    what is in the log, one line per segment sealed (log_manifest.h), each with a
 *                     digest of itself and all before it (json_lines.h)
 *   segment-NNNNNN.h5 batches with consecutive places (segment_codec.h)
 *   lock              flock(2)ed by the one log that writes here
 * A segment is written to a temporary name, fsync, read back and verified, renamed, the folder
 * fsynced; then its line is appended to the manifest, fsync; only then is it sealed. What that
 * costs does not grow with the log, nor does opening it read any segment: each is verified when it
 * is first used. A manifest.json of earlier versions is read, and taken over by who writes. */
#ifndef COMMON_STORE_LOG_LOG_FOLDER_H
#define COMMON_STORE_LOG_LOG_FOLDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/records/tally.h"
#include "common/store/log/segment_codec.h"

struct log_folder_segment {
    uint64_t first_place;
    uint64_t batches;
    uint8_t digest[16];  /* BLAKE2b-128 of the file */
    uint8_t records[16]; /* of what it says (segment_digest) */
    bool verified;       /* since the folder was opened */
};

typedef struct log_folder log_folder;

/* Opens or makes folder `path` (parents too) of records that the codec (borrowed) knows, for
 * n_sources sources, takes its lock (waiting up to
 * 5 s for a dying owner: STATUS_LOCKED, logged, after that), reads the manifest and raises the
 * epoch. A torn last line is cut off. From a damaged line on the manifest does not count: the whole
 * of it is copied to manifest.jsonl.damaged, and the segments that it no longer lists are moved
 * aside (segment-NNNNNN.h5.aside). One segment behind the last listed is what a crash left between
 * its two steps: it was never acknowledged, and is removed. Segments present but none that can be
 * listed: STATUS_BAD_INPUT, logged, nothing changed. STATUS_NO_SPACE, not logged: may be tried
 * again.
 * header: text of a JSON object kept in the manifest under "made_from" (may be NULL: keep what is
 * there). A manifest whose log_id is another: STATUS_BAD_INPUT. */
MUST_CHECK status log_folder_open(log_folder **out, const struct segment_codec *codec,
                                  const char *path, const char *log_id, uint32_t n_sources,
                                  const char *header);
/* Opens a folder to read it, changing nothing in it, so that it may be on a medium that cannot be
 * written, and any number of readers may share it. Waits up to 5 s for one who writes to it:
 * STATUS_LOCKED, logged, after that. STATUS_BAD_INPUT, logged, if it has no manifest or a damaged
 * one. Reads the manifest alone. */
MUST_CHECK status log_folder_read(log_folder **out, const struct segment_codec *codec,
                                  const char *path);
void log_folder_close(log_folder **self);

/* The path given at opening. */
const char *log_folder_name(const log_folder *self);
const char *log_folder_log_id(const log_folder *self);
uint32_t log_folder_sources(const log_folder *self);
/* The header given at opening, or by an earlier owner; NULL if there never was one. Borrowed. */
json_t *log_folder_made_from(const log_folder *self);
/* Whether log_folder_finish was called and nothing was sealed or lost since. */
bool log_folder_complete(const log_folder *self);
uint64_t log_folder_epoch(const log_folder *self);
size_t log_folder_segments(const log_folder *self);
const struct log_folder_segment *log_folder_segment(const log_folder *self, size_t i);
/* Places sealed so far, and of one source the batches sealed so far (they are 0 .. result - 1) and
 * their rows. */
uint64_t log_folder_places(const log_folder *self);
uint64_t log_folder_next_seq(const log_folder *self, uint32_t source);
uint64_t log_folder_rows(const log_folder *self, uint32_t source);
/* What became of all rows sealed so far. */
struct tally log_folder_tally(const log_folder *self);
/* Computes the tallies and rows that a manifest.json lacks, by reading every segment. STATUS_OK at
 * once if they are known. Errors as log_folder_load, damage being logged. */
MUST_CHECK status log_folder_count(log_folder *self);
/* Path of segment i, written to out[size]. */
void log_folder_path(const log_folder *self, size_t i, size_t size, char out[]);

/* Segment i in memory, as the codec opens it; *out is the caller's, to be given to codec->close. At
 * its first use the file is compared with its digest, and its batches, as records, with the
 * manifest's names and counts. STATUS_BAD_SHAPE: it is missing or damaged, why[LOG_FOLDER_WHY] says
 * how; STATUS_BAD_INPUT, logged: something else stands in its place, or it may not be read. */
enum { LOG_FOLDER_WHY = 200 };
MUST_CHECK status log_folder_load(log_folder *self, size_t i, void **out, char why[LOG_FOLDER_WHY]);
/* Gives up segment i, which `why` is said of, and those after it: raises the epoch, notes that in
 * the manifest and moves the files aside, segment i to segment-NNNNNN.h5.damaged, the others to
 * .aside; each with .1, .2, ... behind it if there is such a file. One line tells which, and how
 * many batches are wanted again. If neither i segments nor one behind is usable: STATUS_BAD_INPUT,
 * logged, nothing changed. STATUS_NO_SPACE, nothing changed. */
MUST_CHECK status log_folder_cut(log_folder *self, size_t i, const char *why);

/* Seals n batches of the codec's type as the next segment. STATUS_NO_SPACE: nothing has changed,
 * may be tried again; STATUS_IO likewise but logged as an error. */
MUST_CHECK status log_folder_seal(log_folder *self, size_t n, const void *batches);
/* Notes in the manifest that every source has ended and all of it is sealed; does nothing if that
 * is noted already. Errors as log_folder_seal. */
MUST_CHECK status log_folder_finish(log_folder *self);
/* Batches of each source, on which the log's order may depend; NULL: not noted. */
const uint64_t *log_folder_extents(const log_folder *self);
/* Notes the batches of each source, once. Errors as log_folder_seal. */
MUST_CHECK status log_folder_note_extents(log_folder *self, const uint64_t batches[]);

#endif
