/* SPDX-License-Identifier: GPL-3.0-or-later */
/* journal: the files of a followed folder that were accepted, in order, and those that were
 * refused: STATE/LOG_ID/files-SOURCE.jsonl, one JSON object a line. A line is on the disk before
 * anything that follows from it is handed out, so a reader that starts again gives the same
 * batches:
 *   {"file": NAME, "events": N, "identity": [DEVICE, INODE, SIZE, MTIME, CTIME],
 *    "digest": 32 hex digits}
 *   {"refused": NAME, "because": TEXT}
 *   {"quarantined": FILE, "first_row": N, "rows": N, "because": TEXT}      of any reader
 *   {"end": true}
 * NAME and FILE as file_name_to_text gives them. */
#ifndef STAGES_EVENT_READER_JOURNAL_H
#define STAGES_EVENT_READER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/store/disk/content.h"

/* An accepted file. */
struct journal_file {
    char *name;
    uint64_t events;
    struct content content; /* when it was accepted */
};

typedef struct journal journal;

/* Reads the journal. A last line without its end was never acted upon and is cut off.
 * STATUS_BAD_INPUT, logged with file and line, for anything else that is no line of a journal, or
 * if it is no regular file; STATUS_NO_SPACE, not logged;
 * STATUS_LOCKED while another reader has it. */
MUST_CHECK status journal_open(journal **out, const char *folder, uint32_t source);
void journal_close(journal **self);

const char *journal_path(const journal *self);
/* Files accepted so far, in order. */
size_t journal_n_files(const journal *self);
const struct journal_file *journal_file(const journal *self, size_t i);
/* How many were refused. */
size_t journal_n_refused(const journal *self);
/* True if a file of that name was accepted or refused. */
bool journal_knows(const journal *self, const char *name);
/* The name that sorts last of all that were accepted or refused; NULL: none. */
const char *journal_last_name(const journal *self);
/* True once the end has been noted. */
bool journal_ended(const journal *self);

/* Each returns STATUS_OK when the line is on the disk; STATUS_NO_SPACE, not logged, when there is
 * no room for it: nothing has changed then. */
MUST_CHECK status journal_take(journal *self, const struct journal_file *file);
MUST_CHECK status journal_refuse(journal *self, const char *name, const char *because);
MUST_CHECK status journal_end(journal *self);
/* Rows of a file that are not counted; any number of times for the same ones. */
MUST_CHECK status journal_quarantine(journal *self, const char *file, uint64_t first_row,
                                     uint64_t rows, const char *because);

#endif
