/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image_log: image batches in, in any order and maybe twice; the same batches out, each once, in
 * the log's order, from disk.
 *   in   image_batch  named by (source, seq); none in a replay
 *   out  image_batch  at their places: ordered by (seq, source), a source that has ended being
 *                     skipped; or (settings.order) each source evenly over the whole log
 * Keeps sealed segments in STATE/LOG_ID, and in memory the batches that wait for their turn. A
 * segment found missing or damaged when it is wanted is given up with all after it, and read again
 * from the sources. A replay reads a log that is complete, and changes nothing in its folder.
 * The functions of its table (main.c); what each may do stands in common/stage/stage.h. */
#ifndef STAGES_IMAGE_LOG_IMAGE_LOG_H
#define STAGES_IMAGE_LOG_IMAGE_LOG_H

#include "common/stage/stage.h"

MUST_CHECK status image_log_create(void **out, const struct stage_setup *setup);
const char *image_log_fault(void *state, const struct stage_item *item,
                            const struct stage_rows *rows);
MUST_CHECK status image_log_process(void *state, const struct stage_item *item);
MUST_CHECK status image_log_give_up(void *state, uint32_t source, uint64_t seq,
                                    const struct stage_rows *rows);
void image_log_source_end(void *state, uint32_t source, uint64_t batches, uint64_t rows);
void image_log_state(void *state, uint32_t source, struct control_durable *out);
MUST_CHECK status image_log_seal(void *state, bool all, uint64_t *sealed, bool *room);
bool image_log_complete(void *state);
void image_log_tally(void *state, struct tally *out);
MUST_CHECK status image_log_item(void *state, uint64_t place, const double mass[2],
                                 union record *out, uint32_t *source);
void image_log_describe(void *state, size_t size, char out[]);
void image_log_destroy(void **state);

#endif
