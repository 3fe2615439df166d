/* SPDX-License-Identifier: GPL-3.0-or-later */
/* content: what a file holds, by the digest of all its bytes, and how to see without reading it
 * again that it still holds that. */
#ifndef COMMON_STORE_DISK_CONTENT_H
#define COMMON_STORE_DISK_CONTENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"

enum { CONTENT_DIGEST_BYTES = 16, CONTENT_HEX_SIZE = 2 * CONTENT_DIGEST_BYTES + 1 };

/* A file and the last time it was changed. No write, cut or replacement leaves all of it as it was:
 * the kernel sets ctime, and nobody can put it back. */
struct file_identity {
    uint64_t device;
    uint64_t inode;
    uint64_t size;    /* bytes */
    int64_t mtime_ns; /* since 1970 */
    int64_t ctime_ns;
};

struct content {
    struct file_identity identity;
    uint8_t digest[CONTENT_DIGEST_BYTES]; /* XXH3-128 of all bytes, canonical */
};

/* Of the regular file at path, symbolic links followed, or open at fd. STATUS_BAD_INPUT, not
 * logged, if there is none or it is something else; errno tells then why, 0: no regular file. */
MUST_CHECK status file_identity_of(const char *path, struct file_identity *out);
MUST_CHECK status file_identity_of_open(int fd, struct file_identity *out);
bool file_identity_equal(const struct file_identity *a, const struct file_identity *b);
/* An array of five integers; a new reference, NULL when out of memory. */
json_t *file_identity_to_json(const struct file_identity *self);
/* False if value is not such an array. */
bool file_identity_from_json(struct file_identity *out, const json_t *value);

/* Reads the file from end to end. When it returns, any later change of the file changes its
 * identity too. A file that changes meanwhile is read again, at most three times. STATUS_BAD_INPUT,
 * logged with the path, for a file that is missing, cannot be read, is no regular file or does not
 * come to rest. */
MUST_CHECK status content_read(struct content *out, const char *path);
/* The digest as lower-case hex digits. */
void content_hex(const struct content *self, char out[CONTENT_HEX_SIZE]);
/* Sets the digest; false if hex is not as many hex digits. */
bool content_from_hex(struct content *self, const char *hex);

#endif
