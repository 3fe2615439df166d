/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segment_build: batches as the bytes of a segment (segment.h). */
#ifndef COMMON_STORE_LOG_SEGMENT_BUILD_H
#define COMMON_STORE_LOG_SEGMENT_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/store/log/segment_batch.h"

/* The file image of n batches, built in memory (core driver, no backing store). *bytes is the
 * caller's, to be given to free. STATUS_IO if HDF5 refuses (logged). */
MUST_CHECK status segment_build(size_t n, const struct segment_batch batches[], uint8_t **bytes,
                                size_t *size);

#endif
