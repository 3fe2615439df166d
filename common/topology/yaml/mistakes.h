/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mistakes: the mistakes of a topology file, collected and then written in the order of the file
 * as `file:line:column: error: text` with the line and a caret, as libfyaml and compilers do. */
#ifndef COMMON_TOPOLOGY_YAML_MISTAKES_H
#define COMMON_TOPOLOGY_YAML_MISTAKES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

enum { MISTAKES_KEPT_MAX = 100 };

struct mistake {
    const char *origin; /* the --set that it is in, borrowed; NULL: the file */
    int line;           /* from 0 */
    int column;         /* from 0, in characters */
    size_t order;
    char *text;
};

/* All zero is a list without mistakes. path and source are borrowed. */
struct mistakes {
    const char *path;
    const char *source; /* the whole file, length bytes and a zero */
    size_t length;
    size_t n; /* may be more than are kept */
    bool no_memory;
    struct mistake kept[MISTAKES_KEPT_MAX];
};

void mistakes_fini(struct mistakes *self);
void mistakes_note(struct mistakes *self, const char *origin, int line, int column,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));
void mistakes_note_list(struct mistakes *self, const char *origin, int line, int column,
                        const char *format, va_list arguments)
    __attribute__((format(printf, 5, 0)));
/* Writes all to standard error. STATUS_OK if there are none, STATUS_BAD_INPUT, or
 * STATUS_NO_MEMORY if one could not be noted. */
MUST_CHECK status mistakes_report(struct mistakes *self);

#endif
