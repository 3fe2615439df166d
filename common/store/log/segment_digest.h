/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segment_digest: what the batches of a segment say, in 16 bytes. */
#ifndef COMMON_STORE_LOG_SEGMENT_DIGEST_H
#define COMMON_STORE_LOG_SEGMENT_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/store/log/segment_batch.h"

/* XXH3-128 of everything that n batches say: names, counts and columns. What was sealed and what is
 * read back have the same, whatever HDF5 made of the file between. STATUS_NO_MEMORY. */
MUST_CHECK status segment_digest(size_t n, const struct segment_batch batches[], uint8_t out[16]);

#endif
