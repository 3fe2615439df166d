/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/reference/reference_aloud.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum { SHOWN = 9 }; /* bytes of a line */

/* Where we are in the bytes, and how a bin that comes next is to be read. */
struct reading {
    FILE *to;
    size_t size;
    const uint8_t *bytes;
    size_t at;
    int depth;
    char key[40]; /* of the map entry whose value comes next; empty: none */
};

/* Offset and bytes of the next item; its words are to follow. Goes behind it. */
static void begin_line(struct reading *self, size_t n)
{
    assert(n <= self->size - self->at);
    fprintf(self->to, "%04zx ", self->at);
    for (size_t i = 0; i < SHOWN; i++)
        if (i < n)
            fprintf(self->to, " %02x", self->bytes[self->at + i]);
        else
            fputs("   ", self->to);
    fprintf(self->to, " %s  %*s", n > SHOWN ? ".." : "  ", 2 * self->depth, "");
    self->at += n;
}

static uint64_t big_endian(const uint8_t *from, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | from[i];
    return value;
}

static uint64_t little_endian(const uint8_t *from, size_t n)
{
    uint64_t value = 0;
    for (size_t i = n; i > 0; i--)
        value = value << 8 | from[i - 1];
    return value;
}

static double as_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A column, by its field; a digest is none. */
static void print_bin(const struct reading *self, const uint8_t *from, size_t n)
{
    fprintf(self->to, "a bin of %zu bytes", n);
    const bool doubles = strcmp(self->key, "mass") == 0 || strcmp(self->key, "mls") == 0;
    const bool integers = strcmp(self->key, "bin") == 0;
    const char *before = doubles ? ", f64 little-endian: " : ", i32 little-endian: ";
    const size_t width = doubles ? sizeof(double) : sizeof(int32_t);
    for (size_t i = 0; (doubles || integers) && i < n; i += width) {
        fputs(before, self->to);
        if (doubles)
            fprintf(self->to, "%.17g", as_double(little_endian(from + i, width)));
        else
            fprintf(self->to, "%" PRId32, (int32_t)little_endian(from + i, width));
        before = ", ";
    }
    fputc('\n', self->to);
}

static void read_item(struct reading *self, const char *name, const char *const names[]);

static void read_array(struct reading *self, size_t n, const char *const names[])
{
    begin_line(self, 1);
    fprintf(self->to, "an array of %zu\n", n);
    self->depth++;
    for (size_t i = 0; i < n; i++)
        read_item(self, names != NULL && *names != NULL ? *names++ : NULL, NULL);
    self->depth--;
}

static void read_map(struct reading *self, size_t head, size_t n)
{
    begin_line(self, head);
    fprintf(self->to, "a map of %zu\n", n);
    self->depth++;
    for (size_t i = 0; i < n; i++) {
        const size_t length = self->bytes[self->at] & 0x1f; /* a short text */
        assert((self->bytes[self->at] & 0xe0) == 0xa0 && length < sizeof self->key);
        memcpy(self->key, self->bytes + self->at + 1, length);
        self->key[length] = '\0';
        begin_line(self, 1 + length);
        fprintf(self->to, "%s:\n", self->key);
        self->depth++;
        read_item(self, NULL, NULL);
        self->depth--;
        self->key[0] = '\0';
    }
    self->depth--;
}

/* A number, a text or a bin; head: what stands before its n bytes. */
static void read_scalar(struct reading *self, const char *name, size_t head, size_t n)
{
    const uint8_t *from = self->bytes + self->at, kind = *from;
    begin_line(self, head + n);
    if (name != NULL)
        fprintf(self->to, "%s: ", name);
    if (kind < 0x80)
        fprintf(self->to, "%u\n", kind);
    else if (kind == 0xcb)
        fprintf(self->to, "float 64, big-endian: %.17g\n", as_double(big_endian(from + 1, n)));
    else if (kind == 0xc4)
        print_bin(self, from + head, n);
    else if (kind == 0xd9 || (kind & 0xe0) == 0xa0)
        fprintf(self->to, "a text of %zu bytes: %.*s\n", n, (int)n, (const char *)from + head);
    else
        fprintf(self->to, "%" PRIu64 ", in %zu bytes, big-endian\n", big_endian(from + 1, n), n);
}

static void read_item(struct reading *self, const char *name, const char *const names[])
{
    assert(self->at < self->size);
    const uint8_t *from = self->bytes + self->at, kind = *from;
    if (kind < 0x80)
        read_scalar(self, name, 1, 0);
    else if (kind < 0x90)
        read_map(self, 1, kind & 0x0f);
    else if (kind == 0xde)
        read_map(self, 3, (size_t)big_endian(from + 1, 2));
    else if (kind < 0xa0)
        read_array(self, kind & 0x0f, names);
    else if (kind < 0xc0)
        read_scalar(self, name, 1, kind & 0x1f);
    else if (kind == 0xc4 || kind == 0xd9)
        read_scalar(self, name, 2, from[1]);
    else if (kind == 0xcb)
        read_scalar(self, name, 1, sizeof(double));
    else {
        assert(kind >= 0xcc && kind <= 0xcf);
        read_scalar(self, name, 1, (size_t)1 << (kind - 0xcc));
    }
}

void reference_read_msgpack(FILE *to, size_t size, const uint8_t bytes[], const char *const names[])
{
    struct reading self = {.to = to, .size = size, .bytes = bytes};
    read_item(&self, NULL, names);
    assert(self.at == size);
}

/* FLG of the frame descriptor, bit by bit. */
static void print_flags(FILE *to, uint8_t flags)
{
    fprintf(to,
            "version %d of the format, blocks %s, %s block checksums, %s content size, %s content "
            "checksum\n",
            flags >> 6, flags & 0x20 ? "independent" : "linked", flags & 0x10 ? "with" : "no",
            flags & 0x08 ? "with" : "no", flags & 0x04 ? "with" : "no");
}

void reference_read_lz4(FILE *to, size_t size, const uint8_t bytes[])
{
    struct reading self = {.to = to, .size = size, .bytes = bytes};
    const uint8_t flags = bytes[4], largest = bytes[5] >> 4 & 7;
    assert((flags & 0x1d) == 0x08); /* a content size, and no checksum or dictionary */
    begin_line(&self, 4);
    fputs("the magic number of LZ4 frames\n", to);
    begin_line(&self, 1);
    print_flags(to, flags);
    begin_line(&self, 1);
    fprintf(to, "blocks of at most %d KiB\n", 1 << (2 * largest - 2));
    begin_line(&self, 8);
    fprintf(to, "content size: %" PRIu64 "\n", little_endian(bytes + 6, 8));
    begin_line(&self, 1);
    fputs("the checksum of this frame header\n", to);
    const uint64_t block = little_endian(bytes + self.at, 4), stored = UINT64_C(1) << 31;
    assert((block & stored) != 0);
    begin_line(&self, 4);
    fprintf(to, "a block of %" PRIu64 " bytes; the top bit says: stored as it is\n",
            block - stored);
    read_item(&self, NULL, NULL);
    begin_line(&self, 4);
    fputs("no more blocks\n", to);
    assert(self.at == size);
}
