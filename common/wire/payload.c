/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/wire/payload.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <xxhash.h>

/* Of a frame with a content size, without checksums or dictionary. */
enum {
    FRAME_HEAD = 15, /* magic, flags, block size, content size, checksum of these */
    BLOCK_HEAD = 4,
    FRAME_END = 4,
    FLAGS = 0x68,      /* version 1, independent blocks, content size */
    BLOCK_CODE = 0x70, /* blocks of up to 4 MiB, the largest there are */
    BLOCK_MAX = 4 << 20
};
#define MAGIC      0x184D2204U
#define STORED_BIT 0x80000000U

static void put_u32(uint8_t at[], uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static size_t blocks_of(size_t raw)
{
    return (raw + BLOCK_MAX - 1) / BLOCK_MAX;
}

static void put_head(uint8_t head[FRAME_HEAD], size_t raw)
{
    const uint64_t content = raw;
    put_u32(head, MAGIC);
    head[4] = FLAGS;
    head[5] = BLOCK_CODE;
    memcpy(head + 6, &content, sizeof content);
    head[14] = (uint8_t)(XXH32(head + 4, 10, 0) >> 8);
}

size_t payload_offset(size_t raw)
{
    assert(raw > 0);
    return FRAME_HEAD + BLOCK_HEAD * blocks_of(raw);
}

static LZ4F_preferences_t preferences_for(size_t raw)
{
    return (LZ4F_preferences_t){
        .frameInfo = {.blockMode = LZ4F_blockIndependent,
                      .contentChecksumFlag = LZ4F_contentChecksumEnabled,
                      .contentSize = raw},
    };
}

size_t payload_bound(enum payload_coding coding, size_t raw)
{
    if (coding == PAYLOAD_STORED)
        return payload_offset(raw) + raw + FRAME_END;
    const LZ4F_preferences_t preferences = preferences_for(raw);
    return LZ4F_compressFrameBound(raw, &preferences);
}

size_t payload_store(uint8_t frame[], size_t offset, size_t raw)
{
    assert(offset >= payload_offset(raw));
    uint8_t *to = frame + FRAME_HEAD;
    const uint8_t *from = frame + offset;
    put_head(frame, raw);
    for (size_t left = raw; left > 0;) {
        const size_t some = left < BLOCK_MAX ? left : BLOCK_MAX;
        /* With one block, or at the last of several, the bytes lie in their place already. */
        if (to + BLOCK_HEAD != from)
            memmove(to + BLOCK_HEAD, from, some);
        put_u32(to, STORED_BIT | (uint32_t)some);
        to += BLOCK_HEAD + some;
        from += some;
        left -= some;
    }
    put_u32(to, 0);
    return (size_t)(to - frame) + FRAME_END;
}

size_t payload_compress(size_t raw, const uint8_t bytes[], size_t room, uint8_t frame[])
{
    const LZ4F_preferences_t preferences = preferences_for(raw);
    const size_t size = LZ4F_compressFrame(frame, room, bytes, raw, &preferences);
    return LZ4F_isError(size) ? 0 : size;
}

const uint8_t *payload_inside(size_t size, const uint8_t frame[], size_t raw)
{
    uint8_t expected[FRAME_HEAD + BLOCK_HEAD];
    static const uint8_t end[FRAME_END] = {0};
    if (raw == 0 || raw > BLOCK_MAX || size != sizeof expected + raw + FRAME_END)
        return NULL;
    put_head(expected, raw);
    put_u32(expected + FRAME_HEAD, STORED_BIT | (uint32_t)raw);
    if (memcmp(frame, expected, sizeof expected) != 0 ||
        memcmp(frame + size - FRAME_END, end, FRAME_END) != 0)
        return NULL;
    return frame + sizeof expected;
}

const char *payload_decode(LZ4F_dctx *lz4, size_t size, const uint8_t frame[], size_t raw,
                           uint8_t bytes[])
{
    LZ4F_resetDecompressionContext(lz4);
    LZ4F_frameInfo_t info;
    size_t used = size;
    if (LZ4F_isError(LZ4F_getFrameInfo(lz4, &info, frame, &used)))
        return "payload is no LZ4 frame";
    if (info.contentSize != raw)
        return "LZ4 content size differs from the header's raw length";
    size_t done = 0;
    size_t left = 1;
    while (left > 0 && used < size) {
        size_t got = raw - done;
        size_t taken = size - used;
        left = LZ4F_decompress(lz4, bytes + done, &got, frame + used, &taken, NULL);
        if (LZ4F_isError(left) || (got == 0 && taken == 0))
            return "payload is a damaged LZ4 frame";
        done += got;
        used += taken;
    }
    if (left != 0 || used != size || done != raw)
        return "payload is a truncated or trailing LZ4 frame";
    return NULL;
}
