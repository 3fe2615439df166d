/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/topology/yaml/document.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/topology/yaml/mistakes.h"

struct document {
    const char *path;
    char *source;
    size_t length;
    struct fy_diag *diag;
    size_t diag_seen; /* errors of libfyaml already noted */
    struct fy_document *yaml;
    struct mistakes mistakes;
};

/* ---- mistakes ---- */

void document_no_memory(document *self)
{
    self->mistakes.no_memory = true;
}

size_t document_mistakes(const document *self)
{
    return self->mistakes.n;
}

/* Where a scalar starts, written to *line and *column, from 0; false if it is no scalar, or --set
 * made it. */
static bool find_position(struct fy_node *node, int *line, int *column)
{
    if (node == NULL || !fy_node_is_scalar(node) || fy_node_get_meta(node) != NULL)
        return false;
    struct fy_token *token = fy_node_get_scalar_token(node);
    const struct fy_mark *mark = token != NULL ? fy_token_start_mark(token) : NULL;
    if (mark == NULL)
        return false;
    const enum fy_node_style style = fy_node_get_style(node);
    const bool marked = style == FYNS_SINGLE_QUOTED || style == FYNS_DOUBLE_QUOTED ||
                        style == FYNS_ALIAS; /* libfyaml points behind the quote or star */
    *line = mark->line;
    *column = mark->column - (marked && mark->column > 0);
    return true;
}

int document_line(struct fy_node *key)
{
    int line;
    int column;
    return find_position(key, &line, &column) ? line + 1 : 0;
}

void document_mistake(document *self, struct fy_node *node, struct fy_node *where,
                      const char *format, ...)
{
    const char *origin = node != NULL ? fy_node_get_meta(node) : NULL;
    int line = 0;
    int column = 0;
    if (!find_position(node, &line, &column) && origin == NULL && where != NULL) {
        origin = fy_node_get_meta(where);
        (void)find_position(where, &line, &column);
    }
    va_list arguments;
    va_start(arguments, format);
    mistakes_note_list(&self->mistakes, origin, line, column, format, arguments);
    va_end(arguments);
}

/* Turns what libfyaml has collected since the last call into mistakes; returns how many. */
static size_t note_yaml_errors(document *self, const char *origin)
{
    size_t n = 0;
    size_t index = 0;
    void *iterator = NULL;
    const struct fy_diag_error *error;
    while ((error = fy_diag_errors_iterate(self->diag, &iterator)) != NULL) {
        if (index++ < self->diag_seen || error->type < FYET_ERROR)
            continue;
        mistakes_note(&self->mistakes, origin, error->line - 1, error->column - 1, "%s",
                      error->msg);
        n++;
    }
    self->diag_seen = index;
    return n;
}

status document_report(document *self)
{
    return mistakes_report(&self->mistakes);
}

/* ---- reading ---- */

/* Reads all of an open file, at most one byte more than is allowed. */
static status read_all(document *self, int file)
{
    const size_t room = DOCUMENT_BYTES_MAX + 1;
    self->source = malloc(room + 1);
    if (self->source == NULL)
        return STATUS_NO_MEMORY;
    while (self->length < room) {
        const ssize_t n = read(file, self->source + self->length, room - self->length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return STATUS_IO;
        if (n == 0)
            break;
        self->length += (size_t)n;
    }
    self->source[self->length] = '\0';
    return STATUS_OK;
}

static status read_file(document *self)
{
    const int file = open(self->path, O_RDONLY | O_CLOEXEC);
    status done = file >= 0 ? read_all(self, file) : STATUS_IO;
    if (done == STATUS_IO) {
        log_error("%s: %s", self->path, errno == EISDIR ? "is a folder" : strerror(errno));
        done = STATUS_BAD_INPUT;
    } else if (self->length > DOCUMENT_BYTES_MAX) {
        log_error("%s: is larger than %d bytes, which no topology file is", self->path,
                  DOCUMENT_BYTES_MAX);
        done = STATUS_BAD_INPUT;
    } else if (self->source != NULL && memchr(self->source, '\0', self->length) != NULL) {
        log_error("%s: holds a zero byte, so it is no YAML text", self->path);
        done = STATUS_BAD_INPUT;
    }
    if (file >= 0)
        close(file);
    return done;
}

/* libfyaml's errors are collected; the few lines it writes besides say nothing more. */
static void swallow(struct fy_diag *diag, void *user, const char *text, size_t length)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)length;
}

static status create_diag(document *self)
{
    struct fy_diag_cfg config;
    fy_diag_cfg_default(&config);
    config.fp = NULL;
    config.output_fn = swallow;
    self->diag = fy_diag_create(&config);
    if (self->diag == NULL)
        return STATUS_NO_MEMORY;
    fy_diag_set_collect_errors(self->diag, true);
    return STATUS_OK;
}

/* Whether text is UTF-8 without control characters: libfyaml would stop at them without a word, as
 * if the file ended there. */
static bool is_text(size_t length, const char text[])
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < 0x20 && text[i] != '\t' && text[i] != '\r') ||
            text[i] == 0x7f)
            return false;
    json_t *value = json_stringn(text, length);
    json_decref(value);
    return value != NULL;
}

/* Notes every line that is no text. */
static void check_lines(document *self)
{
    int number = 0;
    const char *line = self->source;
    while (*line != '\0') {
        const size_t length = strcspn(line, "\n");
        if (!is_text(length, line))
            mistakes_note(&self->mistakes, NULL, number, 0,
                          "this line is not UTF-8, or holds control characters");
        line += length + (line[length] == '\n');
        number++;
    }
}

static status parse(document *self)
{
    check_lines(self);
    if (self->mistakes.n > 0)
        return STATUS_OK;
    /* Doubled keys are for document_check_form, which tells them all and takes linear time. */
    const struct fy_parse_cfg config = {.flags = FYPCF_JSON_NONE | FYPCF_ALLOW_DUPLICATE_KEYS,
                                        .diag = self->diag};
    struct fy_parser *parser = fy_parser_create(&config);
    if (parser == NULL || fy_parser_set_string(parser, self->source, self->length) != 0) {
        fy_parser_destroy(parser);
        return STATUS_NO_MEMORY;
    }
    self->yaml = fy_parse_load_document(parser);
    struct fy_document *second = self->yaml != NULL ? fy_parse_load_document(parser) : NULL;
    if (note_yaml_errors(self, NULL) == 0) {
        if (self->yaml == NULL || fy_document_root(self->yaml) == NULL)
            mistakes_note(&self->mistakes, NULL, 0, 0, "the file says nothing");
        else if (second != NULL)
            mistakes_note(&self->mistakes, NULL, 0, 0,
                          "the file holds more than one YAML document");
    }
    fy_parse_document_destroy(parser, second);
    fy_parser_destroy(parser);
    return STATUS_OK;
}

/* Parses what is in self->source; destroys *self if that fails. */
static status finish(document *self, document **out)
{
    self->mistakes.path = self->path;
    self->mistakes.source = self->source;
    self->mistakes.length = self->length;
    status done = create_diag(self);
    if (done == STATUS_OK)
        done = parse(self);
    if (done != STATUS_OK)
        document_close(&self);
    *out = self;
    return done;
}

status document_open(document **out, const char *path)
{
    assert(out != NULL && path != NULL);
    *out = NULL;
    document *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->path = path;
    const status done = read_file(self);
    if (done == STATUS_OK)
        return finish(self, out);
    document_close(&self);
    return done;
}

status document_of_text(document **out, const char *name, const char *text)
{
    assert(out != NULL && name != NULL && text != NULL);
    *out = NULL;
    document *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->path = name;
    self->source = strdup(text);
    self->length = strlen(text);
    if (self->source != NULL)
        return finish(self, out);
    document_close(&self);
    return STATUS_NO_MEMORY;
}

void document_close(document **self)
{
    if (*self == NULL)
        return;
    mistakes_fini(&(*self)->mistakes);
    fy_document_destroy((*self)->yaml);
    fy_diag_destroy((*self)->diag);
    free((*self)->source);
    free(*self);
    *self = NULL;
}

struct fy_node *document_root(const document *self)
{
    return self->yaml != NULL ? fy_document_root(self->yaml) : NULL;
}

const char *document_text(struct fy_node *scalar)
{
    const char *text = scalar != NULL ? fy_node_get_scalar0(scalar) : NULL;
    return text != NULL ? text : "";
}

/* ---- --set ---- */

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
    const size_t errors = note_yaml_errors(self, origin);
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

void document_override(document *self, const char *text)
{
    struct fy_node *node = document_root(self);
    if (!has_key_path(text)) {
        mistakes_note(&self->mistakes, text, 0, 0, "must be key.path=value");
        return;
    }
    if (!is_text(strlen(text), text)) {
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

/* ---- form ---- */

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
            self->mistakes.no_memory = true;
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

void document_check_form(document *self)
{
    check_node(self, document_root(self), NULL, 0);
}
