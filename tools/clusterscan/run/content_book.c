/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/content_book.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/base/array.h"
#include "common/base/log.h"

enum { LINE_MAX_BYTES = 400, SETTLED_NS = 2000000000 };

struct content_book {
    bool remember; /* new entries are appended to the file */
    char *path;
    size_t n;
    size_t room;
    struct content *entry;
};

static status keep(content_book *self, const struct content *entry)
{
    const status done = ARRAY_RESERVE(&self->entry, &self->room, self->n + 1);
    if (done == STATUS_OK)
        self->entry[self->n++] = *entry;
    return done;
}

/* The line without its check: what the check is of. */
static json_t *object_of(const struct content *entry)
{
    char hex[CONTENT_HEX_SIZE];
    content_hex(entry, hex);
    return json_pack("{s:o, s:s}", "file", file_identity_to_json(&entry->identity), "digest", hex);
}

static bool check_of(const struct content *entry, char out[17])
{
    json_t *object = object_of(entry);
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text != NULL)
        snprintf(out, 17, "%016" PRIx64, (uint64_t)XXH3_64bits(text, strlen(text)));
    json_decref(object);
    const bool made = text != NULL;
    free(text);
    return made;
}

static bool parse(struct content *out, const json_t *line)
{
    const char *digest = json_string_value(json_object_get(line, "digest"));
    const char *check = json_string_value(json_object_get(line, "check"));
    char expected[17];
    return digest != NULL && check != NULL && content_from_hex(out, digest) &&
           file_identity_from_json(&out->identity, json_object_get(line, "file")) &&
           check_of(out, expected) && strcmp(check, expected) == 0;
}

static status read_lines(content_book *self, FILE *from)
{
    char line[LINE_MAX_BYTES];
    status done = STATUS_OK;
    while (done == STATUS_OK && fgets(line, sizeof line, from) != NULL) {
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        struct content entry;
        if (object != NULL && parse(&entry, object))
            done = keep(self, &entry);
        json_decref(object);
    }
    return done;
}

status content_book_open(content_book **out, const char *state, bool remember)
{
    *out = NULL;
    content_book *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->remember = remember;
    if (asprintf(&self->path, "%s/inputs.jsonl", state) < 0) {
        free(self);
        return STATUS_NO_MEMORY;
    }
    const int fd = open(self->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    FILE *from = fd >= 0 ? fdopen(fd, "r") : NULL;
    status done = STATUS_OK;
    if (from != NULL)
        done = read_lines(self, from);
    if (from != NULL)
        fclose(from);
    else if (fd >= 0)
        close(fd);
    if (done != STATUS_OK)
        content_book_close(&self);
    *out = self;
    return done;
}

void content_book_close(content_book **self)
{
    if (*self == NULL)
        return;
    free((*self)->path);
    free((*self)->entry);
    free(*self);
    *self = NULL;
}

/* One write of one line, so that lines of runs side by side do not mix. A book that cannot be
 * written costs time at the next run, nothing else. */
static void note(const content_book *self, const struct content *entry)
{
    json_t *object = object_of(entry);
    char check[17];
    char *text = NULL;
    if (object != NULL && check_of(entry, check) &&
        json_object_set_new(object, "check", json_string(check)) == 0)
        text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    char line[LINE_MAX_BYTES];
    const int size = text != NULL ? snprintf(line, sizeof line, "\n%s\n", text) : -1;
    free(text);
    const int fd =
        open(self->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0666);
    if (fd < 0 || size <= 0 || size >= LINE_MAX_BYTES || write(fd, line, (size_t)size) != size)
        log_warning("%s: cannot be written (%s): the files of this run will be read again by the "
                    "next",
                    self->path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static bool is_settled(const struct file_identity *identity)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    return now_ns - identity->ctime_ns > SETTLED_NS && now_ns - identity->mtime_ns > SETTLED_NS;
}

status content_book_find(content_book *self, const char *path, struct content *out)
{
    struct file_identity now;
    if (file_identity_of(path, &now) == STATUS_OK)
        for (size_t i = self->n; i-- > 0;)
            if (file_identity_equal(&self->entry[i].identity, &now)) {
                *out = self->entry[i];
                return STATUS_OK;
            }
    const status done = content_read(out, path);
    if (done != STATUS_OK || !is_settled(&out->identity))
        return done;
    if (self->remember)
        note(self, out);
    return keep(self, out);
}
