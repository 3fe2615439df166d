/* SPDX-License-Identifier: GPL-3.0-or-later */
/* slice_sum: adds up, slice by slice, what the copies of spectrum_accumulator have counted: what
 * every selector does before it looks at a spectrum. */
#ifndef COMMON_STAGE_SLICE_SUM_H
#define COMMON_STAGE_SLICE_SUM_H

#include "common/records/spectra_record.h"
#include "common/stage/stage.h"

typedef struct slice_sum slice_sum;

/* Of all copies of all inputs in `setup`, which send spectra of the shape of its analysis.
 * STATUS_NO_MEMORY. */
MUST_CHECK status slice_sum_create(slice_sum **out, const struct stage_setup *setup);
/* Frees *self and sets it to NULL; does nothing if it is NULL already. */
void slice_sum_destroy(slice_sum **self);

/* Adds what one copy sends, borrowed. *complete is the sum of the next slice when the last copy of
 * it has come, borrowed until the next call, else NULL: slices become complete in order, as every
 * copy sends them in order. STATUS_BAD_INPUT (logged) if the spectra do not fit the analysis or are
 * of a slice that cannot be next; STATUS_NO_MEMORY. */
MUST_CHECK status slice_sum_add(slice_sum *self, const struct spectra_record *spectra,
                                const struct spectra_record **complete);
/* For the end of an input of `total` slices: STATUS_BAD_INPUT (logged) unless all are complete. */
MUST_CHECK status slice_sum_finish(const slice_sum *self, uint64_t total);

#endif
