/* SPDX-License-Identifier: GPL-3.0-or-later */
/* topology_block: one mapping of a topology file, read against its table of keys. */
#ifndef COMMON_TOPOLOGY_TOPOLOGY_BLOCK_H
#define COMMON_TOPOLOGY_TOPOLOGY_BLOCK_H

#include "common/topology/schema/schema.h"
#include "common/topology/yaml/document.h"

/* What to read, and how to speak of it. */
struct block {
    document *document;
    const struct key *keys; /* NULL: none at all */
    const char *shown;      /* stands before the path in messages, e.g. "stages.log." */
    const char *prefix;   /* of the paths in the table that lie in this mapping, e.g. "analysis." */
    struct fy_node *node; /* the mapping; NULL or an empty value: it has no key */
    struct fy_node *where; /* its own key; NULL for the whole file */
};

/* The values as a JSON object: every key of the table by its path, in table order, defaults filled
 * in. Mistakes are noted; the default stands where a value is wrong, null where there is none.
 * KEY_BLOCK is null always: read it by itself. A new reference, NULL when out of memory (noted). */
json_t *block_read(const struct block *self);

#endif
