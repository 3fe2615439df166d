/* SPDX-License-Identifier: GPL-3.0-or-later */
/* document: a topology file as a YAML tree, and the mistakes found in it.
 * Mistakes are collected, so that one look shows them all, and written in the order of the file:
 *   lhco.yaml:6:22: error: analysis.stream.batch must be an integer from 1 to 100000 (rows), not 0
 *     stream: {batch: 0}
 *                     ^
 *   --set name=7: error: name must be a text ..., not 7
 * The YAML understood is plain data: no anchors, aliases or tags, one document, keys are texts,
 * nested at most DOCUMENT_DEPTH_MAX deep, at most DOCUMENT_BYTES_MAX long. */
#ifndef COMMON_TOPOLOGY_YAML_DOCUMENT_H
#define COMMON_TOPOLOGY_YAML_DOCUMENT_H

#include <jansson.h>
#include <libfyaml.h>
#include <stddef.h>

#include "common/base/status.h"

enum { DOCUMENT_DEPTH_MAX = 16, DOCUMENT_BYTES_MAX = 1 << 20 };

struct document;
typedef struct document document;

/* Reads and parses a file. A file that cannot be read is STATUS_BAD_INPUT and one log line. On
 * STATUS_OK *out is the caller's; if the text is no YAML, document_root is NULL and that is a
 * mistake already noted. */
MUST_CHECK status document_open(document **out, const char *path);
/* The same for a text (copied) that messages call by name, borrowed until document_close. */
MUST_CHECK status document_of_text(document **out, const char *name, const char *text);
void document_close(document **self);

/* Borrowed; NULL if there is nothing. */
struct fy_node *document_root(const document *self);
/* Notes a mistake at node, or at where (its key) if node has no position of its own; both may
 * be NULL: the start of the file. */
void document_mistake(document *self, struct fy_node *node, struct fy_node *where,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Notes that an allocation of the caller failed. */
void document_no_memory(document *self);
/* How many mistakes so far. */
size_t document_mistakes(const document *self);
/* Writes the mistakes to standard error. STATUS_OK if there are none, STATUS_BAD_INPUT, or
 * STATUS_NO_MEMORY. */
MUST_CHECK status document_report(document *self);

/* Line of a key in the file, from 1; 0 if --set made it. */
int document_line(struct fy_node *key);
/* Text of a scalar, borrowed from the node; "" if it has none. */
const char *document_text(struct fy_node *scalar);

#endif
