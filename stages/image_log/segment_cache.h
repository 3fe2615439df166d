/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segment_cache: reads batches back from the sealed segments; the segments read last stay in
 * memory. */
#ifndef STAGES_IMAGE_LOG_SEGMENT_CACHE_H
#define STAGES_IMAGE_LOG_SEGMENT_CACHE_H

#include "common/store/log/log_folder.h"
#include "common/store/log/segment_images.h"

typedef struct segment_cache segment_cache;

/* Borrows the folder. */
MUST_CHECK status segment_cache_create(segment_cache **out, log_folder *folder);
void segment_cache_destroy(segment_cache **self);

/* The batch at a place that is sealed; borrowed until the next call. STATUS_BAD_SHAPE, not logged,
 * if its segment is missing or damaged: see segment_cache_fault. Other errors as log_folder_load.
 */
MUST_CHECK status segment_cache_get(segment_cache *self, uint64_t place, struct segment_batch *out);
/* Its source, and its images of the events with mass[0] <= m_jj < mass[1]. */
MUST_CHECK status segment_cache_get_filtered(segment_cache *self, uint64_t place,
                                             const double mass[2], struct image_batch *out,
                                             uint32_t *source);
/* The segment that was damaged last, and how. */
size_t segment_cache_fault(const segment_cache *self, const char **why);
/* Segments `first` and later are no more what they were. */
void segment_cache_forget(segment_cache *self, size_t first);

#endif
