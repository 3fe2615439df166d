/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/disk/json_lines.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/disk/atomic_file.h"
#include "common/store/disk/regular_file.h"

enum { DIGEST = 16, HEX = 2 * DIGEST };
#define BEFORE_DIGEST ",\"digest\":\""
#define AFTER_DIGEST  "\"}\n"
/* Bytes of a line behind what its digest is of. */
enum { TAIL = sizeof BEFORE_DIGEST - 1 + HEX + sizeof AFTER_DIGEST - 1 };

/* Where the good lines end, and the digest of the last. */
struct mark {
    off_t size;
    size_t lines;
    char digest[HEX + 1]; /* "" before the first line */
};

struct json_lines {
    char *path;
    int fd;
    FILE *from; /* while reading */
    char *line;
    size_t room;
    struct mark good;
    struct mark before; /* the last good line */
    enum json_lines_rest rest;
    size_t lost;
    bool dirty; /* a line that failed may still stand behind the good ones */
};

static status failure(const json_lines *self, const char *what)
{
    const int error = errno;
    const status outcome = status_of_errno(error);
    if (outcome != STATUS_NO_SPACE)
        log_error("%s: cannot be %s: %s", self->path, what, strerror(error));
    return outcome;
}

status json_lines_open(json_lines **out, const char *path, bool append)
{
    assert(out != NULL && path != NULL);
    *out = NULL;
    json_lines *self = sodium_init() >= 0 ? calloc(1, sizeof *self) : NULL;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->fd = -1;
    self->path = strdup(path);
    status outcome = self->path == NULL
                         ? STATUS_NO_MEMORY
                         : regular_file_open(&self->fd, path, append ? O_RDWR | O_CREAT : O_RDONLY);
    if (outcome == STATUS_OK && append)
        outcome = parent_sync(path);
    if (outcome == STATUS_OK) {
        const int copy = fcntl(self->fd, F_DUPFD_CLOEXEC, 0);
        self->from = copy >= 0 ? fdopen(copy, "r") : NULL;
        if (self->from == NULL) {
            outcome = failure(self, "read");
            if (copy >= 0)
                close(copy);
        }
    }
    if (outcome != STATUS_OK)
        json_lines_close(&self);
    *out = self;
    return outcome;
}

void json_lines_close(json_lines **self)
{
    if (self == NULL || *self == NULL)
        return;
    if ((*self)->from != NULL)
        fclose((*self)->from);
    if ((*self)->fd >= 0)
        close((*self)->fd);
    free((*self)->path);
    free((*self)->line);
    free(*self);
    *self = NULL;
}

/* The digest of a line whose text is text[size], as hex digits. */
static void chain(const char before[HEX + 1], size_t size, const char text[], char out[HEX + 1])
{
    uint8_t digest[DIGEST];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, DIGEST);
    crypto_generichash_update(&state, (const uint8_t *)before, strlen(before));
    crypto_generichash_update(&state, (const uint8_t *)text, size);
    crypto_generichash_final(&state, digest, DIGEST);
    sodium_bin2hex(out, HEX + 1, digest, DIGEST);
}

/* The object of line[size]; NULL if it does not fit its digest. */
static json_t *parse(const json_lines *self, size_t size, char line[], char digest[HEX + 1])
{
    if (size <= TAIL || line[size - 1] != '\n')
        return NULL;
    const size_t text = size - TAIL;
    chain(self->good.digest, text, line, digest);
    const char *end = line + text;
    if (memcmp(end, BEFORE_DIGEST, sizeof BEFORE_DIGEST - 1) != 0 ||
        memcmp(end + sizeof BEFORE_DIGEST - 1, digest, HEX) != 0 ||
        memcmp(line + size - (sizeof AFTER_DIGEST - 1), AFTER_DIGEST, sizeof AFTER_DIGEST - 1) != 0)
        return NULL;
    json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
    if (object != NULL)
        json_object_del(object, "digest");
    return object;
}

/* The line in hand is not good: it and those behind it are counted. */
static void count_lost(json_lines *self, ssize_t n)
{
    self->rest = n > 0 && self->line[n - 1] != '\n' ? JSON_LINES_TORN : JSON_LINES_DAMAGED;
    for (; n > 0; n = getline(&self->line, &self->room, self->from))
        self->lost++;
    fclose(self->from);
    self->from = NULL;
}

status json_lines_next(json_lines *self, json_t **object)
{
    *object = NULL;
    if (self->from == NULL)
        return STATUS_OK;
    errno = 0;
    const ssize_t n = getline(&self->line, &self->room, self->from);
    if (n <= 0) {
        const bool failed = ferror(self->from) != 0;
        fclose(self->from);
        self->from = NULL;
        return failed ? failure(self, "read") : STATUS_OK;
    }
    struct mark next = {.size = self->good.size + n, .lines = self->good.lines + 1};
    *object = parse(self, (size_t)n, self->line, next.digest);
    if (*object == NULL) {
        count_lost(self, n);
        return STATUS_OK;
    }
    self->before = self->good;
    self->good = next;
    return STATUS_OK;
}

void json_lines_reject(json_lines *self)
{
    assert(self->from != NULL && self->good.lines > 0);
    self->good = self->before;
    count_lost(self, 1);
    self->rest = JSON_LINES_DAMAGED;
}

enum json_lines_rest json_lines_rest(const json_lines *self)
{
    return self->rest;
}

size_t json_lines_good(const json_lines *self)
{
    return self->good.lines;
}

size_t json_lines_lost(const json_lines *self)
{
    return self->lost;
}

/* Every byte of the file in memory; NULL, logged, if it cannot be read. */
static char *all_bytes(const json_lines *self, size_t *size)
{
    struct stat about;
    char *bytes = fstat(self->fd, &about) == 0 ? malloc((size_t)about.st_size + 1) : NULL;
    *size = 0;
    for (ssize_t n = 1; bytes != NULL && n > 0; *size += n > 0 ? (size_t)n : 0)
        n = pread(self->fd, bytes + *size, (size_t)about.st_size - *size, (off_t)*size);
    return bytes;
}

static status keep_copy(const json_lines *self, char copy[4096])
{
    struct stat there;
    size_t size;
    char *bytes = all_bytes(self, &size);
    if (bytes == NULL)
        return STATUS_NO_MEMORY;
    snprintf(copy, 4096, "%.4000s.damaged", self->path);
    for (unsigned n = 1; lstat(copy, &there) == 0; n++)
        snprintf(copy, 4096, "%.4000s.damaged.%u", self->path, n);
    const status outcome = atomic_file_replace(copy, size, bytes);
    free(bytes);
    return outcome;
}

static status cut_to_good(json_lines *self)
{
    if (ftruncate(self->fd, self->good.size) != 0)
        return failure(self, "cut to its good lines");
    self->dirty = false;
    return STATUS_OK;
}

status json_lines_cut(json_lines *self, char copy[4096])
{
    copy[0] = '\0';
    status outcome = self->rest == JSON_LINES_DAMAGED ? keep_copy(self, copy) : STATUS_OK;
    if (outcome == STATUS_OK && self->rest != JSON_LINES_NOTHING)
        outcome = cut_to_good(self);
    return outcome;
}

/* The line with its digest; *size gets its bytes. NULL when out of memory. */
static char *line_of(const json_lines *self, const json_t *object, char digest[HEX + 1],
                     size_t *size)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (text == NULL)
        return NULL;
    const size_t length = strlen(text) - 1; /* without the closing brace */
    chain(self->good.digest, length, text, digest);
    char *line = malloc(length + TAIL + 1);
    if (line != NULL)
        *size = (size_t)sprintf(line, "%.*s" BEFORE_DIGEST "%s" AFTER_DIGEST, (int)length, text,
                                digest);
    free(text);
    return line;
}

static status write_line(json_lines *self, size_t size, const char line[])
{
    for (size_t done = 0; done < size;) {
        const ssize_t n = pwrite(self->fd, line + done, size - done, self->good.size + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failure(self, "written");
        done += (size_t)n;
    }
    return fsync(self->fd) == 0 ? STATUS_OK : failure(self, "made durable");
}

status json_lines_append(json_lines *self, const json_t *object)
{
    assert(self->from == NULL && json_object_size(object) > 0);
    struct mark next = {.lines = self->good.lines + 1};
    size_t size = 0;
    char *line = line_of(self, object, next.digest, &size);
    if (line == NULL)
        return STATUS_NO_MEMORY;
    status outcome = self->dirty ? cut_to_good(self) : STATUS_OK;
    if (outcome == STATUS_OK)
        outcome = write_line(self, size, line);
    free(line);
    if (outcome != STATUS_OK) {
        /* If this fails too it is done before the next line. */
        self->dirty = ftruncate(self->fd, self->good.size) != 0;
        return outcome;
    }
    next.size = self->good.size + (off_t)size;
    self->good = next;
    return STATUS_OK;
}
