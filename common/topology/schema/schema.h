/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema: the one table of everything a topology file may say. Checks, defaults, --help, the
 * canonical text and the reference page all come from it. A value is looked at as JSON, whether it
 * came from a topology file, from --set or from another process. */
#ifndef COMMON_TOPOLOGY_SCHEMA_SCHEMA_H
#define COMMON_TOPOLOGY_SCHEMA_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/topology/topology.h"

enum key_type {
    KEY_INTEGER, /* min .. max */
    KEY_NUMBER,  /* min .. max, or above min */
    KEY_BOOLEAN, /* true or false */
    KEY_TEXT,
    KEY_CHOICE,   /* one of choices, separated by '|' */
    KEY_INTERVAL, /* [lo, hi) two numbers, lo < hi */
    KEY_ROWS,     /* [first, last) two integers, first <= last */
    KEY_TEXTS,    /* a list of one or more texts, or one text, which becomes a list */
    KEY_LABELS,   /* a list of integers, or one, which becomes a list; min .. max */
    KEY_WORDS,    /* a text, or a list of one or more texts */
    KEY_PATH,     /* a file path */
    KEY_BLOCK     /* a mapping that has its own table */
};

struct key {
    const char *path; /* "analysis.stream.batch", or the bare name outside `analysis` */
    enum key_type type;
    /* The default: bare text for KEY_TEXT, KEY_CHOICE and KEY_PATH, else JSON; NULL: must be given;
     * "null": may be absent, and is JSON null then. */
    const char *fallback;
    double min, max; /* of numbers and the ends of the intervals; of a text its length in bytes */
    bool above_min;  /* min itself is not allowed */
    bool file_name;  /* names a file, or changes nothing in one: not part of log id and run id */
    const char *choices;
    const char *unit; /* "" if it has none */
    const char *help; /* one line */
    size_t offset;    /* into struct analysis */
    size_t size;      /* of the member there; 0: the key has no member */
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
extern const struct key schema_stage[];    /* run, from, replicas, ...; ends with NULL path */
extern const struct stage_kind schema_stages[]; /* ends with NULL name */

/* The kind of that name, NULL if it is none of ours. */
const struct stage_kind *schema_stage_find(const char *name);
/* The key of that path in a table (NULL: an empty table), NULL if there is none. */
const struct key *schema_find(const struct key *keys, const char *path);

/* The default as JSON, null where there is none; a new reference, NULL when out of memory. */
json_t *schema_default(const struct key *key);
/* What a value of this key must be, for people, e.g. "an integer from 1 to 100000 (rows)". */
void schema_expect(const struct key *key, size_t size, char out[]);
/* What a value is, for people, e.g. "512.5" or "a mapping". */
void schema_describe(const json_t *value, size_t size, char out[]);
/* Whether the value fits the key. If not and the fault is in one element of a list, *element is its
 * index, else -1. */
bool schema_fits(const struct key *key, const json_t *value, int *element);
/* A value that fits in its one form: numbers as reals (no negative zero), one text as a list; a new
 * reference, NULL when out of memory. */
json_t *schema_normal(const struct key *key, json_t *value);

/* Number in the shortest form that reads back to the same value; integers without a fraction. */
void schema_number_text(double value, size_t size, char out[]);

/* Between a value that fits and its member of *analysis. The key must have a member. */
void schema_store(const struct key *key, const json_t *value, struct analysis *analysis);
/* A new reference, NULL when out of memory; a key without a member gives its default. */
json_t *schema_fetch(const struct key *key, const struct analysis *analysis);

#endif
