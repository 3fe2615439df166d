/* SPDX-License-Identifier: GPL-3.0-or-later */
/* key: one key of a topology file: its type, range, default and help, and what follows from these
 * for a value. A value is looked at as JSON, whether it came from a topology file, from --set or
 * from another process. */
#ifndef COMMON_TOPOLOGY_SCHEMA_KEY_H
#define COMMON_TOPOLOGY_SCHEMA_KEY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

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
    /* The default: bare text for KEY_TEXT, KEY_CHOICE and KEY_PATH, else JSON; NULL: the key is
     * required; "null": may be absent, and is JSON null then. */
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

/* The key of that path in a table (NULL: an empty table), NULL if there is none. */
const struct key *key_find(const struct key *keys, const char *path);

/* The default as JSON, null where there is none; a new reference, NULL when out of memory. */
json_t *key_default(const struct key *key);
/* What a value of this key must be, for people, e.g. "an integer from 1 to 100000 (rows)". */
void key_expect(const struct key *key, size_t size, char out[]);
/* What a value is, for people, e.g. "512.5" or "a mapping". */
void key_describe(const json_t *value, size_t size, char out[]);
/* Whether the value fits the key. If not and the fault is in one element of a list, *element is its
 * index, else -1. */
bool key_fits(const struct key *key, const json_t *value, int *element);
/* A value that fits in its one form: numbers as reals (no negative zero), one text as a list; a new
 * reference, NULL when out of memory. */
json_t *key_normal(const struct key *key, json_t *value);

/* Number in the shortest form that reads back to the same value; integers without a fraction. */
void key_number_text(double value, size_t size, char out[]);

/* Between a value that fits and its member of *analysis. The key must have a member. */
void key_store(const struct key *key, const json_t *value, struct analysis *analysis);
/* A new reference, NULL when out of memory; for a key without a member its default. */
json_t *key_fetch(const struct key *key, const struct analysis *analysis);

#endif
