/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/wire/map.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays travel as they lie in memory");

static const uint8_t *at(const void *record, size_t offset)
{
    return (const uint8_t *)record + offset;
}

static uint32_t get_u32(const void *record, size_t offset)
{
    uint32_t value;
    memcpy(&value, at(record, offset), sizeof value);
    return value;
}

/* Elements of an array field, given the struct's scalars. 2^64 - 1 if it does not fit. */
static uint64_t field_elements(const struct wire_field *field, const void *record)
{
    uint64_t n = 1;
    for (unsigned e = 0; e < field->extents; e++) {
        const struct wire_extent *extent = &field->extent[e];
        const uint64_t scalar = extent->times == 0 ? 0 : get_u32(record, extent->of);
        const uint64_t factor = extent->times * scalar + extent->plus;
        if (__builtin_mul_overflow(n, factor, &n))
            return UINT64_MAX;
    }
    return n;
}

static void pack_bytes(msgpack_packer *to, const void *bytes, size_t size)
{
    msgpack_pack_bin(to, size);
    if (size > 0)
        msgpack_pack_bin_body(to, bytes, size);
}

static void pack_scalar(msgpack_packer *to, const struct wire_field *field, const uint8_t *from)
{
    uint32_t u32;
    uint64_t u64;
    double f64;
    switch (field->kind) {
    case WIRE_U32:
        memcpy(&u32, from, sizeof u32);
        msgpack_pack_uint32(to, u32);
        return;
    case WIRE_U64:
        memcpy(&u64, from, sizeof u64);
        msgpack_pack_uint64(to, u64);
        return;
    case WIRE_F64:
        memcpy(&f64, from, sizeof f64);
        msgpack_pack_double(to, f64);
        return;
    case WIRE_TEXT: {
        const size_t length = strnlen((const char *)from, WIRE_TEXT_SIZE - 1);
        msgpack_pack_str(to, length);
        msgpack_pack_str_body(to, from, length);
        return;
    }
    case WIRE_U8:
    case WIRE_I8:
    case WIRE_U16:
    case WIRE_I32:
    case WIRE_F32:
        break;
    }
    assert(!"a scalar of a kind that no schema uses");
}

static void pack_field(msgpack_packer *to, const struct wire_field *field, const void *record)
{
    const uint8_t *from = at(record, field->offset);
    if (field->storage == WIRE_SCALAR) {
        pack_scalar(to, field, from);
        return;
    }
    if (field->storage == WIRE_BYTES) {
        struct wire_bytes bytes;
        memcpy(&bytes, from, sizeof bytes);
        pack_bytes(to, bytes.data, bytes.size);
        return;
    }
    const void *array = from;
    if (field->storage == WIRE_COLUMN)
        memcpy(&array, from, sizeof array);
    if (array == NULL && field->optional) {
        msgpack_pack_nil(to);
        return;
    }
    const uint64_t n = field_elements(field, record);
    assert(n == 0 || array != NULL);
    pack_bytes(to, array, (size_t)n * wire_kind_size(field->kind));
}

/* Bytes of the array of a field; 0 for a scalar and for one that is not known. */
static size_t array_bytes(const struct wire_field *field, const void *record)
{
    const uint8_t *from = at(record, field->offset);
    if (field->storage == WIRE_SCALAR)
        return 0;
    if (field->storage == WIRE_BYTES) {
        struct wire_bytes bytes;
        memcpy(&bytes, from, sizeof bytes);
        return bytes.size;
    }
    const void *array = from;
    if (field->storage == WIRE_COLUMN)
        memcpy(&array, from, sizeof array);
    if (array == NULL)
        return 0;
    return (size_t)field_elements(field, record) * wire_kind_size(field->kind);
}

size_t map_bound(const struct wire_schema *schema, const void *record)
{
    /* The longest head of a map, a text or a bin is 5 bytes, the longest number 9. */
    enum { HEAD = 5, NUMBER = 9 };
    size_t most = HEAD;
    for (size_t i = 0; i < schema->n; i++) {
        const struct wire_field *field = &schema->fields[i];
        const size_t value = field->kind == WIRE_TEXT ? HEAD + WIRE_TEXT_SIZE : NUMBER;
        most += HEAD + strlen(field->name) + value + array_bytes(field, record);
    }
    return most;
}

void map_pack(msgpack_packer *to, const struct wire_schema *schema, const void *record)
{
    msgpack_pack_map(to, schema->n);
    for (size_t i = 0; i < schema->n; i++) {
        const struct wire_field *field = &schema->fields[i];
        msgpack_pack_str(to, strlen(field->name));
        msgpack_pack_str_body(to, field->name, strlen(field->name));
        pack_field(to, field, record);
    }
}

static const char *unpack_scalar(const msgpack_object *value, const struct wire_field *field,
                                 uint8_t *to)
{
    switch (field->kind) {
    case WIRE_U32: {
        if (value->type != MSGPACK_OBJECT_POSITIVE_INTEGER || value->via.u64 > UINT32_MAX)
            return "is no unsigned 32-bit integer";
        const uint32_t u32 = (uint32_t)value->via.u64;
        memcpy(to, &u32, sizeof u32);
        return NULL;
    }
    case WIRE_U64:
        if (value->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
            return "is no unsigned integer";
        memcpy(to, &value->via.u64, sizeof value->via.u64);
        return NULL;
    case WIRE_F64:
        if (value->type != MSGPACK_OBJECT_FLOAT64)
            return "is no 64-bit float";
        memcpy(to, &value->via.f64, sizeof value->via.f64);
        return NULL;
    case WIRE_TEXT:
        if (value->type != MSGPACK_OBJECT_STR || value->via.str.size >= WIRE_TEXT_SIZE)
            return "is no short text";
        memset(to, 0, WIRE_TEXT_SIZE);
        memcpy(to, value->via.str.ptr, value->via.str.size);
        return NULL;
    case WIRE_U8:
    case WIRE_I8:
    case WIRE_U16:
    case WIRE_I32:
    case WIRE_F32:
        break;
    }
    return "is of a kind that no schema uses";
}

/* Where the bytes can be read as elements: in place if aligned, else copied to the shelf. */
static const void *aligned_bytes(const char *bytes, size_t size, size_t element,
                                 struct map_shelf *shelf)
{
    if ((uintptr_t)bytes % element == 0)
        return bytes;
    shelf->used = (shelf->used + 15) & ~(size_t)15;
    assert(shelf->used + size <= shelf->size);
    uint8_t *copy = shelf->data + shelf->used;
    memcpy(copy, bytes, size);
    shelf->used += size;
    return copy;
}

static const char *unpack_array(const msgpack_object *value, const struct wire_field *field,
                                void *record, struct map_shelf *shelf)
{
    static const uint64_t nothing = 0; /* what an empty array points at */
    uint8_t *to = (uint8_t *)record + field->offset;
    if (field->optional && value->type == MSGPACK_OBJECT_NIL) {
        memset(to, 0, sizeof(void *));
        return NULL;
    }
    if (value->type != MSGPACK_OBJECT_BIN)
        return "is no bin";
    const size_t size = value->via.bin.size;
    if (field->storage == WIRE_BYTES) {
        const struct wire_bytes bytes = {(const uint8_t *)value->via.bin.ptr, size};
        memcpy(to, &bytes, sizeof bytes);
        return NULL;
    }
    const size_t element = wire_kind_size(field->kind);
    const uint64_t n = field_elements(field, record);
    if (n > SIZE_MAX / element || size != n * element)
        return "has another length than its extents say";
    if (field->storage == WIRE_INLINE) {
        memcpy(to, value->via.bin.ptr, size);
        return NULL;
    }
    const void *array = &nothing;
    if (size > 0)
        array = aligned_bytes(value->via.bin.ptr, size, element, shelf);
    memcpy(to, &array, sizeof array);
    return NULL;
}

static const char *refuse(size_t size, char reason[], const struct wire_schema *schema,
                          const struct wire_field *field, const char *why)
{
    snprintf(reason, size, "%s: field '%s' %s", schema->name, field->name, why);
    return reason;
}

const char *map_unpack(const msgpack_object *map, const struct wire_schema *schema, void *record,
                       struct map_shelf *shelf, size_t size, char reason[])
{
    if (map->type != MSGPACK_OBJECT_MAP || map->via.map.size != schema->n) {
        snprintf(reason, size, "%s: no map of %zu fields", schema->name, schema->n);
        return reason;
    }
    for (size_t i = 0; i < schema->n; i++) {
        const struct wire_field *field = &schema->fields[i];
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (pair->key.type != MSGPACK_OBJECT_STR || pair->key.via.str.size != strlen(field->name) ||
            memcmp(pair->key.via.str.ptr, field->name, pair->key.via.str.size) != 0)
            return refuse(size, reason, schema, field, "is missing or not in its place");
        const char *why = field->storage == WIRE_SCALAR
                              ? unpack_scalar(&pair->val, field, (uint8_t *)record + field->offset)
                              : unpack_array(&pair->val, field, record, shelf);
        if (why != NULL)
            return refuse(size, reason, schema, field, why);
    }
    return NULL;
}
