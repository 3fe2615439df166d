/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heartbeat: the state of a stage process, sent twice a second: one JSON object, by one table
 * that packing, parsing and the reference page (docs/wire-format.md) are made from. */
#ifndef COMMON_FLOW_HEARTBEAT_HEARTBEAT_H
#define COMMON_FLOW_HEARTBEAT_HEARTBEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HEARTBEAT_BYTES_MAX = 8192, /* a heartbeat is shorter */
    HEARTBEAT_INPUTS_MAX = 16,
    HEARTBEAT_NAME_SIZE = 40,
    HEARTBEAT_TEXT_SIZE = 200
};

/* An input of a feed stage. */
struct heartbeat_input {
    char stage[HEARTBEAT_NAME_SIZE];
    uint64_t next; /* item wanted; UINT64_MAX: no more */
};

/* The fields are explained in the table. */
struct heartbeat {
    char stage[HEARTBEAT_NAME_SIZE];
    uint64_t replica;
    uint64_t pid;
    bool finished;
    uint64_t items;
    uint64_t events;
    uint64_t refused;
    uint64_t rows;
    uint64_t read;
    uint64_t counted;
    uint64_t dropped;
    char text[HEARTBEAT_TEXT_SIZE];
    bool growing;
    uint64_t idle;
    char waits[16];
    char waits_for[HEARTBEAT_NAME_SIZE];
    uint64_t credits;
    uint64_t used;
    uint64_t lag;
    size_t n_inputs;
    struct heartbeat_input input[HEARTBEAT_INPUTS_MAX];
};

enum heartbeat_kind { HEARTBEAT_TEXT, HEARTBEAT_NUMBER, HEARTBEAT_FLAG, HEARTBEAT_INPUTS };
struct heartbeat_field {
    const char *key; /* "flow.idle": idle in the object flow */
    enum heartbeat_kind kind;
    size_t offset; /* in struct heartbeat */
    size_t size;   /* of a text */
    const char *meaning;
};
/* The table, *n fields. */
const struct heartbeat_field *heartbeat_fields(size_t *n);

/* The JSON text, ended by a zero, and its length; 0 if it does not fit into size or out of memory.
 * Texts must be UTF-8. */
size_t heartbeat_pack(const struct heartbeat *self, size_t size, char out[]);
/* Reads one; absent keys are 0, false or empty, texts are made printable and cut. False if it is
 * no object with stage and replica. */
bool heartbeat_parse(struct heartbeat *out, const char *text);

#endif
