/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/topology/key_entry.h"

#include <string.h>

#include "common/topology/yaml/document.h"

struct key_entry key_entry_find(struct fy_node *block, const char *name)
{
    struct fy_node_pair *pair =
        block != NULL && fy_node_is_mapping(block)
            ? fy_node_mapping_lookup_pair_by_simple_key(block, name, strlen(name))
            : NULL;
    if (pair == NULL)
        return (struct key_entry){NULL, NULL};
    return (struct key_entry){fy_node_pair_key(pair), fy_node_pair_value(pair)};
}
