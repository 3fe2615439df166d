/* SPDX-License-Identifier: GPL-3.0-or-later */
/* content_book: the files that runs of a state folder have read, STATE/inputs.jsonl, so that a file
 * that has not changed since is not read again to name its content. One JSON object a line,
 *   {"file": [device, inode, size, mtime, ctime], "digest": 32 hex digits, "check": 16 hex digits}
 * where check is XXH3-64 of the rest of the line; any other line is ignored. Any number
 * of runs may read and add at once. Losing the file costs only time. */
#ifndef TOOLS_CLUSTERSCAN_RUN_CONTENT_BOOK_H
#define TOOLS_CLUSTERSCAN_RUN_CONTENT_BOOK_H

#include "common/store/disk/content.h"

typedef struct content_book content_book;

/* Reads the file; an empty book if there is none. STATUS_NO_MEMORY. */
MUST_CHECK status content_book_open(content_book **out, const char *state, bool remember);
void content_book_close(content_book **self);

/* The content of a file: from the book if the file is as it was, else it is read (content_read,
 * with its errors) and noted. What was changed less than two seconds ago is not noted: on some file
 * systems another change could bear the same time. */
MUST_CHECK status content_book_find(content_book *self, const char *path, struct content *out);

#endif
