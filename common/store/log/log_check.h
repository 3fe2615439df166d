/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_check: whether a segment of a log is what its manifest says. */
#ifndef COMMON_STORE_LOG_LOG_CHECK_H
#define COMMON_STORE_LOG_LOG_CHECK_H

#include "common/store/log/log_manifest.h"

/* Checks the file of segment i, at path: it exists, is a regular file and, unless it was verified
 * before, has the bytes that were sealed. STATUS_BAD_SHAPE, not logged: why[] tells what is
 * wrong. STATUS_BAD_INPUT, logged: something else stands there, or it may not be read. */
MUST_CHECK status log_check_file(const struct log_manifest *self, size_t i, const char *path,
                                 char why[LOG_FOLDER_WHY]);
/* Checks the content of segment i, as records and not by the bytes alone: the batches that the
 * manifest names, each without fault, with the rows it has counted. A manifest that has no tallies
 * gets the segment's. Errors likewise, or STATUS_NO_MEMORY. */
MUST_CHECK status log_check_records(struct log_manifest *self, const struct segment_codec *codec,
                                    size_t i, const void *part, char why[LOG_FOLDER_WHY]);

#endif
