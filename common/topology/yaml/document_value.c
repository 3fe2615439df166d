/* SPDX-License-Identifier: GPL-3.0-or-later */
/* document_value: YAML scalars, lists and mappings as JSON. */
#include "common/topology/yaml/document_value.h"
#include "common/topology/yaml/document.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum number { NOT_A_NUMBER, INTEGER, REAL };

/* What a plain scalar is by the core schema of YAML 1.2, without hexadecimal and octal. */
static enum number number_kind(const char *text)
{
    const char *c = text + (*text == '-' || *text == '+');
    size_t digits = strspn(c, "0123456789");
    c += digits;
    enum number kind = INTEGER;
    if (*c == '.') {
        kind = REAL;
        const size_t more = strspn(++c, "0123456789");
        digits += more;
        c += more;
    }
    if (digits > 0 && (*c == 'e' || *c == 'E')) {
        kind = REAL;
        c++;
        c += *c == '-' || *c == '+';
        if (!isdigit((unsigned char)*c))
            return NOT_A_NUMBER;
        c += strspn(c, "0123456789");
    }
    return digits > 0 && *c == '\0' ? kind : NOT_A_NUMBER;
}

static json_t *number_value(document *self, struct fy_node *node, struct fy_node *where,
                            const char *text, enum number kind)
{
    errno = 0;
    if (kind == INTEGER) {
        const long long value = strtoll(text, NULL, 10);
        if (errno == 0)
            return json_integer(value);
    } else {
        const double value = strtod(text, NULL);
        if (isfinite(value))
            return json_real(value);
    }
    document_mistake(self, node, where, "%.40s is too large a number", text);
    return NULL;
}

static json_t *plain_value(document *self, struct fy_node *node, struct fy_node *where)
{
    const char *text = document_text(node);
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return json_boolean(text[0] == 't');
    if (strcmp(text, "null") == 0 || strcmp(text, "~") == 0)
        return json_null();
    const enum number kind = number_kind(text);
    return kind != NOT_A_NUMBER ? number_value(self, node, where, text, kind) : json_string(text);
}

/* NULL for an alias, which document_form_check has noted. */
static json_t *scalar_value(document *self, struct fy_node *node, struct fy_node *where)
{
    if (fy_node_is_alias(node))
        return NULL;
    if (fy_node_get_scalar_token(node) == NULL)
        return json_null();
    if (fy_node_get_style(node) == FYNS_PLAIN)
        return plain_value(self, node, where);
    return json_string(document_text(node));
}

static json_t *sequence_value(document *self, struct fy_node *node, struct fy_node *where)
{
    json_t *list = json_array();
    bool good = list != NULL;
    void *iterator = NULL;
    struct fy_node *item;
    while ((item = fy_node_sequence_iterate(node, &iterator)) != NULL) {
        json_t *value = document_value(self, item, where);
        good = value != NULL && json_array_append_new(list, value) == 0 && good;
    }
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *mapping_value(document *self, struct fy_node *node)
{
    json_t *block = json_object();
    bool good = block != NULL;
    void *iterator = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(node, &iterator)) != NULL) {
        struct fy_node *key = fy_node_pair_key(pair);
        json_t *value = document_value(self, fy_node_pair_value(pair), key);
        good = value != NULL && json_object_set_new(block, document_text(key), value) == 0 && good;
    }
    if (good)
        return block;
    json_decref(block);
    return NULL;
}

json_t *document_value(document *self, struct fy_node *node, struct fy_node *where)
{
    if (node == NULL)
        return json_null();
    if (fy_node_is_sequence(node))
        return sequence_value(self, node, where);
    if (fy_node_is_mapping(node))
        return mapping_value(self, node);
    return scalar_value(self, node, where);
}
