/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/topology/yaml/document_form.h"

#include <string.h>

#include "common/topology/yaml/document_internal.h"

static void check_node(document *self, struct fy_node *node, struct fy_node *where, int depth);

static void check_scalar(document *self, struct fy_node *node, struct fy_node *where)
{
    size_t length = 0;
    const char *text = fy_node_get_scalar(node, &length);
    if (fy_node_is_alias(node))
        document_mistake(self, node, where,
                         "aliases are not understood; put a text that starts with * in quotes");
    else if (text != NULL && memchr(text, '\0', length) != NULL)
        document_mistake(self, node, where, "a text must not hold a zero byte");
}

static void check_mapping(document *self, struct fy_node *node, int depth)
{
    json_t *seen = json_object();
    void *iterator = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(node, &iterator)) != NULL) {
        struct fy_node *key = fy_node_pair_key(pair);
        if (key != NULL && json_object_get(seen, document_text(key)) != NULL)
            document_mistake(self, key, NULL, "the key %s stands here twice", document_text(key));
        else if (json_object_set_new(seen, document_text(key), json_null()) != 0)
            document_no_memory(self);
        if (key == NULL || !fy_node_is_scalar(key) || fy_node_get_scalar_token(key) == NULL)
            document_mistake(self, key, NULL, "a key must be a text");
        else
            check_node(self, key, key, depth);
        check_node(self, fy_node_pair_value(pair), key, depth);
    }
    json_decref(seen);
}

static void check_node(document *self, struct fy_node *node, struct fy_node *where, int depth)
{
    if (node == NULL)
        return;
    if (fy_node_get_anchor(node) != NULL)
        document_mistake(self, node, where,
                         "anchors are not understood; put a text that starts with & in quotes");
    if (fy_node_get_tag_token(node) != NULL)
        document_mistake(self, node, where,
                         "tags are not understood; put a text that starts with ! in quotes");
    if (fy_node_is_scalar(node)) {
        check_scalar(self, node, where);
        return;
    }
    if (depth == DOCUMENT_DEPTH_MAX) {
        document_mistake(self, node, where, "nested more than %d deep", DOCUMENT_DEPTH_MAX);
        return;
    }
    if (fy_node_is_mapping(node)) {
        check_mapping(self, node, depth + 1);
        return;
    }
    void *iterator = NULL;
    struct fy_node *item;
    while ((item = fy_node_sequence_iterate(node, &iterator)) != NULL)
        check_node(self, item, where, depth + 1);
}

void document_form_check(document *self)
{
    check_node(self, document_root(self), NULL, 0);
}
