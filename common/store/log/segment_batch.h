/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segment_batch: an image batch and its name, as segments hold them. */
#ifndef COMMON_STORE_LOG_SEGMENT_BATCH_H
#define COMMON_STORE_LOG_SEGMENT_BATCH_H

#include <stdint.h>

#include "common/records/image_batch.h"

/* One batch and its name. */
struct segment_batch {
    uint32_t source;
    uint64_t seq;
    struct image_batch images;
};

#endif
