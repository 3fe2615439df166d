/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frame: records and controls as the bytes of ZeroMQ frames, and back.
 *
 * A record is two frames. Header: msgpack array {protocol version, type, run id, source, seq,
 * attempt, epoch, events, raw length, XXH3-128 of the raw payload}. Payload: one LZ4 frame
 * (payload.h) of the msgpack map of schema.h. The digest finds what was damaged on the way; who
 * sent it is the socket's business.
 * A control is one frame: msgpack array {protocol version, type, run id, map}.
 *
 * What arrives is checked before it is used: sizes against caps, a non-allocating scan of the
 * msgpack (items fit into the bytes left, depth <= 8, nothing trailing), types, LZ4 frame info,
 * digest, and every array's length against the extents of the schema. */
#ifndef COMMON_WIRE_FRAME_H
#define COMMON_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/records/message_type.h"
#include "common/wire/payload.h"
#include "common/wire/schema.h"

enum { WIRE_VERSION = 3, WIRE_HEADER_MAX = 256, WIRE_CONTROL_MAX = 1 << 20, RUN_ID_SIZE = 33 };

struct wire_header {
    enum message_type type;
    char run_id[RUN_ID_SIZE]; /* 32 hex digits and the closing zero */
    uint32_t source;          /* of the batch; other records: the producer's replica */
    uint64_t seq;             /* intake: of the batch in its source; feed: index of the item */
    uint32_t attempt;         /* 1 when sent first */
    uint64_t epoch;           /* incarnation of the sender */
    uint32_t events;          /* rows or events in the payload, 0 for other records */
    uint64_t raw_length;
    uint8_t digest[16];
};

struct wire_frame {
    const uint8_t *data;
    size_t size;
};

/* Packs; its buffers are used again and again. */
typedef struct wire_packer wire_packer;
MUST_CHECK status wire_packer_create(wire_packer **out, enum payload_coding coding);
void wire_packer_destroy(wire_packer **self);

/* Most bytes that the payload of a record takes. */
size_t wire_bound(const wire_packer *self, enum message_type type, const void *record);
/* Packs one record. Fills header's raw_length and digest, and payload[room], room at least the
 * bound. frames[0] is the header, borrowed until the packer's next call, frames[1] the payload.
 * STATUS_NO_MEMORY; STATUS_BAD_SHAPE if the record is larger than MESSAGE_BYTES_MAX. */
MUST_CHECK status wire_pack(wire_packer *self, struct wire_header *header, const void *record,
                            size_t room, uint8_t payload[], struct wire_frame frames[2]);
/* Packs one control, borrowed until the packer's next call. */
MUST_CHECK status wire_pack_control(wire_packer *self, enum control_type type, const char *run_id,
                                    const void *control, struct wire_frame *frame);

/* Unpacks; what it gives out lies in the frame or in its own buffers, until its next call. */
typedef struct wire_unpacker wire_unpacker;
MUST_CHECK status wire_unpacker_create(wire_unpacker **out);
void wire_unpacker_destroy(wire_unpacker **self);

/* STATUS_BAD_INPUT for bytes that are no header of this protocol; wire_reason tells why. */
MUST_CHECK status wire_unpack_header(wire_unpacker *self, struct wire_frame frame,
                                     struct wire_header *out);
/* The payload that belongs to header. */
MUST_CHECK status wire_unpack(wire_unpacker *self, const struct wire_header *header,
                              struct wire_frame payload, union record *out);
MUST_CHECK status wire_unpack_control(wire_unpacker *self, struct wire_frame frame,
                                      enum control_type *type, char run_id[RUN_ID_SIZE],
                                      union control *out);
/* Why the last call refused; never NULL. */
const char *wire_reason(const wire_unpacker *self);

#endif
