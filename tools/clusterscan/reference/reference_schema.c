/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reference_schema: the schema table as a JSON Schema, so that editors check topology files while
 * they are typed. It accepts every topology that `clusterscan validate` accepts; what no JSON
 * Schema can say (edges, circles, windows that do not overlap) only validate knows. */
#include "tools/clusterscan/reference/reference_schema.h"

#include "common/topology/schema/schema.h"
#include "tools/clusterscan/reference/reference_pages.h"

#include <string.h>

#define DRAFT "http://json-schema.org/draft-07/schema#"
/* As topology.c has it. */
#define STAGE_NAME "^[a-z][a-z0-9_-]{0,31}$"
#define PRINTABLE  "^[^\\u0000-\\u001f\\u007f]*$"

/* An integer where it is one: editors show 1, not 1.0. */
static json_t *number(double value)
{
    const json_int_t whole = (json_int_t)value;
    return (double)whole == value ? json_integer(whole) : json_real(value);
}

static json_t *number_schema(const struct key *key, const char *type)
{
    json_t *schema = json_pack("{s:s}", "type", type);
    if (key->min == key->max) {
        json_object_set_new(schema, "const", number(key->min));
        return schema;
    }
    json_object_set_new(schema, key->above_min ? "exclusiveMinimum" : "minimum", number(key->min));
    json_object_set_new(schema, "maximum", number(key->max));
    return schema;
}

/* JSON Schema counts characters and we bytes: at least as many. */
static json_t *text_schema(const struct key *key)
{
    return json_pack("{s:s, s:o, s:o, s:s}", "type", "string", "minLength", number(key->min),
                     "maxLength", number(key->max), "pattern", PRINTABLE);
}

static json_t *choice_schema(const struct key *key)
{
    json_t *choices = json_array();
    for (const char *c = key->choices; c != NULL; c = strchr(c, '|')) {
        c += *c == '|';
        json_array_append_new(choices, json_stringn(c, strcspn(c, "|")));
    }
    return json_pack("{s:o}", "enum", choices);
}

static json_t *pair_schema(const struct key *key, const char *type)
{
    return json_pack("{s:s, s:o, s:i, s:i}", "type", "array", "items", number_schema(key, type),
                     "minItems", 2, "maxItems", 2);
}

static json_t *texts_schema(const struct key *key)
{
    return json_pack("{s:[o, {s:s, s:o, s:i}]}", "anyOf", text_schema(key), "type", "array",
                     "items", text_schema(key), "minItems", 1);
}

static json_t *value_schema(const struct key *key)
{
    switch (key->type) {
    case KEY_INTEGER:
        return number_schema(key, "integer");
    case KEY_NUMBER:
        return number_schema(key, "number");
    case KEY_TEXT:
    case KEY_PATH:
        return text_schema(key);
    case KEY_CHOICE:
        return choice_schema(key);
    case KEY_INTERVAL:
        return pair_schema(key, "number");
    case KEY_ROWS:
        return pair_schema(key, "integer");
    case KEY_LABELS:
        return json_pack("{s:[o, {s:s, s:o, s:i}]}", "anyOf", number_schema(key, "integer"), "type",
                         "array", "items", number_schema(key, "integer"), "minItems", 1);
    case KEY_TEXTS:
    case KEY_WORDS:
        return texts_schema(key);
    case KEY_BOOLEAN:
        return json_pack("{s:s}", "type", "boolean");
    case KEY_BLOCK:
        break;
    }
    return json_pack("{s:[s, s]}", "type", "object", "null");
}

static bool may_be_absent(const struct key *key)
{
    return key->fallback != NULL && strcmp(key->fallback, "null") == 0;
}

static void describe(json_t *schema, const struct key *key)
{
    char text[256];
    const bool unit = key->unit != NULL && key->unit[0] != '\0';
    snprintf(text, sizeof text, "%s%s%s%s", key->help, unit ? " (" : "", unit ? key->unit : "",
             unit ? ")" : "");
    json_object_set_new(schema, "description", json_string(text));
    if (key->fallback != NULL && !may_be_absent(key))
        json_object_set_new(schema, "default", key_default(key));
}

static json_t *key_schema(const struct key *key)
{
    json_t *schema = value_schema(key);
    if (may_be_absent(key) && key->type != KEY_BLOCK)
        schema = json_pack("{s:[o, {s:s}]}", "anyOf", schema, "type", "null");
    describe(schema, key);
    return schema;
}

/* A mapping without any key yet, which knows no others; an empty value stands for it. */
static json_t *mapping(void)
{
    return json_pack("{s:[s, s], s:{}, s:b}", "type", "object", "null", "properties",
                     "additionalProperties", 0);
}

/* A key that must be given makes its mapping one that must be, and not be empty. */
static void require(json_t *schema, const char *name)
{
    json_t *required = json_object_get(schema, "required");
    if (required == NULL) {
        required = json_array();
        json_object_set_new(schema, "required", required);
    }
    json_array_append_new(required, json_string(name));
    json_object_set_new(schema, "type", json_string("object"));
}

/* The mapping in which a path lies, made where it is missing; *name: its last part. */
static json_t *mapping_of(json_t *schema, const char *path, const char **name)
{
    const char *dot;
    for (*name = path; (dot = strchr(*name, '.')) != NULL; *name = dot + 1) {
        char group[64];
        snprintf(group, sizeof group, "%.*s", (int)(dot - *name), *name);
        json_t *properties = json_object_get(schema, "properties");
        if (json_object_get(properties, group) == NULL)
            json_object_set_new(properties, group, mapping());
        schema = json_object_get(properties, group);
    }
    return schema;
}

/* Adds a table of keys, without the prefix that all of its paths share. */
static void add_keys(json_t *schema, const struct key *keys, const char *prefix)
{
    for (const struct key *key = keys; key != NULL && key->path != NULL; key++) {
        const char *name;
        json_t *parent = mapping_of(schema, key->path + strlen(prefix), &name);
        json_object_set_new(json_object_get(parent, "properties"), name, key_schema(key));
        if (key->fallback == NULL)
            require(parent, name);
    }
}

/* What `run: KIND` asks of the other keys of a stage. */
static json_t *kind_rule(const struct stage_kind *kind)
{
    json_t *settings = mapping();
    add_keys(settings, kind->settings, "");
    json_t *then = json_pack("{s:{s:o}}", "properties", "settings", settings);
    if (json_object_get(settings, "required") != NULL)
        json_object_set_new(then, "required", json_pack("[s]", "settings"));
    if (kind->inputs[0] != MESSAGE_NONE && kind->role != ROLE_LOG) /* a log without is a replay */
        json_object_set_new(then, "required", json_pack("[s]", "from"));
    if (kind->single_copy)
        json_object_set_new(json_object_get(then, "properties"), "replicas",
                            json_pack("{s:i}", "const", 1));
    return json_pack("{s:{s:{s:{s:s}}, s:[s]}, s:o}", "if", "properties", "run", "const",
                     kind->name, "required", "run", "then", then);
}

static json_t *stage_schema(void)
{
    json_t *schema = mapping();
    json_t *rules = json_array();
    add_keys(schema, schema_stage, "");
    for (const struct stage_kind *kind = schema_stages; kind->name != NULL; kind++)
        json_array_append_new(rules, kind_rule(kind));
    json_object_set_new(schema, "allOf", rules);
    return schema;
}

/* The programs we have, offered beside "any command". */
static void suggest_programs(json_t *stage)
{
    json_t *names = json_array();
    for (const struct stage_kind *kind = schema_stages; kind->name != NULL; kind++)
        json_array_append_new(names, json_string(kind->name));
    json_object_set_new(json_object_get(json_object_get(stage, "properties"), "run"), "examples",
                        names);
}

json_t *reference_schema(void)
{
    json_t *schema = json_pack("{s:s, s:s, s:s}", "$schema", DRAFT, "title", "clusterscan topology",
                               "description",
                               "Which stages run, what flows between them, and the physics they "
                               "share. Made by `clusterscan reference schema`.");
    json_t *body = mapping();
    json_t *stage = stage_schema();
    suggest_programs(stage);
    add_keys(body, schema_top, "");
    json_t *properties = json_object_get(body, "properties");
    json_t *analysis = mapping();
    add_keys(analysis, schema_analysis, "analysis.");
    json_object_update_missing(analysis, json_object_get(properties, "analysis"));
    json_object_set_new(properties, "analysis", analysis);
    json_object_set_new(properties, "stages",
                        json_pack("{s:s, s:s, s:i, s:i, s:{s:s}, s:o}", "description",
                                  "what runs, by name, and what flows between", "type", "object",
                                  "minProperties", 1, "maxProperties", TOPOLOGY_STAGES_MAX,
                                  "propertyNames", "pattern", STAGE_NAME, "additionalProperties",
                                  stage));
    json_object_update(schema, body);
    json_decref(body);
    return schema;
}
