/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/topology/yaml/set_option.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/topology/yaml/document_internal.h"

/* Remembers on every node below which --set made it. */
static void mark_origin(struct fy_node *node, const char *origin)
{
    if (node == NULL)
        return;
    /* The text outlives the document and is never written through. */
    (void)fy_node_set_meta(node, (void *)(uintptr_t)origin);
    void *iterator = NULL;
    if (fy_node_is_sequence(node)) {
        struct fy_node *item;
        while ((item = fy_node_sequence_iterate(node, &iterator)) != NULL)
            mark_origin(item, origin);
    } else if (fy_node_is_mapping(node)) {
        struct fy_node_pair *pair;
        while ((pair = fy_node_mapping_iterate(node, &iterator)) != NULL) {
            mark_origin(fy_node_pair_key(pair), origin);
            mark_origin(fy_node_pair_value(pair), origin);
        }
    }
}

/* Puts value under the name, in place of what was there; owns value. */
static void put(document *self, struct fy_node *mapping, const char *name, size_t length,
                struct fy_node *value, const char *origin)
{
    struct fy_node_pair *pair = fy_node_mapping_lookup_pair_by_simple_key(mapping, name, length);
    if (pair != NULL) {
        if (value == NULL || fy_node_pair_set_value(pair, value) != 0)
            self->mistakes.no_memory = true;
        return;
    }
    struct fy_node *key = fy_node_create_scalar_copy(self->yaml, name, length);
    if (key == NULL || value == NULL) {
        self->mistakes.no_memory = true;
        return;
    }
    mark_origin(key, origin);
    if (fy_node_mapping_append(mapping, key, value) != 0)
        self->mistakes.no_memory = true;
}

/* The mapping under the name, made if there is nothing; NULL and a mistake if it is no mapping. */
static struct fy_node *descend(document *self, struct fy_node *mapping, const char *name,
                               size_t length, const char *origin)
{
    struct fy_node_pair *pair = fy_node_mapping_lookup_pair_by_simple_key(mapping, name, length);
    struct fy_node *below = pair != NULL ? fy_node_pair_value(pair) : NULL;
    if (below != NULL && fy_node_is_mapping(below))
        return below;
    const bool empty = below == NULL || (fy_node_is_scalar(below) && !fy_node_is_alias(below) &&
                                         fy_node_get_scalar_token(below) == NULL);
    if (!empty) {
        mistakes_note(&self->mistakes, origin, 0, 0, "'%.*s' is no mapping, so it has no keys",
                      (int)length, name);
        return NULL;
    }
    below = fy_node_create_mapping(self->yaml);
    mark_origin(below, origin);
    put(self, mapping, name, length, below, origin);
    return self->mistakes.no_memory ? NULL : below;
}

/* The value after '=', NULL and a mistake if it is no YAML. */
static struct fy_node *build_value(document *self, const char *origin, const char *text)
{
    struct fy_node *value = fy_node_build_from_string(self->yaml, text, strlen(text));
    const size_t errors = document_note_yaml_errors(self, origin);
    if (value == NULL && errors == 0)
        mistakes_note(&self->mistakes, origin, 0, 0, "no value stands after '='");
    if (value != NULL && errors > 0) {
        fy_node_free(value);
        return NULL;
    }
    mark_origin(value, origin);
    return value;
}

/* Whether the text starts with `name.name...=`, no name being empty. */
static bool has_key_path(const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL)
        return false;
    for (const char *name = text; name <= equals; name += strcspn(name, ".=") + 1)
        if (*name == '.' || *name == '=')
            return false;
    return true;
}

void set_option_apply(document *self, const char *text)
{
    struct fy_node *node = document_root(self);
    if (!has_key_path(text)) {
        mistakes_note(&self->mistakes, text, 0, 0, "must be key.path=value");
        return;
    }
    if (!document_is_text(strlen(text), text)) {
        mistakes_note(&self->mistakes, text, 0, 0, "is not UTF-8, or holds control characters");
        return;
    }
    if (node == NULL || !fy_node_is_mapping(node))
        return; /* the mistake is the file's */
    const char *name = text;
    size_t length = strcspn(name, ".=");
    for (; name[length] == '.'; length = strcspn(name, ".=")) {
        node = descend(self, node, name, length, text);
        if (node == NULL)
            return;
        name += length + 1;
    }
    struct fy_node *value = build_value(self, text, name + length + 1);
    if (value != NULL)
        put(self, node, name, length, value, text);
}
