/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The manifest decides which segments there are: those that one of its lines lists. A kill between
 * the rename of a segment and its line leaves a segment that is not listed; between any other two
 * steps, a temporary file or a torn line. All go at the next open. Files that a line once listed
 * are moved aside instead, whatever they hold. */
#include "common/store/log/log_folder.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/records/tally.h"
#include "common/store/disk/atomic_file.h"
#include "common/store/disk/folder.h"
#include "common/store/disk/json_lines.h"
#include "common/store/disk/regular_file.h"
#include "common/store/log/log_check.h"
#include "common/store/log/log_lock.h"
#include "common/store/log/log_manifest.h"
#include "common/store/log/log_manifest_old.h"

struct log_folder {
    char *path;
    char *manifest_path;
    const struct segment_codec *codec;
    char *old_path;    /* of manifest.json */
    int lock;          /* -1: not held */
    json_lines *lines; /* NULL: only read */
    struct log_manifest manifest;
    size_t unlisted;      /* segment files that the manifest does not list */
    size_t last_unlisted; /* the highest number of one */
};

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
    return segment_number(name, ".h5.tmp") >= 0 || strcmp(name, "manifest.jsonl.tmp") == 0 ||
           strcmp(name, "manifest.json.tmp") == 0;
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

/* --- segments ---------------------------------------------------------------------------- */

status log_folder_load(log_folder *self, size_t i, void **out, char why[LOG_FOLDER_WHY])
{
    assert(i < self->manifest.n);
    *out = NULL;
    char path[4096];
    log_folder_path(self, i, sizeof path, path);
    status outcome = log_check_file(&self->manifest, i, path, why);
    if (outcome != STATUS_OK)
        return outcome;
    outcome = self->codec->open(out, path);
    if (outcome == STATUS_BAD_INPUT) {
        snprintf(why, LOG_FOLDER_WHY, "is damaged: it is no consistent segment");
        return STATUS_BAD_SHAPE;
    }
    if (outcome == STATUS_OK && !self->manifest.segments[i].verified)
        outcome = log_check_records(&self->manifest, self->codec, i, *out, why);
    if (outcome == STATUS_OK)
        self->manifest.segments[i].verified = true;
    else
        self->codec->close(out);
    return outcome;
}

status log_folder_count(log_folder *self)
{
    status outcome = STATUS_OK;
    for (size_t i = 0; outcome == STATUS_OK && !self->manifest.tallied && i < self->manifest.n;
         i++) {
        void *part;
        char why[LOG_FOLDER_WHY];
        outcome = log_folder_load(self, i, &part, why);
        self->codec->close(&part);
        if (outcome != STATUS_BAD_SHAPE)
            continue;
        char path[4096];
        log_folder_path(self, i, sizeof path, path);
        log_error("%s %s", path, why);
        outcome = STATUS_BAD_INPUT;
    }
    self->manifest.tallied = self->manifest.tallied || outcome == STATUS_OK;
    return outcome;
}

/* --- the manifest ------------------------------------------------------------------------ */

/* Appends a line, which is taken over. */
static status append(json_lines *lines, json_t *line)
{
    const status outcome = line != NULL ? json_lines_append(lines, line) : STATUS_NO_MEMORY;
    json_decref(line);
    return outcome;
}

/* Appends a line, which is taken over, and does in memory what it says. */
static status append_and_take(log_folder *self, json_t *line)
{
    status outcome = append(self->lines, json_incref(line));
    if (outcome == STATUS_OK)
        outcome = log_manifest_take(&self->manifest, line);
    json_decref(line);
    return outcome;
}

/* Reads the lines of the manifest into memory. */
static status take_lines(log_folder *self, json_lines *lines)
{
    for (;;) {
        json_t *line;
        status outcome = json_lines_next(lines, &line);
        if (outcome != STATUS_OK || line == NULL)
            return outcome;
        outcome = json_lines_good(lines) == 1
                      ? log_manifest_take_first(&self->manifest, self->manifest_path, line)
                      : log_manifest_take(&self->manifest, line);
        json_decref(line);
        if (outcome == STATUS_BAD_SHAPE) {
            json_lines_reject(lines);
            return STATUS_OK;
        }
        if (outcome != STATUS_OK)
            return outcome;
    }
}

/* The whole text of manifest.json; STATUS_END if there is none. */
static status read_old(const log_folder *self, char **text, size_t *size)
{
    int fd;
    struct stat about = {0};
    *text = NULL;
    status outcome = regular_file_open(&fd, self->old_path, O_RDONLY);
    if (outcome != STATUS_OK)
        return outcome;
    if (fstat(fd, &about) == 0)
        *text = malloc((size_t)about.st_size + 1);
    *size = (size_t)about.st_size;
    if (*text == NULL || read(fd, *text, *size) != about.st_size) {
        log_error("%s: cannot be read: %s", self->old_path, strerror(errno));
        outcome = STATUS_IO;
    }
    close(fd);
    return outcome;
}

static status take_old(log_folder *self)
{
    char *text;
    size_t size;
    status outcome = read_old(self, &text, &size);
    if (outcome == STATUS_OK)
        outcome = log_manifest_old_parse(&self->manifest, self->old_path, size, text);
    free(text);
    return outcome;
}

/* Every line that makes the manifest what it is in memory. */
static status write_lines(const log_folder *self, json_lines *lines)
{
    const struct log_manifest *manifest = &self->manifest;
    status outcome = append(lines, log_manifest_first_line(manifest));
    for (size_t i = 0; outcome == STATUS_OK && i < manifest->n; i++)
        outcome = append(lines, log_manifest_seal_line(manifest, i));
    if (outcome == STATUS_OK && manifest->epoch > 0)
        outcome = append(lines, json_pack("{s:I}", "epoch", (json_int_t)manifest->epoch));
    if (outcome == STATUS_OK && manifest->complete)
        outcome = append(lines, json_pack("{s:b}", "complete", 1));
    return outcome;
}

/* Writes the manifest under a temporary name first: it appears whole or not at all. */
static status begin_manifest(log_folder *self)
{
    char *temporary;
    if (asprintf(&temporary, "%s.tmp", self->manifest_path) < 0)
        return STATUS_NO_MEMORY;
    json_t *none = NULL;
    unlink(temporary);
    status outcome = json_lines_open(&self->lines, temporary, true);
    if (outcome == STATUS_OK)
        outcome = json_lines_next(self->lines, &none);
    if (outcome == STATUS_OK)
        outcome = write_lines(self, self->lines);
    if (outcome == STATUS_OK && rename(temporary, self->manifest_path) != 0) {
        outcome = status_of_errno(errno);
        if (outcome != STATUS_NO_SPACE)
            log_error("%s: cannot be written: %s", self->manifest_path, strerror(errno));
    }
    if (outcome == STATUS_OK)
        outcome = parent_sync(self->manifest_path);
    else
        unlink(temporary);
    free(temporary);
    return outcome;
}

/* --- opening ----------------------------------------------------------------------------- */

static void find_unlisted(log_folder *self, const char *name)
{
    const intmax_t number = segment_number(name, ".h5");
    if (number < 0 || (uintmax_t)number < self->manifest.n)
        return;
    self->unlisted++;
    if ((size_t)number > self->last_unlisted)
        self->last_unlisted = (size_t)number;
}

/* Whether the one segment that is not listed is what a crash left before its line was written. */
static bool is_crash(const log_folder *self, enum json_lines_rest rest)
{
    return rest == JSON_LINES_NOTHING && !self->manifest.cut && self->unlisted == 1 &&
           self->last_unlisted == self->manifest.n;
}

/* A log whose segments are all unknown is refused: with a new manifest it would start from zero. */
static status check_unlisted(log_folder *self, enum json_lines_rest rest)
{
    self->unlisted = self->last_unlisted = 0;
    const status outcome = each_name(self, find_unlisted);
    if (outcome != STATUS_OK || self->manifest.n > 0 || self->unlisted == 0 || self->manifest.cut ||
        (self->lines != NULL && json_lines_good(self->lines) > 0 && is_crash(self, rest)))
        return outcome;
    log_error("%s: %zu segments that manifest.jsonl does not list; nothing was changed. Restore "
              "the folder, or remove it to begin anew",
              self->path, self->unlisted);
    return STATUS_BAD_INPUT;
}

static void remove_file(const log_folder *self, const char *name)
{
    char *path;
    if (asprintf(&path, "%s/%s", self->path, name) < 0)
        return;
    if (unlink(path) != 0)
        log_warning("%s: a leftover that cannot be removed: %s", path, strerror(errno));
    free(path);
}

static void remove_leftover(log_folder *self, const char *name)
{
    if (is_leftover(name))
        remove_file(self, name);
}

static void put_aside(log_folder *self, const char *name)
{
    char *path;
    char to[4096];
    const intmax_t number = segment_number(name, ".h5");
    if (number < 0 || (uintmax_t)number < self->manifest.n ||
        asprintf(&path, "%s/%s", self->path, name) < 0)
        return;
    if (move_aside(path, "aside", to) == STATUS_OK)
        log_warning("%s: moved aside to %s: the manifest does not list it", path, to);
    free(path);
}

/* Removes what a killed log left half-done; what may have been sealed once stays under another
 * name. */
static status clear_up(log_folder *self, enum json_lines_rest rest)
{
    const status outcome = each_name(self, remove_leftover);
    if (outcome != STATUS_OK || self->unlisted == 0)
        return outcome;
    if (!is_crash(self, rest))
        return each_name(self, put_aside);
    char name[40];
    segment_name(self->manifest.n, sizeof name, name);
    log_info("%s/%s: removed, it was never sealed", self->path, name);
    remove_file(self, name);
    return STATUS_OK;
}

/* Cuts off what is torn or damaged. Its lines may have raised the epoch, each once at most. */
static status cut_lines(log_folder *self)
{
    char copy[4096];
    const size_t lost = json_lines_lost(self->lines);
    const status outcome = json_lines_cut(self->lines, copy);
    if (outcome != STATUS_OK)
        return outcome;
    self->manifest.epoch += lost;
    if (copy[0] == '\0')
        return STATUS_OK;
    self->manifest.complete = false;
    log_warning("%s: line %zu is damaged: %zu segments before it are kept, the rest is asked for "
                "again; all lines are kept in %s",
                self->manifest_path, json_lines_good(self->lines) + 1, self->manifest.n, copy);
    return STATUS_OK;
}

/* A log that is new here, or of an earlier version. */
static status start_manifest(log_folder *self)
{
    json_lines_close(&self->lines);
    status outcome = take_old(self);
    const bool old = outcome == STATUS_OK;
    if (old)
        outcome = log_folder_count(self);
    else if (outcome == STATUS_END)
        outcome = check_unlisted(self, JSON_LINES_NOTHING);
    if (outcome == STATUS_OK)
        outcome = begin_manifest(self);
    if (outcome == STATUS_OK && old) {
        unlink(self->old_path);
        log_info("%s: taken over into %s", self->old_path, self->manifest_path);
    }
    return outcome;
}

static status load_lines(log_folder *self)
{
    status outcome = take_lines(self, self->lines);
    if (outcome != STATUS_OK)
        return outcome;
    const enum json_lines_rest rest = json_lines_rest(self->lines);
    if (json_lines_good(self->lines) == 0 && rest == JSON_LINES_DAMAGED) {
        log_error("%s: damaged: its first line does not fit its digest; nothing was changed",
                  self->manifest_path);
        return STATUS_BAD_INPUT;
    }
    outcome = check_unlisted(self, rest);
    if (outcome == STATUS_OK && json_lines_good(self->lines) == 0)
        return start_manifest(self);
    if (outcome == STATUS_OK)
        outcome = cut_lines(self);
    return outcome == STATUS_OK ? clear_up(self, rest) : outcome;
}

static status load(log_folder *self)
{
    int fd;
    status outcome = regular_file_open(&fd, self->manifest_path, O_RDONLY);
    if (outcome == STATUS_OK)
        close(fd);
    if (outcome == STATUS_END)
        return start_manifest(self);
    if (outcome == STATUS_OK)
        outcome = json_lines_open(&self->lines, self->manifest_path, true);
    return outcome == STATUS_OK ? load_lines(self) : outcome;
}

/* The header's object; *made_from stays NULL if it is what the manifest has. */
static status parse_header(const log_folder *self, const char *header, json_t **made_from)
{
    *made_from = NULL;
    if (header == NULL)
        return STATUS_OK;
    json_error_t error;
    *made_from = json_loads(header, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(*made_from)) {
        log_error("%s: what the log was made from is no JSON object: %s", self->path,
                  *made_from == NULL ? error.text : "another value");
        json_decref(*made_from);
        *made_from = NULL;
        return STATUS_BAD_INPUT;
    }
    if (json_equal(*made_from, self->manifest.made_from)) {
        json_decref(*made_from);
        *made_from = NULL;
    }
    return STATUS_OK;
}

/* Fences off every log that had the folder before. */
static status raise_epoch(log_folder *self, json_t *made_from)
{
    return append_and_take(self,
                           json_pack("{s:I, s:O*}", "epoch", (json_int_t)self->manifest.epoch + 1,
                                     "made_from", made_from));
}

static status open_locked(log_folder *self, const char *header)
{
    json_t *made_from = NULL;
    status outcome = load(self);
    if (outcome == STATUS_OK)
        outcome = parse_header(self, header, &made_from);
    if (outcome == STATUS_OK)
        outcome = raise_epoch(self, made_from);
    json_decref(made_from);
    return outcome;
}

/* An object without lock or manifest; NULL when out of memory. */
static log_folder *new_folder(const struct segment_codec *codec, const char *path)
{
    log_folder *self = sodium_init() >= 0 ? calloc(1, sizeof *self) : NULL;
    if (self == NULL)
        return NULL;
    self->codec = codec;
    self->lock = -1;
    self->path = strdup(path);
    if (asprintf(&self->manifest_path, "%s/manifest.jsonl", path) < 0)
        self->manifest_path = NULL;
    if (asprintf(&self->old_path, "%s/manifest.json", path) < 0)
        self->old_path = NULL;
    if (self->path == NULL || self->manifest_path == NULL || self->old_path == NULL)
        log_folder_close(&self);
    return self;
}

status log_folder_open(log_folder **out, const struct segment_codec *codec, const char *path,
                       const char *log_id, uint32_t n_sources, const char *header)
{
    assert(out != NULL && path != NULL && log_id != NULL && n_sources > 0);
    *out = NULL;
    log_folder *self = new_folder(codec, path);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    status outcome = log_manifest_init(&self->manifest, log_id, n_sources);
    if (outcome == STATUS_OK)
        outcome = folder_make(path);
    if (outcome == STATUS_OK)
        outcome = log_lock_take(&self->lock, path);
    if (outcome == STATUS_OK)
        outcome = open_locked(self, header);
    if (outcome != STATUS_OK)
        log_folder_close(&self);
    *out = self;
    return outcome;
}

/* Reads the lines of a log that another process may be writing: a torn last line is ignored. */
static status read_lines(log_folder *self)
{
    json_lines *lines;
    status outcome = json_lines_open(&lines, self->manifest_path, false);
    if (outcome != STATUS_OK)
        return outcome;
    outcome = take_lines(self, lines);
    if (outcome == STATUS_OK &&
        (json_lines_good(lines) == 0 || json_lines_rest(lines) == JSON_LINES_DAMAGED)) {
        log_error("%s: damaged: line %zu does not fit its digest or the lines before it",
                  self->manifest_path, json_lines_good(lines) + 1);
        outcome = STATUS_BAD_INPUT;
    }
    json_lines_close(&lines);
    return outcome;
}

static status load_to_read(log_folder *self)
{
    status outcome = log_manifest_init(&self->manifest, NULL, 0);
    if (outcome == STATUS_OK)
        outcome = read_lines(self);
    if (outcome == STATUS_END)
        outcome = take_old(self);
    if (outcome != STATUS_END)
        return outcome;
    log_error("%s: there is no such file, so %s is no log folder", self->manifest_path, self->path);
    return STATUS_BAD_INPUT;
}

status log_folder_read(log_folder **out, const struct segment_codec *codec, const char *path)
{
    assert(out != NULL && path != NULL);
    *out = NULL;
    log_folder *self = new_folder(codec, path);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    status outcome = log_lock_share(&self->lock, path);
    if (outcome == STATUS_OK)
        outcome = load_to_read(self);
    if (outcome != STATUS_OK)
        log_folder_close(&self);
    *out = self;
    return outcome;
}

void log_folder_close(log_folder **self)
{
    if (self == NULL || *self == NULL)
        return;
    json_lines_close(&(*self)->lines);
    log_manifest_fini(&(*self)->manifest);
    if ((*self)->lock >= 0)
        close((*self)->lock);
    free((*self)->path);
    free((*self)->manifest_path);
    free((*self)->old_path);
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
    return log_manifest_places(&self->manifest, self->manifest.n);
}

uint64_t log_folder_next_seq(const log_folder *self, uint32_t source)
{
    assert(source < self->manifest.n_sources);
    return log_manifest_next_seq(&self->manifest, self->manifest.n, source);
}

uint64_t log_folder_rows(const log_folder *self, uint32_t source)
{
    assert(source < self->manifest.n_sources);
    return log_manifest_rows(&self->manifest, self->manifest.n, source);
}

struct tally log_folder_tally(const log_folder *self)
{
    return log_manifest_tally(&self->manifest, self->manifest.n);
}

const uint64_t *log_folder_extents(const log_folder *self)
{
    return self->manifest.extent;
}

/* --- giving up --------------------------------------------------------------------------- */

/* Whether segments may be given up: if not a single file is as it was sealed, this is no damage but
 * another folder, or a disk that is not mounted. */
static bool any_usable(log_folder *self, size_t i)
{
    char why[LOG_FOLDER_WHY];
    bool usable = i > 0;
    for (size_t j = 1; !usable && j < self->manifest.n; j++) {
        char path[4096];
        log_folder_path(self, j, sizeof path, path);
        usable = log_check_file(&self->manifest, j, path, why) == STATUS_OK;
    }
    return usable;
}

/* Moves the files of segments first to end - 1 aside; says the last name given. */
static status move_segments(const log_folder *self, size_t first, size_t end, const char *suffix,
                            char to[4096])
{
    to[0] = '\0';
    for (size_t j = first; j < end; j++) {
        char path[4096];
        log_folder_path(self, j, sizeof path, path);
        const status outcome = move_aside(path, suffix, to);
        if (outcome != STATUS_OK && outcome != STATUS_END)
            return outcome;
    }
    return STATUS_OK;
}

static status move_cut(const log_folder *self, size_t i, size_t end, const char *why)
{
    char path[4096], damaged[4096], others[4096];
    log_folder_path(self, i, sizeof path, path);
    const uint64_t lost =
        log_manifest_places(&self->manifest, end) - log_manifest_places(&self->manifest, i);
    status outcome = move_segments(self, i, i + 1, "damaged", damaged);
    if (outcome == STATUS_OK)
        outcome = move_segments(self, i + 1, end, "aside", others);
    if (outcome != STATUS_OK)
        return outcome;
    char more[200] = "";
    if (end == i + 2)
        snprintf(more, sizeof more, "; segment %zu is moved aside (.aside)", i + 1);
    else if (end > i + 2)
        snprintf(more, sizeof more, "; segments %zu to %zu are moved aside (.aside)", i + 1,
                 end - 1);
    log_warning("%s %s%s%s%s: %" PRIu64 " batches are read again", path, why,
                damaged[0] != '\0' ? "; moved aside to " : "", damaged, more, lost);
    return STATUS_OK;
}

status log_folder_cut(log_folder *self, size_t i, const char *why)
{
    assert(self->lines != NULL && i < self->manifest.n);
    const size_t end = self->manifest.n;
    if (!any_usable(self, i)) {
        char path[4096];
        log_folder_path(self, i, sizeof path, path);
        log_error("%s %s, and none of %zu segments is usable; nothing was changed. Restore the "
                  "folder, or remove it to begin anew",
                  path, why, end);
        return STATUS_BAD_INPUT;
    }
    const status outcome =
        append_and_take(self, json_pack("{s:I, s:I, s:s}", "cut", (json_int_t)i, "epoch",
                                        (json_int_t)self->manifest.epoch + 1, "because", why));
    return outcome == STATUS_OK ? move_cut(self, i, end, why) : outcome;
}

/* --- sealing ----------------------------------------------------------------------------- */

/* Puts the segment of n batches into the manifest in memory. */
static status list_segment(log_folder *self, size_t n, const void *batches,
                           const uint8_t digest[16])
{
    struct log_manifest *manifest = &self->manifest;
    const uint32_t sources = manifest->n_sources;
    uint64_t *next_seq = calloc((size_t)2 * sources, sizeof *next_seq);
    if (next_seq == NULL)
        return STATUS_NO_MEMORY;
    uint64_t *rows = next_seq + sources;
    for (uint32_t s = 0; s < sources; s++) {
        next_seq[s] = log_folder_next_seq(self, s);
        rows[s] = log_folder_rows(self, s);
    }
    struct tally tally = log_folder_tally(self);
    for (size_t b = 0; b < n; b++) {
        struct segment_account account;
        self->codec->account(batches, b, &account);
        assert(account.source < sources && account.seq == next_seq[account.source]);
        next_seq[account.source]++;
        rows[account.source] += account.rows.read;
        tally_add(&tally, &account.rows);
    }
    struct log_folder_segment entry = {.first_place = log_folder_places(self), .batches = n};
    memcpy(entry.digest, digest, sizeof entry.digest);
    status outcome = self->codec->digest(n, batches, entry.records);
    if (outcome == STATUS_OK)
        outcome = log_manifest_push(manifest, &entry, &tally, next_seq, rows);
    free(next_seq);
    return outcome;
}

/* Lists the segment, in memory and on disk. */
static status note_segment(log_folder *self, size_t n, const void *batches,
                           const uint8_t digest[16])
{
    const bool complete = self->manifest.complete, cut = self->manifest.cut;
    status outcome = list_segment(self, n, batches, digest);
    if (outcome != STATUS_OK)
        return outcome;
    outcome = append(self->lines, log_manifest_seal_line(&self->manifest, self->manifest.n - 1));
    if (outcome == STATUS_OK)
        return STATUS_OK;
    self->manifest.n--;
    self->manifest.complete = complete;
    self->manifest.cut = cut;
    return outcome;
}

static status seal_bytes(log_folder *self, size_t n, const void *batches, size_t size,
                         const uint8_t bytes[])
{
    char path[4096], to[4096];
    log_folder_path(self, self->manifest.n, sizeof path, path);
    status outcome = move_aside(path, "aside", to); /* nothing is ever overwritten */
    if (outcome != STATUS_END && outcome != STATUS_OK)
        return outcome;
    outcome = atomic_file_replace(path, size, bytes);
    uint8_t digest[16];
    crypto_generichash(digest, sizeof digest, bytes, size, NULL, 0);
    if (outcome == STATUS_OK)
        outcome = note_segment(self, n, batches, digest);
    if (outcome != STATUS_OK)
        unlink(path); /* if only the folder could not be made durable, it has its name already */
    return outcome;
}

status log_folder_seal(log_folder *self, size_t n, const void *batches)
{
    assert(self != NULL && self->lines != NULL && n > 0 && batches != NULL);
    uint8_t *bytes;
    size_t size;
    status outcome = self->codec->build(n, batches, &bytes, &size);
    if (outcome == STATUS_OK)
        outcome = seal_bytes(self, n, batches, size, bytes);
    free(bytes);
    return outcome;
}

status log_folder_finish(log_folder *self)
{
    if (self->manifest.complete)
        return STATUS_OK;
    const status outcome = append(self->lines, json_pack("{s:b}", "complete", 1));
    self->manifest.complete = outcome == STATUS_OK;
    return outcome;
}

status log_folder_note_extents(log_folder *self, const uint64_t batches[])
{
    assert(self->manifest.extent == NULL);
    json_t *list = json_array();
    for (uint32_t s = 0; s < self->manifest.n_sources; s++)
        json_array_append_new(list, json_integer((json_int_t)batches[s]));
    return append_and_take(self, json_pack("{s:o}", "extents", list));
}
