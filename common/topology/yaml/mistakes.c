/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/topology/yaml/mistakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

/* A longer line of the file is not shown under a mistake. */
enum { LINE_SHOWN_MAX = 200 };

void mistakes_fini(struct mistakes *self)
{
    for (size_t i = 0; i < MISTAKES_KEPT_MAX; i++)
        free(self->kept[i].text);
    *self = (struct mistakes){0};
}

void mistakes_note_list(struct mistakes *self, const char *origin, int line, int column,
                        const char *format, va_list arguments)
{
    const size_t order = self->n++;
    if (order >= MISTAKES_KEPT_MAX)
        return;
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) {
        self->no_memory = true;
        text = NULL;
    }
    self->kept[order] = (struct mistake){origin, line, column, order, text};
}

void mistakes_note(struct mistakes *self, const char *origin, int line, int column,
                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    mistakes_note_list(self, origin, line, column, format, arguments);
    va_end(arguments);
}

/* The file first, by line and column; then each --set. */
static int compare_mistakes(const void *a, const void *b)
{
    const struct mistake *x = a;
    const struct mistake *y = b;
    if ((x->origin != NULL) != (y->origin != NULL))
        return x->origin != NULL ? 1 : -1;
    if (x->origin == NULL && x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->origin == NULL && x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* Writes text without anything a terminal would obey. */
static void print_clean(FILE *to, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char byte = (unsigned char)text[i];
        putc(byte == '\t' || (byte >= 0x20 && byte != 0x7f) ? byte : '?', to);
    }
}

/* The line and a caret under the column; nothing if the line is empty or long. */
static void print_source(FILE *to, const struct mistakes *self, int line, int column)
{
    const char *start = self->source;
    const char *end = self->source + self->length;
    for (; line > 0 && start < end; start++)
        if (*start == '\n' || (*start == '\r' && (start + 1 == end || start[1] != '\n')))
            line--;
    const size_t n = strcspn(start, "\r\n");
    if (line > 0 || n == 0 || n > LINE_SHOWN_MAX)
        return;
    print_clean(to, start, n);
    putc('\n', to);
    int characters = 0;
    for (size_t i = 0; i < n && characters < column; i++) {
        /* Bytes within a UTF-8 character have no width; a tab is as wide as in the line above. */
        if (((unsigned char)start[i] & 0xC0) == 0x80)
            continue;
        putc(start[i] == '\t' ? '\t' : ' ', to);
        characters++;
    }
    fputs("^\n", to);
}

static void print_mistake(FILE *to, const struct mistakes *self, const struct mistake *mistake)
{
    if (mistake->origin != NULL) {
        fputs("--set ", to);
        print_clean(to, mistake->origin, strlen(mistake->origin));
    } else {
        fprintf(to, "%s:%d:%d", self->path, mistake->line + 1, mistake->column + 1);
    }
    fputs(": error: ", to);
    if (mistake->text != NULL)
        print_clean(to, mistake->text, strlen(mistake->text));
    putc('\n', to);
    if (mistake->origin == NULL)
        print_source(to, self, mistake->line, mistake->column);
}

status mistakes_report(struct mistakes *self)
{
    if (self->no_memory) {
        log_error("%s: %s", self->path, status_text(STATUS_NO_MEMORY));
        return STATUS_NO_MEMORY;
    }
    if (self->n == 0)
        return STATUS_OK;
    const size_t kept = self->n < MISTAKES_KEPT_MAX ? self->n : MISTAKES_KEPT_MAX;
    qsort(self->kept, kept, sizeof *self->kept, compare_mistakes);
    for (size_t i = 0; i < kept; i++)
        print_mistake(stderr, self, &self->kept[i]);
    if (kept < self->n)
        fprintf(stderr, "%s: %zu more mistakes\n", self->path, self->n - kept);
    return STATUS_BAD_INPUT;
}
