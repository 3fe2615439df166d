/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mls_scorer: selections and models in, the answer out.
 *   in   model   every member of the ensemble, to the end, before any selection
 *   in   selection  of every slice
 *   out  score      maximum local significance per member and of the ensemble, per slice
 * Keeps the models, the last selection and one line per slice; writes results.h5 from the first
 * score on, and its final form at the end.
 * The functions of its table (main.c); what each may do stands in common/stage/stage.h. */
#ifndef STAGES_MLS_SCORER_MLS_SCORER_H
#define STAGES_MLS_SCORER_MLS_SCORER_H

#include "common/stage/stage.h"

MUST_CHECK status mls_scorer_create(void **out, const struct stage_setup *setup);
MUST_CHECK status mls_scorer_process(void *state, const struct stage_item *item,
                                     struct stage_outlet *outlet);
MUST_CHECK status mls_scorer_finish(void *state, size_t input, uint64_t total,
                                    struct stage_outlet *outlet);
void mls_scorer_describe(void *state, size_t size, char out[]);
void mls_scorer_destroy(void **state);

#endif
