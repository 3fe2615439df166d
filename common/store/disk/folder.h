/* SPDX-License-Identifier: GPL-3.0-or-later */
/* folder: makes folders. */
#ifndef COMMON_STORE_DISK_FOLDER_H
#define COMMON_STORE_DISK_FOLDER_H

#include "common/base/status.h"

/* Makes the folder and those above it that are missing, durable on the disk. STATUS_NO_SPACE, not
 * logged; STATUS_BAD_INPUT or STATUS_IO, logged with the folder that cannot be made. */
MUST_CHECK status folder_make(const char *path);

#endif
