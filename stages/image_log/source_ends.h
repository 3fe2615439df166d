/* SPDX-License-Identifier: GPL-3.0-or-later */
/* source_ends: where each source ends, as far as that is known without its reader. Over tcp without
 * keys any process may claim to be the reader. */
#ifndef STAGES_IMAGE_LOG_SOURCE_ENDS_H
#define STAGES_IMAGE_LOG_SOURCE_ENDS_H

#include <stdbool.h>

#include "common/stage/stage.h"

typedef struct source_ends source_ends;

/* From setup->extents, which lists for each source [batches, rows], "journal" (its reader notes in
 * STATE/LOG_ID what it takes and when that has ended) or null (nothing is known). Borrows setup's
 * texts. */
MUST_CHECK status source_ends_create(source_ends **out, const struct stage_setup *setup);
void source_ends_destroy(source_ends **self);
/* Whether a source can end there. An impossible end is logged; the same end is refused again
 * without reading. */
bool source_ends_fit(source_ends *self, uint32_t source, uint64_t batches, uint64_t rows);

#endif
