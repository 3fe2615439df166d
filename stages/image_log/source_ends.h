/* SPDX-License-Identifier: GPL-3.0-or-later */
/* source_ends: where each source ends, as far as that can be known without asking its reader. Over
 * tcp without keys anybody may say that he is the reader. */
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
/* Whether a source can end there. What cannot be is logged, and asked again without reading
 * anything. */
bool source_ends_fit(source_ends *self, uint32_t source, uint64_t batches, uint64_t rows);

#endif
