/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/topology/schema/analysis.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/topology/schema/schema.h"
#include "common/topology/yaml/document.h"
#include "common/topology/yaml/document_form.h"
#include "common/topology/yaml/document_value.h"

enum { NAME_SIZE = 64 };

/* The middle of "analysis.GROUP.key", written to group, and the key behind it. */
static const char *split_path(const char *path, char group[NAME_SIZE])
{
    const char *start = strchr(path, '.') + 1;
    const char *dot = strchr(start, '.');
    assert(dot - start < NAME_SIZE);
    snprintf(group, NAME_SIZE, "%.*s", (int)(dot - start), start);
    return dot + 1;
}

json_t *analysis_to_json(const struct analysis *self)
{
    json_t *block = json_object();
    for (const struct key *key = schema_analysis; key->path != NULL; key++) {
        char group[NAME_SIZE];
        const char *name = split_path(key->path, group);
        if (json_object_get(block, group) == NULL &&
            json_object_set_new(block, group, json_object()) != 0)
            goto fail;
        json_t *value = key_fetch(key, self);
        if (json_object_set_new(json_object_get(block, group), name, value) != 0)
            goto fail;
    }
    return block;
fail:
    json_decref(block);
    return NULL;
}

/* Whether `path` names a group, such as "analysis.stream", or a key. */
static bool is_known(const char *path)
{
    const size_t length = strlen(path);
    for (const struct key *key = schema_analysis; key->path != NULL; key++)
        if (strncmp(key->path, path, length) == 0 &&
            (key->path[length] == '\0' || key->path[length] == '.'))
            return true;
    return false;
}

/* Logs every key of the block the table does not have, and returns whether there is none. */
static bool has_only_known_keys(json_t *block)
{
    bool good = true;
    const char *group_name;
    json_t *group;
    json_object_foreach(block, group_name, group)
    {
        char path[200];
        snprintf(path, sizeof path, "analysis.%s", group_name);
        if (strchr(group_name, '.') != NULL || !is_known(path)) {
            log_error("unknown key %s", path);
            good = false;
            continue;
        }
        const char *name;
        json_t *value;
        json_object_foreach(group, name, value)
        {
            snprintf(path, sizeof path, "analysis.%s.%s", group_name, name);
            if (key_find(schema_analysis, path) == NULL) {
                log_error("unknown key %s", path);
                good = false;
            }
        }
    }
    return good;
}

/* Stores the key's value from the block; logs and returns false if it is missing or wrong. */
static bool take_key(struct analysis *out, const struct key *key, const json_t *block)
{
    char group[NAME_SIZE];
    const char *name = split_path(key->path, group);
    const json_t *value = json_object_get(json_object_get(block, group), name);
    if (value == NULL) {
        log_error("%s is missing", key->path);
        return false;
    }
    int element;
    if (!key_fits(key, value, &element)) {
        char expected[200];
        char found[200];
        key_expect(key, sizeof expected, expected);
        key_describe(element < 0 ? value : json_array_get(value, (size_t)element), sizeof found,
                     found);
        log_error("%s must be %s, not %s", key->path, expected, found);
        return false;
    }
    if (key->size > 0)
        key_store(key, value, out);
    return true;
}

json_t *analysis_of_images(const struct analysis *self)
{
    json_t *all = analysis_to_json(self);
    json_t *part = json_pack("{s:{s:O}, s:O, s:O}", "stream", "batch",
                             json_object_get(json_object_get(all, "stream"), "batch"), "jets",
                             json_object_get(all, "jets"), "image", json_object_get(all, "image"));
    json_decref(all);
    return part;
}

status analysis_from_json(struct analysis *out, const json_t *block)
{
    *out = (struct analysis){0};
    if (!json_is_object(block)) {
        log_error("analysis must be a mapping");
        return STATUS_BAD_INPUT;
    }
    /* jansson iterates over a non-const object only; nothing is changed. */
    bool good = has_only_known_keys((json_t *)block);
    for (const struct key *key = schema_analysis; key->path != NULL; key++)
        good = take_key(out, key, block) && good;
    return good ? STATUS_OK : STATUS_BAD_INPUT;
}

/* A number, a word or [lo, hi] as YAML. */
static void print_value(FILE *to, const json_t *value)
{
    char text[32];
    if (json_is_string(value)) {
        fputs(json_string_value(value), to);
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            fputs(i == 0 ? "[" : ", ", to);
            print_value(to, json_array_get(value, i));
        }
        fputs("]", to);
    } else if (json_is_integer(value)) {
        fprintf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        key_number_text(json_real_value(value), sizeof text, text);
        fputs(text, to);
    }
}

char *analysis_to_yaml(const struct analysis *self)
{
    json_t *block = analysis_to_json(self);
    char *text = NULL;
    size_t size = 0;
    FILE *to = block != NULL ? open_memstream(&text, &size) : NULL;
    if (to == NULL) {
        json_decref(block);
        return NULL;
    }
    const char *group_name;
    json_t *group;
    json_object_foreach(block, group_name, group)
    {
        fprintf(to, "%s:\n", group_name);
        const char *name;
        json_t *value;
        json_object_foreach(group, name, value)
        {
            fprintf(to, "  %s: ", name);
            print_value(to, value);
            fputs("\n", to);
        }
    }
    const bool failed = ferror(to) != 0;
    json_decref(block);
    if (fclose(to) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

status analysis_block_from_yaml(json_t **out, const char *name, const char *text)
{
    *out = NULL;
    document *source;
    status done = document_of_text(&source, name, text);
    if (done != STATUS_OK)
        return done;
    document_form_check(source);
    if (document_mistakes(source) == 0)
        *out = document_value(source, document_root(source), NULL);
    done = document_report(source);
    document_close(&source);
    if (done == STATUS_OK && json_is_object(*out))
        return STATUS_OK;
    if (done == STATUS_OK)
        log_error("%s must be a mapping", name);
    json_decref(*out);
    *out = NULL;
    return STATUS_BAD_INPUT;
}
