/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The manifest is the truth: a segment counts when the manifest that lists it has its name. A kill
 * between the two renames leaves a segment that is not listed; between any other two steps, a
 * temporary file. Both go at the next open. */
#include "common/store/log_folder.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/log/log.h"
#include "common/store/atomic_file.h"
#include "common/store/log_manifest.h"

struct log_folder {
    char *path;
    char *manifest_path;
    int lock; /* -1: not held */
    struct log_manifest manifest;
    /* A manifest was renamed into place but may not be durable: which one a power cut would leave
     * is not known, so it is written again before anything else. */
    bool doubtful;
};

enum { LOCK_WAIT_MS = 5000, LOCK_RETRY_MS = 20, DIGEST_BLOCK = 1 << 16 };

static void segment_name(size_t i, size_t size, char out[])
{
    snprintf(out, size, "segment-%06zu.h5", i);
}

void log_folder_path(const log_folder *self, size_t i, size_t size, char out[])
{
    char name[40];
    segment_name(i, sizeof name, name);
    snprintf(out, size, "%s/%s", self->path, name);
}

/* mkdir -p, durable. */
static status make_folders(const char *path)
{
    char *part = strdup(path);
    if (part == NULL)
        return STATUS_NO_MEMORY;
    status outcome = STATUS_OK;
    for (size_t end = 1; outcome == STATUS_OK && end <= strlen(path); end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        part[end] = '\0';
        if (mkdir(part, 0777) == 0) {
            outcome = parent_sync(part);
        } else if (errno != EEXIST) {
            outcome = status_of_errno(errno);
            log_error("%s: the folder cannot be made: %s", part, strerror(errno));
        }
        part[end] = path[end];
    }
    free(part);
    return outcome;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The kernel drops a dead owner's lock, but a killed owner may still be on its way out. */
static status wait_for_lock(const log_folder *self, int kind)
{
    const int64_t give_up = now_ms() + LOCK_WAIT_MS;
    while (flock(self->lock, kind | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            log_error("%s: the lock cannot be taken: %s", self->path, strerror(errno));
            return STATUS_IO;
        }
        if (now_ms() >= give_up) {
            log_error("%s: another log %s this folder", self->path,
                      kind == LOCK_SH ? "writes to" : "writes to or reads");
            return STATUS_LOCKED;
        }
        poll(NULL, 0, LOCK_RETRY_MS);
    }
    return STATUS_OK;
}

static status take_lock(log_folder *self)
{
    char *path;
    if (asprintf(&path, "%s/lock", self->path) < 0)
        return STATUS_NO_MEMORY;
    self->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (self->lock < 0)
        log_error("%s: cannot be opened: %s", path, strerror(errno));
    const status outcome = self->lock < 0 ? status_of_errno(errno) : wait_for_lock(self, LOCK_EX);
    free(path);
    return outcome;
}

/* A reader's, which cannot make the file: where nobody can write, there is nothing to wait for. */
static status take_shared_lock(log_folder *self)
{
    char *path;
    if (asprintf(&path, "%s/lock", self->path) < 0)
        return STATUS_NO_MEMORY;
    self->lock = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    free(path);
    return self->lock < 0 ? STATUS_OK : wait_for_lock(self, LOCK_SH);
}

/* The number in segment-NUMBER.h5 (with tail ".h5"), or -1 for any other name. */
static intmax_t segment_number(const char *name, const char *tail)
{
    static const char head[] = "segment-";
    if (strncmp(name, head, sizeof head - 1) != 0)
        return -1;
    const char *digits = name + sizeof head - 1;
    const size_t n = strspn(digits, "0123456789");
    if (n < 6 || n > 18 || strcmp(digits + n, tail) != 0)
        return -1;
    return strtoimax(digits, NULL, 10);
}

static bool is_leftover(const char *name)
{
    return segment_number(name, ".h5.tmp") >= 0 || strcmp(name, "manifest.json.tmp") == 0;
}

/* Calls back for every name in the folder. */
static status each_name(log_folder *self, void (*use)(log_folder *self, const char *name))
{
    DIR *folder = opendir(self->path);
    if (folder == NULL) {
        log_error("%s: the folder cannot be read: %s", self->path, strerror(errno));
        return STATUS_IO;
    }
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(folder)) != NULL)
        use(self, entry->d_name);
    const int error = errno;
    closedir(folder);
    if (error == 0)
        return STATUS_OK;
    log_error("%s: the folder cannot be read: %s", self->path, strerror(error));
    return STATUS_IO;
}

static void remove_unlisted(log_folder *self, const char *name)
{
    const intmax_t number = segment_number(name, ".h5");
    const bool unlisted = number >= 0 && (uintmax_t)number >= self->manifest.n;
    if (!unlisted && !is_leftover(name))
        return;
    char *path;
    if (asprintf(&path, "%s/%s", self->path, name) < 0)
        return;
    if (unlink(path) != 0)
        log_warning("%s: a leftover that cannot be removed: %s", path, strerror(errno));
    else if (unlisted)
        log_info("%s: removed, the manifest does not list it", path);
    free(path);
}

/* Digest of a whole file; false if it cannot be read. */
static bool file_digest(const char *path, uint8_t digest[16])
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    uint8_t block[DIGEST_BLOCK];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 16);
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            crypto_generichash_update(&state, block, (size_t)n);
    crypto_generichash_final(&state, digest, 16);
    close(fd);
    return n == 0;
}

/* Whether segment i is as it was sealed. */
static bool segment_is_whole(const log_folder *self, size_t i)
{
    char path[4096];
    uint8_t digest[16];
    log_folder_path(self, i, sizeof path, path);
    return file_digest(path, digest) &&
           memcmp(digest, self->manifest.segments[i].digest, sizeof digest) == 0;
}

/* Cuts the manifest to the longest run of segments from the start that are as they were sealed. */
static status keep_valid_segments(log_folder *self)
{
    const size_t listed = self->manifest.n;
    for (size_t i = 0; i < listed; i++) {
        if (segment_is_whole(self, i))
            continue;
        char path[4096];
        log_folder_path(self, i, sizeof path, path);
        log_warning("%s: missing or damaged; %zu of %zu segments are kept", path, i, listed);
        self->manifest.n = i;
        self->manifest.complete = false;
        break;
    }
    if (listed == 0 || self->manifest.n > 0)
        return STATUS_OK;
    log_error("%s: none of %zu segments is usable from the start; nothing was changed. Restore the "
              "folder, or remove it to begin anew",
              self->path, listed);
    return STATUS_BAD_INPUT;
}

/* The whole text of the manifest; *text stays NULL if there is none. */
static status read_manifest(const log_folder *self, char **text, size_t *size)
{
    *text = NULL;
    *size = 0;
    const int fd = open(self->manifest_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return STATUS_OK;
    struct stat found = {0};
    if (fd >= 0 && fstat(fd, &found) == 0)
        *text = malloc((size_t)found.st_size + 1);
    if (*text != NULL && read(fd, *text, (size_t)found.st_size) == found.st_size) {
        *size = (size_t)found.st_size;
        close(fd);
        return STATUS_OK;
    }
    log_error("%s: cannot be read: %s", self->manifest_path, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(*text);
    *text = NULL;
    return STATUS_IO;
}

static status write_manifest(const log_folder *self)
{
    char *text = log_manifest_text(&self->manifest);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    const status outcome = atomic_file_replace(self->manifest_path, strlen(text), text);
    free(text);
    return outcome;
}

/* True unless the manifest on disk is surely not the one in memory. */
static bool manifest_may_be_ours(const log_folder *self)
{
    char *ours = log_manifest_text(&self->manifest);
    char *found = NULL;
    size_t size;
    const bool known = ours != NULL && read_manifest(self, &found, &size) == STATUS_OK;
    const bool differs =
        known && (found == NULL || size != strlen(ours) || memcmp(ours, found, size) != 0);
    free(found);
    free(ours);
    return !differs;
}

static void refuse_orphan(log_folder *self, const char *name)
{
    if (segment_number(name, ".h5") >= 0)
        self->manifest.n++;
}

/* A folder without manifest is new, or has lost it: segments never come first. */
static status check_new(log_folder *self)
{
    status outcome = each_name(self, refuse_orphan);
    if (outcome == STATUS_OK && self->manifest.n > 0) {
        log_error("%s: %zu segments without manifest.json; nothing was changed", self->path,
                  self->manifest.n);
        outcome = STATUS_BAD_INPUT;
    }
    self->manifest.n = 0;
    return outcome;
}

static status load(log_folder *self)
{
    char *text;
    size_t size;
    status outcome = read_manifest(self, &text, &size);
    if (outcome != STATUS_OK)
        return outcome;
    if (text == NULL)
        return check_new(self);
    outcome = log_manifest_parse(&self->manifest, self->manifest_path, size, text);
    free(text);
    return outcome == STATUS_OK ? keep_valid_segments(self) : outcome;
}

static status set_header(log_folder *self, const char *header)
{
    if (header == NULL)
        return STATUS_OK;
    json_error_t error;
    json_t *made_from = json_loads(header, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(made_from)) {
        log_error("%s: what the log was made from is no JSON object: %s", self->path,
                  made_from == NULL ? error.text : "another value");
        json_decref(made_from);
        return STATUS_BAD_INPUT;
    }
    json_decref(self->manifest.made_from);
    self->manifest.made_from = made_from;
    return STATUS_OK;
}

static status open_locked(log_folder *self, const char *header)
{
    status outcome = load(self);
    if (outcome == STATUS_OK)
        outcome = set_header(self, header);
    if (outcome != STATUS_OK)
        return outcome;
    self->manifest.epoch++;
    outcome = write_manifest(self);
    if (outcome == STATUS_NO_SPACE)
        log_error("%s: cannot be written: no space left", self->manifest_path);
    return outcome == STATUS_OK ? each_name(self, remove_unlisted) : outcome;
}

/* An object without lock or manifest; NULL when out of memory. */
static log_folder *new_folder(const char *path)
{
    log_folder *self = sodium_init() >= 0 ? calloc(1, sizeof *self) : NULL;
    if (self == NULL)
        return NULL;
    self->lock = -1;
    self->path = strdup(path);
    if (self->path == NULL || asprintf(&self->manifest_path, "%s/manifest.json", path) < 0) {
        self->manifest_path = NULL;
        log_folder_close(&self);
    }
    return self;
}

status log_folder_open(log_folder **out, const char *path, const char *log_id, uint32_t n_sources,
                       const char *header)
{
    assert(out != NULL && path != NULL && log_id != NULL && n_sources > 0);
    *out = NULL;
    log_folder *self = new_folder(path);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    status outcome = log_manifest_init(&self->manifest, log_id, n_sources);
    if (outcome == STATUS_OK)
        outcome = make_folders(path);
    if (outcome == STATUS_OK)
        outcome = take_lock(self);
    if (outcome == STATUS_OK)
        outcome = open_locked(self, header);
    if (outcome != STATUS_OK)
        goto fail;
    *out = self;
    return STATUS_OK;
fail:
    log_folder_close(&self);
    return outcome;
}

/* The manifest of somebody else's log. */
static status load_manifest(log_folder *self)
{
    char *text;
    size_t size;
    status outcome = read_manifest(self, &text, &size);
    if (outcome == STATUS_OK && text == NULL) {
        log_error("%s: there is no such file, so %s is no log folder", self->manifest_path,
                  self->path);
        return STATUS_BAD_INPUT;
    }
    if (outcome == STATUS_OK)
        outcome = log_manifest_init(&self->manifest, NULL, 0);
    if (outcome == STATUS_OK)
        outcome = log_manifest_parse(&self->manifest, self->manifest_path, size, text);
    free(text);
    return outcome;
}

status log_folder_read(log_folder **out, const char *path)
{
    assert(out != NULL && path != NULL);
    *out = NULL;
    log_folder *self = new_folder(path);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    status outcome = take_shared_lock(self);
    if (outcome == STATUS_OK)
        outcome = load_manifest(self);
    if (outcome != STATUS_OK)
        log_folder_close(&self);
    *out = self;
    return outcome;
}

status log_folder_verify(const log_folder *self)
{
    for (size_t i = 0; i < self->manifest.n; i++) {
        if (segment_is_whole(self, i))
            continue;
        char path[4096];
        log_folder_path(self, i, sizeof path, path);
        log_error("%s: missing, or not as it was sealed", path);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

void log_folder_close(log_folder **self)
{
    if (self == NULL || *self == NULL)
        return;
    log_manifest_fini(&(*self)->manifest);
    if ((*self)->lock >= 0)
        close((*self)->lock);
    free((*self)->path);
    free((*self)->manifest_path);
    free(*self);
    *self = NULL;
}

const char *log_folder_name(const log_folder *self)
{
    return self->path;
}

const char *log_folder_log_id(const log_folder *self)
{
    return self->manifest.log_id;
}

uint32_t log_folder_sources(const log_folder *self)
{
    return self->manifest.n_sources;
}

json_t *log_folder_made_from(const log_folder *self)
{
    return self->manifest.made_from;
}

bool log_folder_complete(const log_folder *self)
{
    return self->manifest.complete;
}

uint64_t log_folder_epoch(const log_folder *self)
{
    return self->manifest.epoch;
}

size_t log_folder_segments(const log_folder *self)
{
    return self->manifest.n;
}

const struct log_folder_segment *log_folder_segment(const log_folder *self, size_t i)
{
    assert(i < self->manifest.n);
    return &self->manifest.segments[i];
}

uint64_t log_folder_places(const log_folder *self)
{
    if (self->manifest.n == 0)
        return 0;
    const struct log_folder_segment *last = &self->manifest.segments[self->manifest.n - 1];
    return last->first_place + last->batches;
}

uint64_t log_folder_next_seq(const log_folder *self, uint32_t source)
{
    assert(source < self->manifest.n_sources);
    if (self->manifest.n == 0)
        return 0;
    return self->manifest.next_seq[(self->manifest.n - 1) * self->manifest.n_sources + source];
}

/* Puts the segment of n batches into the manifest in memory. */
static status list_segment(log_folder *self, size_t n, const struct segment_batch batches[],
                           const uint8_t digest[16])
{
    const uint32_t sources = self->manifest.n_sources;
    uint64_t *next_seq = malloc(sources * sizeof *next_seq);
    if (next_seq == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t s = 0; s < sources; s++)
        next_seq[s] = log_folder_next_seq(self, s);
    for (size_t b = 0; b < n; b++) {
        assert(batches[b].source < sources && batches[b].seq == next_seq[batches[b].source]);
        next_seq[batches[b].source]++;
    }
    struct log_folder_segment entry = {.first_place = log_folder_places(self), .batches = n};
    memcpy(entry.digest, digest, sizeof entry.digest);
    const status outcome = log_manifest_push(&self->manifest, &entry, next_seq);
    free(next_seq);
    return outcome;
}

/* The segment has its name, the manifest that lists it does not, or perhaps not for good: back to
 * what was. A manifest that may be the new one keeps its segment. */
static void take_back(log_folder *self, const char *path)
{
    self->doubtful = manifest_may_be_ours(self);
    self->manifest.n--;
    if (!self->doubtful)
        unlink(path);
}

static status seal_bytes(log_folder *self, size_t n, const struct segment_batch batches[],
                         size_t size, const uint8_t bytes[])
{
    char path[4096];
    log_folder_path(self, self->manifest.n, sizeof path, path);
    status outcome = atomic_file_replace(path, size, bytes);
    if (outcome != STATUS_OK) {
        unlink(path); /* if only the folder could not be made durable, it has its name already */
        return outcome;
    }
    uint8_t digest[16];
    crypto_generichash(digest, sizeof digest, bytes, size, NULL, 0);
    outcome = list_segment(self, n, batches, digest);
    self->manifest.complete = false;
    if (outcome != STATUS_OK) {
        unlink(path);
        return outcome;
    }
    outcome = write_manifest(self);
    if (outcome != STATUS_OK)
        take_back(self, path);
    return outcome;
}

status log_folder_seal(log_folder *self, size_t n, const struct segment_batch batches[])
{
    assert(self != NULL && n > 0 && batches != NULL);
    if (self->doubtful) {
        const status again = write_manifest(self);
        if (again != STATUS_OK)
            return again;
        self->doubtful = false;
    }
    uint8_t *bytes;
    size_t size;
    status outcome = segment_build(n, batches, &bytes, &size);
    if (outcome == STATUS_OK)
        outcome = seal_bytes(self, n, batches, size, bytes);
    free(bytes);
    return outcome;
}

status log_folder_finish(log_folder *self)
{
    if (self->manifest.complete && !self->doubtful)
        return STATUS_OK;
    self->manifest.complete = true;
    const status outcome = write_manifest(self);
    if (outcome == STATUS_OK)
        self->doubtful = false;
    else
        self->manifest.complete = false; /* whichever is on the disk is true: it is written again */
    return outcome;
}
