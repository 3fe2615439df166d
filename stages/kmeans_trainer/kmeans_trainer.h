/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kmeans_trainer: sparse images of the training window in, trained models out.
 *   in   image_batch  events with m_jj in analysis.training.window, in the order of the
 *                     log, or of all logs together
 *   out  model        one per member of the ensemble; replica r of R trains those with
 *                     member mod R = r
 * Trains as many members at once as the process may use cores; emits them in order. Keeps the
 * training set in memory; nothing that cannot be pulled and trained again.
 * The functions of its table (main.c); what each may do stands in common/stage/stage.h. */
#ifndef STAGES_KMEANS_TRAINER_KMEANS_TRAINER_H
#define STAGES_KMEANS_TRAINER_KMEANS_TRAINER_H

#include "common/stage/stage.h"

MUST_CHECK status kmeans_trainer_create(void **out, const struct stage_setup *setup);
void kmeans_trainer_filter(void *state, size_t input, struct feed_filter *filter);
MUST_CHECK status kmeans_trainer_process(void *state, const struct stage_item *item,
                                         struct stage_outlet *outlet);
MUST_CHECK status kmeans_trainer_finish(void *state, size_t input, uint64_t total,
                                        struct stage_outlet *outlet);
MUST_CHECK status kmeans_trainer_work(void *state, struct stage_outlet *outlet, bool *more);
void kmeans_trainer_destroy(void **state);
void kmeans_trainer_describe(void *state, size_t size, char out[]);

#endif
