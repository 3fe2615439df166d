/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shelf: reads batches back from the sealed segments; the segments read last stay in memory. */
#ifndef STAGES_IMAGE_LOG_SHELF_H
#define STAGES_IMAGE_LOG_SHELF_H

#include "common/store/log_folder.h"

typedef struct shelf shelf;

/* Borrows the folder. */
MUST_CHECK status shelf_create(shelf **out, log_folder *folder);
void shelf_destroy(shelf **self);

/* The batch at a place that is sealed; borrowed until the next call. STATUS_BAD_SHAPE, not logged,
 * if its segment is missing or damaged: shelf_fault tells. Other errors as log_folder_load. */
MUST_CHECK status shelf_get(shelf *self, uint64_t place, struct segment_batch *out);
/* Its source, and its images of the events with mass[0] <= m_jj < mass[1]. */
MUST_CHECK status shelf_get_filtered(shelf *self, uint64_t place, const double mass[2],
                                     struct image_batch *out, uint32_t *source);
/* The segment that was damaged last, and how. */
size_t shelf_fault(const shelf *self, const char **why);
/* Segments `first` and later are no more what they were. */
void shelf_forget(shelf *self, size_t first);

#endif
