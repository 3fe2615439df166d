/* SPDX-License-Identifier: GPL-3.0-or-later */
/* composition_scorer: images and models in, a p-value from the data alone out.
 *   in   model        every member of the ensemble, to the end, before any image
 *   in   image_batch  events inside the spectrum, of every log
 *   out  scan         the composition scan of all events up to a slice, per slice
 * Keeps the labels of every event (two bytes per event and member) and one line per slice; makes
 * its toys piece by piece, on all cores; writes its result file from the first slice on, and its
 * final form at the end. The functions of its table (main.c); common/stage/stage.h documents their
 * slots. */
#ifndef STAGES_COMPOSITION_SCORER_COMPOSITION_SCORER_H
#define STAGES_COMPOSITION_SCORER_COMPOSITION_SCORER_H

#include "common/stage/stage.h"

MUST_CHECK status composition_scorer_create(void **out, const struct stage_setup *setup);
void composition_scorer_filter(void *state, size_t input, struct feed_filter *filter);
MUST_CHECK status composition_scorer_process(void *state, const struct stage_item *item,
                                             struct stage_outlet *outlet);
MUST_CHECK status composition_scorer_finish(void *state, size_t input, uint64_t total,
                                            struct stage_outlet *outlet);
MUST_CHECK status composition_scorer_work(void *state, struct stage_outlet *outlet, bool *more);
void composition_scorer_describe(void *state, size_t size, char out[]);
void composition_scorer_destroy(void **state);

#endif
