/* SPDX-License-Identifier: GPL-3.0-or-later */
/* document_internal: the fields of a document, for document.c, set_option.c and document_form.c. */
#ifndef COMMON_TOPOLOGY_YAML_DOCUMENT_INTERNAL_H
#define COMMON_TOPOLOGY_YAML_DOCUMENT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/topology/yaml/document.h"
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

/* Notes the errors that libfyaml has collected since the last call as mistakes of origin (a --set,
 * NULL: the file); returns how many. */
size_t document_note_yaml_errors(document *self, const char *origin);
/* Whether text is UTF-8 without control characters: libfyaml would silently stop at one, as if the
 * file ended there. */
bool document_is_text(size_t length, const char text[]);

#endif
