/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jet_image: events in, sparse images of their two leading jets out.
 *   in   event_batch  particles of n events
 *   out  image_batch  per event with two jets: dijet mass, jet variables, two sparse images; how
 *                     many of the others were dropped for which reason
 * Keeps nothing between batches, so any number of copies may share the work.
 * The functions of its table (main.c); what each may do stands in common/stage/stage.h. */
#ifndef STAGES_JET_IMAGE_JET_IMAGE_H
#define STAGES_JET_IMAGE_JET_IMAGE_H

#include "common/stage/stage.h"

MUST_CHECK status jet_image_create(void **out, const struct stage_setup *setup);
MUST_CHECK status jet_image_process(void *state, const struct stage_item *item,
                                    struct stage_outlet *outlet);
void jet_image_describe(void *state, size_t size, char out[]);
void jet_image_destroy(void **state);

#endif
