/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema: the one table of all messages. Packing, unpacking, validation and the reference page
 * (docs/wire-format.md) come from it.
 *
 * A record is a C struct; on the wire it is a msgpack map with these fields in this order: numbers
 * as msgpack numbers, texts as strings, arrays as `bin` of little-endian elements, slowest index
 * first, nil where an optional array is not known. */
#ifndef COMMON_WIRE_SCHEMA_H
#define COMMON_WIRE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/records/event_batch.h"
#include "common/records/image_batch.h"
#include "common/records/model_record.h"
#include "common/records/scan_record.h"
#include "common/records/score_record.h"
#include "common/records/selection_record.h"
#include "common/records/spectra_record.h"
#include "common/wire/limits.h"

enum wire_kind {
    WIRE_U8,
    WIRE_I8,
    WIRE_U16,
    WIRE_U32,
    WIRE_I32,
    WIRE_U64,
    WIRE_F32,
    WIRE_F64,
    WIRE_TEXT /* char[WIRE_TEXT_SIZE] in the struct */
};
enum { WIRE_TEXT_SIZE = 40 };

/* Where a field lives in the struct. */
enum wire_storage {
    WIRE_SCALAR, /* the value itself */
    WIRE_INLINE, /* an array of constant length inside the struct */
    WIRE_COLUMN, /* a pointer to the array; the bytes are borrowed */
    WIRE_BYTES   /* struct wire_bytes: a u8 array of any length */
};
struct wire_bytes {
    const uint8_t *data;
    size_t size;
};

/* One extent of an array: times x the u32 at offset `of` in the struct, plus `plus`. A
 * constant has times 0. `text` is how documents write it. */
struct wire_extent {
    size_t of;
    uint32_t times;
    uint32_t plus;
    const char *text;
};

struct wire_field {
    const char *name;
    enum wire_kind kind;
    enum wire_storage storage;
    int optional;
    size_t offset;
    unsigned extents;
    struct wire_extent extent[3];
    const char *help;
};

struct wire_schema {
    const char *name;
    const char *help;
    size_t size; /* of the struct */
    size_t n;
    const struct wire_field *fields;
    size_t events; /* offset of a u32: how many events the record is about; 0: of none */
    /* NULL, or what is wrong inside a record whose arrays have the right lengths. NULL: nothing can
     * be. */
    const char *(*fault)(const void *record, const struct wire_limits *limits);
};

/* What passes between two ends of an edge besides records. Numbers are part of the wire format. */
enum control_type {
    CONTROL_GRANT = 64, /* intake consumer -> producer: how many batches it may send in all */
    CONTROL_ALIVE,      /* producer -> consumer: the answer to a grant or a pull */
    CONTROL_PULL,       /* feed consumer -> producer: which items it wants */
    CONTROL_END,        /* feed producer -> consumer: there are no more items */
    CONTROL_READER,     /* reader -> log: who I am, and the end when it is known */
    CONTROL_RECEIVED,   /* log -> reader: a batch has arrived (not yet on disk) */
    CONTROL_DURABLE,    /* log -> reader: what is on disk */
    CONTROL_HANDED,     /* reader -> log: which rows a batch has that it hands out */
    CONTROL_REFUSED,    /* log or worker -> reader: a batch that could not be taken */
    CONTROL_QUARANTINE, /* reader -> log: a batch that is given up */
    CONTROL_LAST
};

struct control_grant {
    char name[WIRE_TEXT_SIZE]; /* of the consumer */
    uint32_t replica;
    uint64_t incarnation; /* of the consumer; a restarted one has another */
    uint64_t epoch;       /* incarnation of the producer the count is for; 0: not known yet */
    uint64_t received;    /* batches of that epoch that have arrived */
    uint64_t total;       /* batches since that producer and this consumer met */
};
struct control_alive {
    uint64_t epoch; /* incarnation of the producer */
};
struct control_pull {
    char name[WIRE_TEXT_SIZE];
    uint32_t replica;
    uint64_t incarnation;
    uint64_t from;
    uint64_t until;
    uint64_t modulus; /* the items with index mod modulus = remainder */
    uint64_t remainder;
    double mass[2]; /* image batches: the events with mass[0] <= m_jj < mass[1] */
};
struct control_end {
    uint64_t total;
};
struct control_reader {
    uint32_t source;
    uint64_t incarnation;
    uint64_t batches; /* of the source; UINT64_MAX: not known yet */
    uint64_t rows;
};
struct control_received {
    uint32_t source;
    uint64_t seq;
};
struct control_durable {
    uint32_t source;
    uint64_t epoch;           /* of the log */
    uint64_t watermark;       /* batches below are on disk */
    struct wire_bytes bitmap; /* bit i (byte i/8, bit i mod 8): watermark + i has arrived */
};

struct control_handed {
    uint32_t source;
    uint64_t seq;
    uint64_t first_row; /* over all files of the source */
    uint32_t rows;
};
struct control_refused {
    uint32_t source;
    uint64_t seq;
    struct wire_bytes reason; /* text */
};
struct control_quarantine {
    uint32_t source;
    uint64_t seq;
    uint64_t first_row;
    uint32_t rows;
};

union control {
    struct control_grant grant;
    struct control_alive alive;
    struct control_pull pull;
    struct control_end end;
    struct control_reader reader;
    struct control_received received;
    struct control_durable durable;
    struct control_handed handed;
    struct control_refused refused;
    struct control_quarantine quarantine;
};

/* Records of a program's own (wire_schema_add). */
enum { WIRE_OWN_FIRST = 32, WIRE_OWN_TYPES = 8, WIRE_OWN_BYTES = 256 };

union record {
    uint64_t own[WIRE_OWN_BYTES / sizeof(uint64_t)];
    struct event_batch events;
    struct image_batch images;
    struct model_record model;
    struct spectra_record spectra;
    struct selection_record selection;
    struct score_record score;
    struct scan_record scan;
};

/* Adds a message type of the program's own, WIRE_OWN_FIRST .. WIRE_OWN_FIRST + WIRE_OWN_TYPES - 1,
 * of at most WIRE_OWN_BYTES, before anything is sent or received; borrowed for good. All programs
 * of a run that meet it must add the same. */
void wire_schema_add(unsigned type, const struct wire_schema *schema);
/* Whether there is a message (no control) of that type; the message of that name, MESSAGE_NONE if
 * there is none. */
bool wire_is_message(unsigned type);
unsigned wire_message_find(const char *name);
/* The table of a message or control type; NULL if there is none of that number. */
const struct wire_schema *wire_schema_find(unsigned type);
/* Events that a record of that message type is about, 0 for most types. */
uint32_t wire_record_events(unsigned type, const void *record);
/* NULL, or what is wrong with a record of that message type. */
const char *wire_record_fault(unsigned type, const void *record, const struct wire_limits *limits);
/* Bytes of one element. */
size_t wire_kind_size(enum wire_kind kind);
/* "u32", "f64", ... */
const char *wire_kind_name(enum wire_kind kind);

#endif
