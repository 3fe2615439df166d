/* SPDX-License-Identifier: GPL-3.0-or-later */
/* map: a C struct as the msgpack map its schema describes, and back. */
#ifndef COMMON_WIRE_MAP_H
#define COMMON_WIRE_MAP_H

#include <msgpack.h>

#include "common/base/status.h"
#include "common/wire/schema.h"

/* Most bytes of the struct `record` as a map. */
size_t map_bound(const struct wire_schema *schema, const void *record);
/* Appends the struct `record` as a map. */
void map_pack(msgpack_packer *to, const struct wire_schema *schema, const void *record);

/* Memory for arrays that are not aligned where they arrived. */
struct map_shelf {
    uint8_t *data;
    size_t size; /* room; what is needed is at most the message plus 16 bytes per field */
    size_t used;
};

/* Fills the struct `record` from a map with exactly the schema's fields in its order. Arrays point
 * into the map's bytes, or to a copy on the shelf where they lie unaligned. Returns NULL, or why
 * the map was refused: a text in reason[size]. */
const char *map_unpack(const msgpack_object *map, const struct wire_schema *schema, void *record,
                       struct map_shelf *shelf, size_t size, char reason[]);

#endif
