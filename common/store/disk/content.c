/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/disk/content.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/base/clock.h"
#include "common/base/log.h"

enum { BLOCK = 1 << 20, TRIES = 3, IDENTITY_FIELDS = 5, NOTICE_MS = 3000 };

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

static status identity_of(const struct stat *about, struct file_identity *out)
{
    if (!S_ISREG(about->st_mode)) {
        errno = 0;
        return STATUS_BAD_INPUT;
    }
    *out = (struct file_identity){.device = about->st_dev,
                                  .inode = about->st_ino,
                                  .size = (uint64_t)about->st_size,
                                  .mtime_ns = nanoseconds(&about->st_mtim),
                                  .ctime_ns = nanoseconds(&about->st_ctim)};
    return STATUS_OK;
}

status file_identity_of(const char *path, struct file_identity *out)
{
    struct stat about;
    return stat(path, &about) == 0 ? identity_of(&about, out) : STATUS_BAD_INPUT;
}

status file_identity_of_open(int fd, struct file_identity *out)
{
    struct stat about;
    return fstat(fd, &about) == 0 ? identity_of(&about, out) : STATUS_BAD_INPUT;
}

bool file_identity_equal(const struct file_identity *a, const struct file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

json_t *file_identity_to_json(const struct file_identity *self)
{
    return json_pack("[I, I, I, I, I]", (json_int_t)self->device, (json_int_t)self->inode,
                     (json_int_t)self->size, (json_int_t)self->mtime_ns,
                     (json_int_t)self->ctime_ns);
}

bool file_identity_from_json(struct file_identity *out, const json_t *value)
{
    json_int_t field[IDENTITY_FIELDS];
    for (size_t i = 0; i < IDENTITY_FIELDS; i++) {
        const json_t *number = json_array_get(value, i);
        if (!json_is_integer(number))
            return false;
        field[i] = json_integer_value(number);
    }
    *out = (struct file_identity){.device = (uint64_t)field[0],
                                  .inode = (uint64_t)field[1],
                                  .size = (uint64_t)field[2],
                                  .mtime_ns = field[3],
                                  .ctime_ns = field[4]};
    return json_array_size(value) == IDENTITY_FIELDS;
}

/* Waits, a few milliseconds, until the kernel's clock of time stamps has gone on from the last
 * change of the file: a change from now on gets another ctime. A time stamp of the future is not
 * waited for. */
static void let_clock_go_on(const struct file_identity *identity)
{
    enum { TURNS = 50 };
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int turn = 0; turn < TURNS; turn++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
        if (nanoseconds(&now) > identity->ctime_ns)
            return;
        nanosleep(&pause, NULL);
    }
}

/* Feeds all bytes to the digest; errno tells why not. */
static bool read_all(int fd, const char *path, uint64_t size, uint8_t block[], XXH3_state_t *digest)
{
    uint64_t done = 0;
    uint64_t told_ms = clock_ms();
    ssize_t n;
    while ((n = read(fd, block, BLOCK)) > 0 || (n < 0 && errno == EINTR)) {
        if (n < 0)
            continue;
        XXH3_128bits_update(digest, block, (size_t)n);
        done += (uint64_t)n;
        if (clock_ms() - told_ms < NOTICE_MS)
            continue;
        told_ms = clock_ms();
        log_info("reading %s to name its content: %" PRIu64 " of %" PRIu64 " MB", path,
                 done / 1000000, size / 1000000);
    }
    return n == 0;
}

/* Once from end to end; *still: nobody changed the file meanwhile. */
static status read_once(struct content *out, const char *path, int fd, uint8_t block[],
                        XXH3_state_t *digest, bool *still)
{
    if (file_identity_of_open(fd, &out->identity) != STATUS_OK) {
        log_error("%s: %s", path, errno == 0 ? "is no regular file" : strerror(errno));
        return STATUS_BAD_INPUT;
    }
    let_clock_go_on(&out->identity);
    XXH3_128bits_reset(digest);
    if (lseek(fd, 0, SEEK_SET) != 0 || !read_all(fd, path, out->identity.size, block, digest)) {
        log_error("%s: cannot be read: %s", path, strerror(errno));
        return STATUS_BAD_INPUT;
    }
    XXH128_canonicalFromHash((XXH128_canonical_t *)out->digest, XXH3_128bits_digest(digest));
    struct file_identity after;
    *still = file_identity_of_open(fd, &after) == STATUS_OK &&
             file_identity_equal(&out->identity, &after);
    return STATUS_OK;
}

static status read_at_rest(struct content *out, const char *path, int fd, uint8_t block[],
                           XXH3_state_t *digest)
{
    for (int i = 0; i < TRIES; i++) {
        bool still = false;
        const status done = read_once(out, path, fd, block, digest, &still);
        if (done != STATUS_OK || still)
            return done;
    }
    log_error("%s: somebody goes on changing it while it is read; try again when it is complete",
              path);
    return STATUS_BAD_INPUT;
}

status content_read(struct content *out, const char *path)
{
    *out = (struct content){0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        log_error("%s: cannot be opened: %s", path, strerror(errno));
        return STATUS_BAD_INPUT;
    }
    uint8_t *block = malloc(BLOCK);
    XXH3_state_t *digest = XXH3_createState();
    const status done = block != NULL && digest != NULL ? read_at_rest(out, path, fd, block, digest)
                                                        : STATUS_NO_MEMORY;
    XXH3_freeState(digest);
    free(block);
    close(fd);
    return done;
}

void content_hex(const struct content *self, char out[CONTENT_HEX_SIZE])
{
    sodium_bin2hex(out, CONTENT_HEX_SIZE, self->digest, sizeof self->digest);
}

bool content_from_hex(struct content *self, const char *hex)
{
    size_t n = 0;
    return strlen(hex) == CONTENT_HEX_SIZE - 1 &&
           sodium_hex2bin(self->digest, sizeof self->digest, hex, strlen(hex), NULL, &n, NULL) ==
               0 &&
           n == sizeof self->digest;
}
