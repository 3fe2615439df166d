/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/topology/topology_block.h"

#include <stdio.h>
#include <string.h>

#include "common/topology/yaml/document_value.h"

/* Longer than any path in the tables; a longer one in a file is shown cut. */
enum { PATH_SIZE = 256 };

/* The names that may stand below prefix, as "a, b, c"; "none" if there are none. */
static void known_names(const struct key *keys, const char *prefix, size_t size, char out[])
{
    const size_t skip = strlen(prefix);
    const char *last = "";
    size_t last_length = 0;
    size_t n = 0;
    for (const struct key *key = keys; key != NULL && key->path != NULL; key++) {
        if (strncmp(key->path, prefix, skip) != 0)
            continue;
        const char *name = key->path + skip;
        const size_t length = strcspn(name, ".");
        /* The keys of one group stand together in the table. */
        if (length == last_length && strncmp(name, last, length) == 0)
            continue;
        if (n + length + 3 > size)
            break;
        n += (size_t)snprintf(out + n, size - n, "%s%.*s", n > 0 ? ", " : "", (int)length, name);
        last = name;
        last_length = length;
    }
    if (n == 0)
        snprintf(out, size, "none");
}

static bool is_group(const struct key *keys, const char *path)
{
    const size_t length = strlen(path);
    for (const struct key *key = keys; key != NULL && key->path != NULL; key++)
        if (strncmp(key->path, path, length) == 0 && key->path[length] == '.')
            return true;
    return false;
}

/* Whether node is nothing or a mapping; anything else is noted. */
static bool check_mapping(const struct block *self, struct fy_node *node, struct fy_node *where,
                          const char *path)
{
    if (node == NULL || fy_node_is_mapping(node))
        return true;
    json_t *value = document_value(self->document, node, where);
    const bool good = json_is_null(value);
    if (value != NULL && !good) {
        char found[200];
        key_describe(value, sizeof found, found);
        char name[2 * PATH_SIZE];
        snprintf(name, sizeof name, "%s%s", self->shown, path);
        if (name[0] != '\0' && name[strlen(name) - 1] == '.')
            name[strlen(name) - 1] = '\0';
        document_mistake(self->document, node, where, "%s must be a mapping, not %s",
                         name[0] != '\0' ? name : "a topology", found);
    }
    json_decref(value);
    return good;
}

static void note_misfit(const struct block *self, const struct key *key, struct fy_node *node,
                        struct fy_node *where, const json_t *value, int element)
{
    char expected[200];
    char found[200];
    key_expect(key, sizeof expected, expected);
    if (element >= 0) {
        value = json_array_get(value, (size_t)element);
        node = fy_node_sequence_get_by_index(node, element);
    }
    key_describe(value, sizeof found, found);
    document_mistake(self->document, node, where, "%s%s must be %s, not %s", self->shown, key->path,
                     expected, found);
}

/* The value in its one form if it fits, else the default. */
static json_t *read_value(const struct block *self, const struct key *key, struct fy_node *node,
                          struct fy_node *where)
{
    json_t *value = document_value(self->document, node, where);
    if (value == NULL)
        return key_default(key);
    int element;
    json_t *taken;
    if (key_fits(key, value, &element)) {
        taken = key_normal(key, value);
    } else {
        note_misfit(self, key, node, where, value, element);
        taken = key_default(key);
    }
    json_decref(value);
    return taken;
}

/* Reads one mapping (or nothing), which holds the paths below prefix, into found. */
static void read_mapping(const struct block *self, struct fy_node *mapping, const char *prefix,
                         json_t *found)
{
    if (mapping == NULL || !fy_node_is_mapping(mapping))
        return;
    void *iterator = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(mapping, &iterator)) != NULL) {
        struct fy_node *where = fy_node_pair_key(pair);
        struct fy_node *node = fy_node_pair_value(pair);
        if (where == NULL || !fy_node_is_scalar(where))
            continue; /* document_form_check has noted it */
        const char *name = document_text(where);
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "%s%s", prefix, name);
        const bool plain = strchr(name, '.') == NULL;
        const struct key *key = plain ? key_find(self->keys, path) : NULL;
        if (key != NULL) {
            json_t *value =
                key->type == KEY_BLOCK ? json_null() : read_value(self, key, node, where);
            if (json_object_set_new(found, path, value) != 0)
                document_no_memory(self->document);
        } else if (plain && is_group(self->keys, path)) {
            char below[PATH_SIZE + 1];
            snprintf(below, sizeof below, "%s.", path);
            if (check_mapping(self, node, where, path))
                read_mapping(self, node, below, found);
        } else {
            char known[PATH_SIZE];
            known_names(self->keys, prefix, sizeof known, known);
            document_mistake(self->document, where, NULL, "unknown key %s%s (known here: %s)",
                             self->shown, path, known);
        }
    }
}

/* Moves what was found into an object in table order and fills in defaults. */
static json_t *complete(const struct block *self, const json_t *found)
{
    json_t *values = json_object();
    for (const struct key *key = self->keys; key != NULL && key->path != NULL; key++) {
        json_t *value = json_object_get(found, key->path);
        value = value != NULL ? json_incref(value) : key_default(key);
        if (json_object_set_new(values, key->path, value) != 0)
            document_no_memory(self->document);
    }
    return values;
}

static void note_missing(const struct block *self, const json_t *found)
{
    for (const struct key *key = self->keys; key != NULL && key->path != NULL; key++)
        if (key->fallback == NULL && json_object_get(found, key->path) == NULL)
            document_mistake(self->document, self->node, self->where, "missing key %s%s: %s",
                             self->shown, key->path, key->help);
}

json_t *block_read(const struct block *self)
{
    json_t *found = json_object();
    if (check_mapping(self, self->node, self->where, self->prefix)) {
        read_mapping(self, self->node, self->prefix, found);
        note_missing(self, found);
    }
    json_t *values = complete(self, found);
    json_decref(found);
    if (values == NULL)
        document_no_memory(self->document);
    return values;
}
