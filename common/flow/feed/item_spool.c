/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/feed/item_spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/base/array.h"
#include "common/base/log.h"

struct kept {
    size_t size[2];
    off_t place;     /* in the file */
    uint8_t *memory; /* instead; NULL if it is in the file */
};

struct item_spool {
    char *folder;
    int file;    /* -1: there was no room for one */
    bool warned; /* that items stay in memory */
    off_t end;
    uint64_t n;
    size_t room;
    struct kept *item;
};

/* Without a name where the file system supports it, otherwise unlinked at once. */
static int open_nameless(const char *folder)
{
    const int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return file;
    char path[4096];
    snprintf(path, sizeof path, "%.4000s/.keep-XXXXXX", folder);
    const int named = mkostemp(path, O_CLOEXEC);
    if (named >= 0)
        unlink(path);
    return named;
}

status item_spool_create(item_spool **out, const char *folder)
{
    assert(out != NULL && folder != NULL);
    *out = NULL;
    item_spool *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->file = open_nameless(folder);
    const bool full = self->file < 0 && (errno == ENOSPC || errno == EDQUOT);
    if (self->file < 0 && !full) {
        log_error("cannot make a file in %s: %s", folder, strerror(errno));
        item_spool_destroy(&self);
        return STATUS_IO;
    }
    self->folder = strdup(folder);
    if (self->folder == NULL) {
        item_spool_destroy(&self);
        return STATUS_NO_MEMORY;
    }
    *out = self;
    return STATUS_OK;
}

void item_spool_destroy(item_spool **self)
{
    if (*self == NULL)
        return;
    for (uint64_t i = 0; i < (*self)->n; i++)
        free((*self)->item[i].memory);
    free((*self)->item);
    free((*self)->folder);
    if ((*self)->file >= 0)
        close((*self)->file);
    free(*self);
    *self = NULL;
}

uint64_t item_spool_items(const item_spool *self)
{
    return self->n;
}

static struct kept *next_item(item_spool *self)
{
    if (ARRAY_RESERVE(&self->item, &self->room, self->n + 1) != STATUS_OK)
        return NULL;
    return &self->item[self->n];
}

static struct iovec part(const void *bytes, size_t size)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
}

/* Whether the item is in the file; errno is set if not. */
static bool put_in_file(item_spool *self, const struct wire_frame frames[2], size_t size)
{
    const struct iovec parts[2] = {part(frames[0].data, frames[0].size),
                                   part(frames[1].data, frames[1].size)};
    errno = ENOSPC; /* without a file, or where a part of the item still found room */
    if (self->file < 0 || pwritev(self->file, parts, 2, self->end) != (ssize_t)size)
        return false;
    self->end += (off_t)size;
    return true;
}

static status put_in_memory(item_spool *self, const struct wire_frame frames[2], struct kept *item)
{
    if (!self->warned)
        log_warning("%s: an item for later readers cannot be written: %s; what finds no room there "
                    "stays in memory",
                    self->folder, strerror(errno));
    self->warned = true;
    item->memory = malloc(item->size[0] + item->size[1] + 1);
    if (item->memory == NULL)
        return STATUS_NO_MEMORY;
    memcpy(item->memory, frames[0].data, frames[0].size);
    memcpy(item->memory + frames[0].size, frames[1].data, frames[1].size);
    return STATUS_OK;
}

status item_spool_add(item_spool *self, const struct wire_frame frames[2])
{
    struct kept *item = next_item(self);
    if (item == NULL)
        return STATUS_NO_MEMORY;
    *item = (struct kept){.size = {frames[0].size, frames[1].size}, .place = self->end};
    if (!put_in_file(self, frames, frames[0].size + frames[1].size)) {
        const status kept = put_in_memory(self, frames, item);
        if (kept != STATUS_OK)
            return kept;
    }
    self->n++;
    return STATUS_OK;
}

void item_spool_sizes(const item_spool *self, uint64_t index, size_t sizes[2])
{
    assert(index < self->n);
    memcpy(sizes, self->item[index].size, sizeof self->item[index].size);
}

status item_spool_get(const item_spool *self, uint64_t index, uint8_t header[], uint8_t payload[])
{
    assert(index < self->n);
    const struct kept *item = &self->item[index];
    if (item->memory != NULL) {
        memcpy(header, item->memory, item->size[0]);
        memcpy(payload, item->memory + item->size[0], item->size[1]);
        return STATUS_OK;
    }
    const struct iovec parts[2] = {part(header, item->size[0]), part(payload, item->size[1])};
    const ssize_t got = preadv(self->file, parts, 2, item->place);
    if (got == (ssize_t)(item->size[0] + item->size[1]))
        return STATUS_OK;
    log_error("cannot read item %llu back from the disk: %s", (unsigned long long)index,
              got < 0 ? strerror(errno) : "it is cut short");
    return STATUS_IO;
}
