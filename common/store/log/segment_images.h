/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segment_images: the codec of image batches (struct segment_batch), and the calls of log_folder
 * with it, by their types. */
#ifndef COMMON_STORE_LOG_SEGMENT_IMAGES_H
#define COMMON_STORE_LOG_SEGMENT_IMAGES_H

#include "common/store/log/log_folder.h"
#include "common/store/log/segment.h"
#include "common/store/log/segment_batch.h"

extern const struct segment_codec segment_images;

/* log_folder_load of a folder with this codec. */
MUST_CHECK status segment_images_load(log_folder *folder, size_t i, segment **out,
                                      char why[LOG_FOLDER_WHY]);

#endif
