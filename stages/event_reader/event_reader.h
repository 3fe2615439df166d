/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_reader: event files in, numbered batches of events out.
 *   in   HDF5 files of one source, in the order of settings.files, or (settings.follow) those of
 *        one folder as they come
 *   out  event_batch: batch seq is a fixed range of rows of one file
 * Keeps nothing but, of a followed folder, a journal of the files taken: a batch can be read again
 * at any time, so only its number needs to be known.
 * The functions of its table (main.c); what each may do stands in common/stage/stage.h. */
#ifndef STAGES_EVENT_READER_EVENT_READER_H
#define STAGES_EVENT_READER_EVENT_READER_H

#include "common/stage/stage.h"

MUST_CHECK status event_reader_create(void **out, const struct stage_setup *setup);
void event_reader_extent(void *state, uint64_t *batches, uint64_t *rows);
MUST_CHECK status event_reader_read(void *state, uint64_t seq, union record *out,
                                    struct stage_rows *rows);
MUST_CHECK status event_reader_grow(void *state, bool *busy, bool *ended);
size_t event_reader_wanted(void *state, struct stage_descriptor watch[], long *wait_ms);
MUST_CHECK status event_reader_quarantine(void *state, uint64_t seq, const char *because);
void event_reader_describe(void *state, size_t size, char out[]);
void event_reader_destroy(void **state);

#endif
