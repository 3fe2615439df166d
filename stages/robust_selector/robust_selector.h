/* SPDX-License-Identifier: GPL-3.0-or-later */
/* robust_selector: cluster spectra in, signal-rich clusters out.
 *   in   spectra    the counts of every accumulator up to slice s
 *   out  selection  standardised spectra, labels, rich and depleted spectra, expected background
 * Keeps the sums of the slices that some accumulator has still to send.
 * The functions of its table (main.c); what each may do stands in common/stage/stage.h. */
#ifndef STAGES_ROBUST_SELECTOR_ROBUST_SELECTOR_H
#define STAGES_ROBUST_SELECTOR_ROBUST_SELECTOR_H

#include "common/stage/stage.h"

MUST_CHECK status robust_selector_create(void **out, const struct stage_setup *setup);
MUST_CHECK status robust_selector_process(void *state, const struct stage_item *item,
                                          struct stage_outlet *outlet);
MUST_CHECK status robust_selector_finish(void *state, size_t input, uint64_t total,
                                         struct stage_outlet *outlet);
void robust_selector_destroy(void **state);

#endif
