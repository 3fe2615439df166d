/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json_lines: a file of JSON objects, one a line, that only grows.
 * Each line ends with "digest": the BLAKE2b-128 of the digest of the line before it and of its own
 * text up to there. So no line can be changed, lost from the middle or put elsewhere unseen, and a
 * line costs the same to write however long the file is. A line that a crash has torn is the last
 * and has no end; it was never acknowledged. */
#ifndef COMMON_STORE_DISK_JSON_LINES_H
#define COMMON_STORE_DISK_JSON_LINES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

typedef struct json_lines json_lines;

/* What stands behind the good lines. */
enum json_lines_rest { JSON_LINES_NOTHING, JSON_LINES_TORN, JSON_LINES_DAMAGED };

/* Opens path, to append too (made if it is not there) or only to read (STATUS_END if it is not
 * there). STATUS_BAD_INPUT, logged, if it is no regular file or may not be opened; STATUS_NO_SPACE,
 * not logged. */
MUST_CHECK status json_lines_open(json_lines **out, const char *path, bool append);
void json_lines_close(json_lines **self);

/* The next good line: *object is the caller's, without the digest; NULL behind the last. */
MUST_CHECK status json_lines_next(json_lines *self, json_t **object);
/* The line taken last is not what it must be: it and all behind it are no good lines. */
void json_lines_reject(json_lines *self);
/* Once json_lines_next has given NULL, or after json_lines_reject. */
enum json_lines_rest json_lines_rest(const json_lines *self);
/* Good lines, and lines behind them, whole or not. */
size_t json_lines_good(const json_lines *self);
size_t json_lines_lost(const json_lines *self);

/* Cuts off what stands behind the good lines; if that is more than a torn line, the whole file is
 * copied to PATH.damaged (or .damaged.1, ...) first, whose name goes to copy[4096]. Logged save
 * STATUS_NO_SPACE. */
MUST_CHECK status json_lines_cut(json_lines *self, char copy[4096]);
/* Appends a line with this content (borrowed) behind the good ones and makes it durable. On an
 * error the file is as it was, or will be before the next line is written. Logged save
 * STATUS_NO_SPACE. */
MUST_CHECK status json_lines_append(json_lines *self, const json_t *object);

#endif
