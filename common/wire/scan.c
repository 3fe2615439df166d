/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/wire/scan.h"

/* What one leading byte announces: bytes of the value itself, bytes of a length that follows,
 * and whether the length counts bytes or items. */
struct token {
    uint64_t bytes; /* to skip behind the head */
    uint64_t items; /* objects nested inside */
    bool valid;
};

static uint64_t big_endian(const uint8_t *at, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | at[i];
    return value;
}

/* Heads 0xc0 .. 0xdf; *head grows by the bytes of a length field. */
static struct token read_token(const uint8_t *at, size_t left, size_t *head)
{
    struct token token = {.valid = true};
    const uint8_t lead = at[0];
    size_t length_bytes = 0;
    *head = 1;
    if (lead <= 0x7f || lead >= 0xe0 || lead == 0xc0 || lead == 0xc2 || lead == 0xc3)
        return token; /* small integers, nil, false, true */
    if (lead <= 0x8f) {
        token.items = 2 * (uint64_t)(lead & 0x0f);
        return token;
    }
    if (lead <= 0x9f) {
        token.items = lead & 0x0f;
        return token;
    }
    if (lead <= 0xbf) {
        token.bytes = lead & 0x1f;
        return token;
    }
    switch (lead) {
    case 0xca: /* float 32 */
        token.bytes = 4;
        return token;
    case 0xcb: /* float 64 */
        token.bytes = 8;
        return token;
    case 0xcc: /* integers of 1, 2, 4, 8 bytes, unsigned and signed */
    case 0xcd:
    case 0xce:
    case 0xcf:
        token.bytes = (uint64_t)1 << (lead - 0xcc);
        return token;
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        token.bytes = (uint64_t)1 << (lead - 0xd0);
        return token;
    case 0xc4: /* bin and str of 1, 2, 4 bytes of length */
    case 0xd9:
        length_bytes = 1;
        break;
    case 0xc5:
    case 0xda:
    case 0xdc: /* array, map */
    case 0xde:
        length_bytes = 2;
        break;
    case 0xc6:
    case 0xdb:
    case 0xdd:
    case 0xdf:
        length_bytes = 4;
        break;
    default: /* extensions and the unused 0xc1 */
        token.valid = false;
        return token;
    }
    if (left < 1 + length_bytes) {
        token.valid = false;
        return token;
    }
    *head += length_bytes;
    const uint64_t length = big_endian(at + 1, length_bytes);
    if (lead == 0xdc || lead == 0xdd)
        token.items = length;
    else if (lead == 0xde || lead == 0xdf)
        token.items = 2 * length;
    else
        token.bytes = length;
    return token;
}

bool scan_msgpack(const uint8_t *data, size_t size)
{
    uint64_t wanted[SCAN_DEPTH_MAX + 1] = {1}; /* objects still to come per level */
    size_t depth = 0;
    size_t at = 0;
    for (;;) {
        while (wanted[depth] == 0) {
            if (depth == 0)
                return at == size;
            depth--;
        }
        wanted[depth]--;
        if (at == size)
            return false;
        size_t head = 0;
        const struct token token = read_token(data + at, size - at, &head);
        /* Each item is a byte at least. */
        if (!token.valid || token.bytes > size - at - head || token.items > size - at - head)
            return false;
        at += head + (size_t)token.bytes;
        if (token.items > 0) {
            if (depth == SCAN_DEPTH_MAX)
                return false;
            wanted[++depth] = token.items;
        }
    }
}
