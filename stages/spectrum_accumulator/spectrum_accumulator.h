/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spectrum_accumulator: images and models in, jets per cluster and mass bin out.
 *   in   model        every member of the ensemble, to the end, before any image
 *   in   image_batch  events inside the spectrum; replica i of M takes of every log the items with
 *                     index mod M = i. Several logs have one order, and a place is one in it
 *   out  spectra      its counts up to slice s, for every slice
 * Keeps the counts; they can be counted again from the log.
 * The functions of its table (main.c); what each may do stands in common/stage/stage.h. */
#ifndef STAGES_SPECTRUM_ACCUMULATOR_SPECTRUM_ACCUMULATOR_H
#define STAGES_SPECTRUM_ACCUMULATOR_SPECTRUM_ACCUMULATOR_H

#include "common/stage/stage.h"

MUST_CHECK status spectrum_accumulator_create(void **out, const struct stage_setup *setup);
void spectrum_accumulator_filter(void *state, size_t input, struct feed_filter *filter);
MUST_CHECK status spectrum_accumulator_process(void *state, const struct stage_item *item,
                                               struct stage_outlet *outlet);
MUST_CHECK status spectrum_accumulator_finish(void *state, size_t input, uint64_t total,
                                              struct stage_outlet *outlet);
void spectrum_accumulator_destroy(void **state);

#endif
