/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/image_log/segment_cache.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "common/records/image_columns.h"

enum { OPEN_MAX = 4 }; /* segments in memory: consumers are rarely further apart */

struct entry {
    size_t index; /* of the segment */
    segment *segment;
    uint64_t used; /* last use, by the count of uses */
};

struct segment_cache {
    log_folder *folder;
    struct entry entry[OPEN_MAX];
    uint64_t clock;
    struct image_columns filtered;
    size_t fault; /* segment */
    char why[LOG_FOLDER_WHY];
};

status segment_cache_create(segment_cache **out, log_folder *folder)
{
    assert(out != NULL && folder != NULL);
    segment_cache *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->folder = folder;
    return STATUS_OK;
}

void segment_cache_destroy(segment_cache **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < OPEN_MAX; i++)
        segment_close(&(*self)->entry[i].segment);
    image_columns_fini(&(*self)->filtered);
    free(*self);
    *self = NULL;
}

/* The segment a place lies in: the last one that does not begin behind it. */
static size_t find_segment(const segment_cache *self, uint64_t place)
{
    size_t low = 0;
    size_t high = log_folder_segments(self->folder);
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (log_folder_segment(self->folder, middle)->first_place <= place)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The entry with that segment, or the one used longest ago. */
static struct entry *choose_entry(segment_cache *self, size_t index)
{
    struct entry *oldest = &self->entry[0];
    for (size_t i = 0; i < OPEN_MAX; i++) {
        struct entry *entry = &self->entry[i];
        if (entry->segment != NULL && entry->index == index)
            return entry;
        if (entry->used < oldest->used)
            oldest = entry;
    }
    return oldest;
}

static status open_entry(segment_cache *self, size_t index, struct entry **out)
{
    struct entry *entry = choose_entry(self, index);
    *out = entry;
    entry->used = ++self->clock;
    if (entry->segment != NULL && entry->index == index)
        return STATUS_OK;
    segment_close(&entry->segment);
    entry->index = index;
    self->fault = index;
    return segment_images_load(self->folder, index, &entry->segment, self->why);
}

status segment_cache_get(segment_cache *self, uint64_t place, struct segment_batch *out)
{
    assert(place < log_folder_places(self->folder));
    const size_t index = find_segment(self, place);
    struct entry *entry;
    const status opened = open_entry(self, index, &entry);
    if (opened != STATUS_OK)
        return opened;
    segment_get(entry->segment, place - log_folder_segment(self->folder, index)->first_place, out);
    return STATUS_OK;
}

status segment_cache_get_filtered(segment_cache *self, uint64_t place, const double mass[2],
                                  struct image_batch *out, uint32_t *source)
{
    struct segment_batch batch;
    const status got = segment_cache_get(self, place, &batch);
    if (got != STATUS_OK)
        return got;
    *out = batch.images;
    *source = batch.source;
    if (isinf(mass[0]) && isinf(mass[1]))
        return STATUS_OK;
    return image_columns_filter(&self->filtered, &batch.images, mass, out);
}

size_t segment_cache_fault(const segment_cache *self, const char **why)
{
    *why = self->why;
    return self->fault;
}

void segment_cache_forget(segment_cache *self, size_t first)
{
    for (size_t i = 0; i < OPEN_MAX; i++)
        if (self->entry[i].index >= first)
            segment_close(&self->entry[i].segment);
}
