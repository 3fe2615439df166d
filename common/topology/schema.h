/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema: the one table of everything a topology file may say. Checks, defaults, --help, the
 * canonical text and the reference page all come from it. */
#ifndef COMMON_TOPOLOGY_SCHEMA_H
#define COMMON_TOPOLOGY_SCHEMA_H

#include <stddef.h>

#include "common/topology/topology.h"

enum key_type {
    KEY_INTEGER, /* min .. max */
    KEY_NUMBER,
    KEY_TEXT,
    KEY_CHOICE,   /* one of choices, separated by '|' */
    KEY_INTERVAL, /* [lo, hi) two numbers, lo < hi */
    KEY_ROWS,     /* [first, last) two integers, first <= last */
    KEY_TEXTS,    /* a list of texts, or one text */
    KEY_PATH,     /* a file path: stands outside the ids when `output` is set */
};

struct key {
    const char *path; /* "analysis.stream.batch", or the bare name for a stage's settings */
    enum key_type type;
    const char *fallback; /* YAML text of the default; NULL: must be given; "null": may be absent */
    double min, max;      /* of KEY_INTEGER, KEY_NUMBER and the ends of the intervals */
    const char *choices;
    const char *unit; /* "" if it has none */
    bool file_name;   /* not part of the log id and run id */
    const char *help; /* one line */
    size_t offset;    /* into struct analysis; 0 for other keys */
};

/* What one of our stages takes, gives and may be told. */
struct stage_kind {
    const char *name;
    const char *help; /* one sentence */
    enum stage_role role;
    enum message_type inputs[2]; /* required types; MESSAGE_NONE ends */
    bool many_inputs;            /* several producers of inputs[0] */
    enum message_type output;
    bool single_copy;
    const struct key *settings; /* ends with path == NULL; may be NULL */
};

extern const struct key schema_top[];      /* version, name, transport, ...; ends with NULL path */
extern const struct key schema_analysis[]; /* in canonical order; ends with NULL path */
extern const struct key schema_stage[];    /* run, from, replicas; ends with NULL path */
extern const struct stage_kind schema_stages[]; /* ends with NULL name */

/* The kind of that name, NULL if it is none of ours. */
const struct stage_kind *schema_stage_find(const char *name);

#endif
