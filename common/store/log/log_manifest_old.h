/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_manifest_old: the manifest of a log that an earlier version has written. */
#ifndef COMMON_STORE_LOG_LOG_MANIFEST_OLD_H
#define COMMON_STORE_LOG_LOG_MANIFEST_OLD_H

#include <stddef.h>

#include "common/base/status.h"
#include "common/store/log/log_manifest.h"

/* Reads the text [size] of a manifest.json, as it was written before there were lines, into an
 * initialised, empty manifest. STATUS_BAD_INPUT (logged with path) if the text is damaged, or of
 * another log or another number of sources. */
MUST_CHECK status log_manifest_old_parse(struct log_manifest *self, const char *path, size_t size,
                                         const char text[]);

#endif
