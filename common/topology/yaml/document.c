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
#include "common/topology/yaml/document_internal.h"

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

size_t document_note_yaml_errors(document *self, const char *origin)
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

/* libfyaml's errors are collected; its few additional lines hold nothing more. */
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

bool document_is_text(size_t length, const char text[])
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
        if (!document_is_text(length, line))
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
    /* Doubled keys are for document_form_check, which reports all of them and takes linear time. */
    const struct fy_parse_cfg config = {.flags = FYPCF_JSON_NONE | FYPCF_ALLOW_DUPLICATE_KEYS,
                                        .diag = self->diag};
    struct fy_parser *parser = fy_parser_create(&config);
    if (parser == NULL || fy_parser_set_string(parser, self->source, self->length) != 0) {
        fy_parser_destroy(parser);
        return STATUS_NO_MEMORY;
    }
    self->yaml = fy_parse_load_document(parser);
    struct fy_document *second = self->yaml != NULL ? fy_parse_load_document(parser) : NULL;
    if (document_note_yaml_errors(self, NULL) == 0) {
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
