/* SPDX-License-Identifier: GPL-3.0-or-later */
/* key_entry: one key of a block of a topology file, and where it stands. */
#ifndef COMMON_TOPOLOGY_KEY_ENTRY_H
#define COMMON_TOPOLOGY_KEY_ENTRY_H

#include <libfyaml.h>

/* Key and value of one key of a stage's block; both NULL where the file does not give it. */
struct key_entry {
    struct fy_node *key;
    struct fy_node *value;
};
struct key_entry key_entry_find(struct fy_node *block, const char *name);

#endif
