/* SPDX-License-Identifier: GPL-3.0-or-later */
/* input_notes: what the readers of a log noted of input that is not in it and, of a followed
 * folder, of what is; read from the journals
 * STATE/LOG_ID/files-SOURCE.jsonl that they keep:
 *   {"refused": FILE, "because": TEXT}                                      a whole file
 *   {"quarantined": FILE, "first_row": N, "rows": N, "because": TEXT}       rows of a file */
#ifndef COMMON_STORE_EVENTS_INPUT_NOTES_H
#define COMMON_STORE_EVENTS_INPUT_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

struct input_note {
    uint32_t source;
    char *file;
    char *reason;
    uint64_t first_row; /* within the file */
    uint64_t rows;      /* 0: the whole file was refused */
};

struct input_notes {
    size_t n;
    size_t room;
    struct input_note *note; /* by source, then in the order of the journal, each once */
};

/* Adds to *out, which may be empty, what the journals of a log's sources say, as far as they have
 * one; source s of them becomes source first + s. Lines that are no such notes are passed over.
 * STATUS_NO_MEMORY; what is in *out is to be given to input_notes_fini all the same. */
MUST_CHECK status input_notes_read(struct input_notes *out, const char *folder, uint32_t first,
                                   uint32_t sources);
/* Appends a copy. */
MUST_CHECK status input_notes_add(struct input_notes *self, const struct input_note *note);
/* How many are of rows, or of whole files. */
size_t input_notes_count(const struct input_notes *self, int of_rows);
/* What the reader of a followed folder has taken, and whether it has seen the end:
 *   {"file": FILE, "events": N, ...} and {"end": true} */
struct input_extent {
    uint64_t batches; /* of at most `batch` rows, never across files */
    uint64_t rows;
    bool ended;
};
/* STATUS_BAD_INPUT, not logged, if there is no journal; STATUS_NO_MEMORY. */
MUST_CHECK status input_extent_read(struct input_extent *out, const char *folder, uint32_t source,
                                    uint32_t batch);

/* Frees what is in *self and zeroes it. */
void input_notes_fini(struct input_notes *self);

#endif
