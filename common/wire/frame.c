/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/wire/frame.h"

#include <assert.h>
#include <lz4frame.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <xxh_x86dispatch.h> /* XXH3 by the widest instructions there are */
#else
#include <xxhash.h>
#endif

#include "common/records/message_type.h"
#include "common/wire/map.h"
#include "common/wire/scan.h"

enum { HEADER_ITEMS = 10, CONTROL_ITEMS = 4 };

struct wire_packer {
    enum payload_coding coding;
    msgpack_sbuffer header;
    uint8_t *raw; /* of a record that is to be compressed */
    size_t raw_size;
};

struct wire_unpacker {
    LZ4F_dctx *lz4;
    msgpack_zone zone;
    bool zone_ready;
    uint8_t *raw;
    size_t raw_size;
    struct map_shelf shelf;
    char reason[200];
};

/* Grows *buffer to hold `wanted` bytes; what was in it is lost. */
static status reserve(uint8_t **buffer, size_t *size, size_t wanted)
{
    if (wanted <= *size)
        return STATUS_OK;
    free(*buffer);
    *size = 0;
    *buffer = malloc(wanted);
    if (*buffer == NULL)
        return STATUS_NO_MEMORY;
    *size = wanted;
    return STATUS_OK;
}

status wire_packer_create(wire_packer **out, enum payload_coding coding)
{
    assert(out != NULL);
    wire_packer *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->coding = coding;
    msgpack_sbuffer_init(&self->header);
    return STATUS_OK;
}

void wire_packer_destroy(wire_packer **self)
{
    if (*self == NULL)
        return;
    msgpack_sbuffer_destroy(&(*self)->header);
    free((*self)->raw);
    free(*self);
    *self = NULL;
}

static void pack_text(msgpack_packer *to, const char *text)
{
    msgpack_pack_str(to, strlen(text));
    msgpack_pack_str_body(to, text, strlen(text));
}

static void pack_header(wire_packer *self, const struct wire_header *header)
{
    msgpack_packer to;
    msgpack_sbuffer_clear(&self->header);
    msgpack_packer_init(&to, &self->header, msgpack_sbuffer_write);
    msgpack_pack_array(&to, HEADER_ITEMS);
    msgpack_pack_int(&to, WIRE_VERSION);
    msgpack_pack_int(&to, (int)header->type);
    pack_text(&to, header->run_id);
    msgpack_pack_uint32(&to, header->source);
    msgpack_pack_uint64(&to, header->seq);
    msgpack_pack_uint32(&to, header->attempt);
    msgpack_pack_uint64(&to, header->epoch);
    msgpack_pack_uint32(&to, header->events);
    msgpack_pack_uint64(&to, header->raw_length);
    msgpack_pack_bin(&to, sizeof header->digest);
    msgpack_pack_bin_body(&to, header->digest, sizeof header->digest);
}

/* Bytes that are filled from the front. */
struct writer {
    uint8_t *data;
    size_t size;
    size_t room;
};

static int write_bytes(void *to, const char *bytes, size_t n)
{
    struct writer *self = to;
    assert(n <= self->room - self->size);
    memcpy(self->data + self->size, bytes, n);
    self->size += n;
    return 0;
}

static void digest_of(size_t n, const uint8_t bytes[], uint8_t digest[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, n));
    memcpy(digest, canonical.digest, sizeof canonical.digest);
}

/* The record as msgpack, with its length and digest in the header. */
static void pack_record(struct wire_header *header, const struct wire_schema *schema,
                        const void *record, struct writer *to)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, to, write_bytes);
    map_pack(&packer, schema, record);
    header->raw_length = to->size;
    digest_of(to->size, to->data, header->digest);
}

static const struct wire_schema *schema_of_record(enum message_type type)
{
    const struct wire_schema *schema = wire_schema_find(type);
    assert(schema != NULL && wire_is_message(type));
    return schema;
}

size_t wire_bound(const wire_packer *self, enum message_type type, const void *record)
{
    return payload_bound(self->coding, map_bound(schema_of_record(type), record));
}

status wire_pack(wire_packer *self, struct wire_header *header, const void *record, size_t room,
                 uint8_t payload[], struct wire_frame frames[2])
{
    const struct wire_schema *schema = schema_of_record(header->type);
    const size_t most = map_bound(schema, record);
    const bool stored = self->coding == PAYLOAD_STORED;
    const size_t offset = payload_offset(most);
    assert(room >= payload_bound(self->coding, most));
    if (!stored && reserve(&self->raw, &self->raw_size, most) != STATUS_OK)
        return STATUS_NO_MEMORY;
    struct writer raw = {.data = stored ? payload + offset : self->raw, .room = most};
    pack_record(header, schema, record, &raw);
    if (raw.size > MESSAGE_BYTES_MAX)
        return STATUS_BAD_SHAPE;
    pack_header(self, header);
    const size_t size = stored ? payload_store(payload, offset, raw.size)
                               : payload_compress(raw.size, raw.data, room, payload);
    frames[0] = (struct wire_frame){(const uint8_t *)self->header.data, self->header.size};
    frames[1] = (struct wire_frame){payload, size};
    return size > 0 ? STATUS_OK : STATUS_NO_MEMORY;
}

status wire_pack_control(wire_packer *self, enum control_type type, const char *run_id,
                         const void *control, struct wire_frame *frame)
{
    const struct wire_schema *schema = wire_schema_find(type);
    assert(schema != NULL && type >= CONTROL_GRANT);
    msgpack_packer to;
    msgpack_sbuffer_clear(&self->header);
    msgpack_packer_init(&to, &self->header, msgpack_sbuffer_write);
    msgpack_pack_array(&to, CONTROL_ITEMS);
    msgpack_pack_int(&to, WIRE_VERSION);
    msgpack_pack_int(&to, (int)type);
    pack_text(&to, run_id);
    map_pack(&to, schema, control);
    *frame = (struct wire_frame){(const uint8_t *)self->header.data, self->header.size};
    return STATUS_OK;
}

status wire_unpacker_create(wire_unpacker **out)
{
    assert(out != NULL);
    *out = NULL;
    wire_unpacker *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->zone_ready = msgpack_zone_init(&self->zone, 4096);
    if (!self->zone_ready ||
        LZ4F_isError(LZ4F_createDecompressionContext(&self->lz4, LZ4F_VERSION)))
        goto fail;
    *out = self;
    return STATUS_OK;
fail:
    wire_unpacker_destroy(&self);
    return STATUS_NO_MEMORY;
}

void wire_unpacker_destroy(wire_unpacker **self)
{
    if (*self == NULL)
        return;
    if ((*self)->zone_ready)
        msgpack_zone_destroy(&(*self)->zone);
    LZ4F_freeDecompressionContext((*self)->lz4);
    free((*self)->raw);
    free((*self)->shelf.data);
    free(*self);
    *self = NULL;
}

const char *wire_reason(const wire_unpacker *self)
{
    return self->reason;
}

static status refuse(wire_unpacker *self, const char *reason)
{
    snprintf(self->reason, sizeof self->reason, "%s", reason);
    return STATUS_BAD_INPUT;
}

/* One msgpack object in the zone; arrays and texts stay where they are in `frame`. */
static status parse(wire_unpacker *self, struct wire_frame frame, msgpack_object *out)
{
    if (!scan_msgpack(frame.data, frame.size))
        return refuse(self, "no well-formed msgpack");
    msgpack_zone_clear(&self->zone);
    size_t offset = 0;
    const msgpack_unpack_return done =
        msgpack_unpack((const char *)frame.data, frame.size, &offset, &self->zone, out);
    if (done != MSGPACK_UNPACK_SUCCESS)
        return refuse(self, "no msgpack that can be parsed");
    return STATUS_OK;
}

static bool is_unsigned(const msgpack_object *item, uint64_t most)
{
    return item->type == MSGPACK_OBJECT_POSITIVE_INTEGER && item->via.u64 <= most;
}

/* The first three items of both arrays: version, type and run id. */
static const char *check_opening(const msgpack_object *object, uint32_t items)
{
    if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size != items)
        return "no array of the expected length";
    const msgpack_object *item = object->via.array.ptr;
    if (!is_unsigned(&item[0], UINT32_MAX) || item[0].via.u64 != WIRE_VERSION)
        return "another protocol version";
    if (!is_unsigned(&item[1], UINT32_MAX))
        return "the type is no number";
    if (item[2].type != MSGPACK_OBJECT_STR || item[2].via.str.size != RUN_ID_SIZE - 1)
        return "the run id is no text of 32 digits";
    return NULL;
}

static void copy_run_id(const msgpack_object *item, char run_id[RUN_ID_SIZE])
{
    memcpy(run_id, item->via.str.ptr, RUN_ID_SIZE - 1);
    run_id[RUN_ID_SIZE - 1] = '\0';
}

status wire_unpack_header(wire_unpacker *self, struct wire_frame frame, struct wire_header *out)
{
    if (frame.size > WIRE_HEADER_MAX)
        return refuse(self, "header frame too large");
    msgpack_object object;
    status done = parse(self, frame, &object);
    if (done != STATUS_OK)
        return done;
    const char *why = check_opening(&object, HEADER_ITEMS);
    if (why != NULL)
        return refuse(self, why);
    const msgpack_object *item = object.via.array.ptr;
    if (item[1].via.u64 > UINT32_MAX || !wire_is_message((unsigned)item[1].via.u64))
        return refuse(self, "no such message type");
    if (!is_unsigned(&item[3], UINT32_MAX) || !is_unsigned(&item[4], UINT64_MAX) ||
        !is_unsigned(&item[5], UINT32_MAX) || !is_unsigned(&item[6], UINT64_MAX) ||
        !is_unsigned(&item[7], UINT32_MAX))
        return refuse(self, "a number of the header is missing or out of range");
    if (!is_unsigned(&item[8], MESSAGE_BYTES_MAX))
        return refuse(self, "raw length above the cap");
    if (item[9].type != MSGPACK_OBJECT_BIN || item[9].via.bin.size != sizeof out->digest)
        return refuse(self, "the digest is no bin of 16 bytes");
    *out = (struct wire_header){
        .type = (enum message_type)item[1].via.u64,
        .source = (uint32_t)item[3].via.u64,
        .seq = item[4].via.u64,
        .attempt = (uint32_t)item[5].via.u64,
        .epoch = item[6].via.u64,
        .events = (uint32_t)item[7].via.u64,
        .raw_length = item[8].via.u64,
    };
    copy_run_id(&item[2], out->run_id);
    memcpy(out->digest, item[9].via.bin.ptr, sizeof out->digest);
    return STATUS_OK;
}

/* The bytes of a payload, in place where they lie so, else in self->raw. */
static status open_payload(wire_unpacker *self, const struct wire_header *header,
                           struct wire_frame payload, struct wire_frame *out)
{
    const size_t length = (size_t)header->raw_length;
    *out = (struct wire_frame){payload_inside(payload.size, payload.data, length), length};
    if (out->data != NULL)
        return STATUS_OK;
    if (reserve(&self->raw, &self->raw_size, length) != STATUS_OK)
        return STATUS_NO_MEMORY;
    const char *why = payload_decode(self->lz4, payload.size, payload.data, length, self->raw);
    out->data = self->raw;
    return why == NULL ? STATUS_OK : refuse(self, why);
}

/* Room for every array of a map of `size` bytes, each aligned. */
static status prepare_shelf(wire_unpacker *self, const struct wire_schema *schema, size_t size)
{
    self->shelf.used = 0;
    return reserve(&self->shelf.data, &self->shelf.size, size + 16 * schema->n);
}

status wire_unpack(wire_unpacker *self, const struct wire_header *header, struct wire_frame payload,
                   union record *out)
{
    const struct wire_schema *schema = wire_schema_find(header->type);
    assert(schema != NULL);
    struct wire_frame raw;
    status done = open_payload(self, header, payload, &raw);
    if (done != STATUS_OK)
        return done;
    uint8_t digest[sizeof header->digest];
    digest_of(raw.size, raw.data, digest);
    if (memcmp(digest, header->digest, sizeof digest) != 0)
        return refuse(self, "the digest does not fit the payload");
    msgpack_object map;
    done = parse(self, raw, &map);
    if (done == STATUS_OK)
        done = prepare_shelf(self, schema, (size_t)header->raw_length);
    if (done != STATUS_OK)
        return done;
    if (map_unpack(&map, schema, out, &self->shelf, sizeof self->reason, self->reason) != NULL)
        return STATUS_BAD_INPUT;
    return STATUS_OK;
}

status wire_unpack_control(wire_unpacker *self, struct wire_frame frame, enum control_type *type,
                           char run_id[RUN_ID_SIZE], union control *out)
{
    if (frame.size > WIRE_CONTROL_MAX)
        return refuse(self, "control frame too large");
    msgpack_object object;
    status done = parse(self, frame, &object);
    if (done != STATUS_OK)
        return done;
    const char *why = check_opening(&object, CONTROL_ITEMS);
    if (why != NULL)
        return refuse(self, why);
    const msgpack_object *item = object.via.array.ptr;
    const struct wire_schema *schema = wire_schema_find((unsigned)item[1].via.u64);
    if (schema == NULL || item[1].via.u64 < CONTROL_GRANT)
        return refuse(self, "no such control type");
    done = prepare_shelf(self, schema, frame.size);
    if (done != STATUS_OK)
        return done;
    if (map_unpack(&item[3], schema, out, &self->shelf, sizeof self->reason, self->reason) != NULL)
        return STATUS_BAD_INPUT;
    *type = (enum control_type)item[1].via.u64;
    copy_run_id(&item[2], run_id);
    return STATUS_OK;
}
