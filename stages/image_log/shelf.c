/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/image_log/shelf.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "common/kernels/image_columns.h"

enum { OPEN_MAX = 4 }; /* segments in memory: consumers are rarely further apart */

struct book {
    size_t index; /* of the segment */
    segment *segment;
    uint64_t used; /* when, on the shelf's own clock */
};

struct shelf {
    log_folder *folder;
    struct book book[OPEN_MAX];
    uint64_t clock;
    struct image_columns filtered;
    size_t fault; /* segment */
    char why[LOG_FOLDER_WHY];
};

status shelf_create(shelf **out, log_folder *folder)
{
    assert(out != NULL && folder != NULL);
    shelf *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->folder = folder;
    return STATUS_OK;
}

void shelf_destroy(shelf **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < OPEN_MAX; i++)
        segment_close(&(*self)->book[i].segment);
    image_columns_fini(&(*self)->filtered);
    free(*self);
    *self = NULL;
}

/* The segment a place lies in: the last one that does not begin behind it. */
static size_t find_segment(const shelf *self, uint64_t place)
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

/* The book with that segment, or the one used longest ago. */
static struct book *choose_book(shelf *self, size_t index)
{
    struct book *oldest = &self->book[0];
    for (size_t i = 0; i < OPEN_MAX; i++) {
        struct book *book = &self->book[i];
        if (book->segment != NULL && book->index == index)
            return book;
        if (book->used < oldest->used)
            oldest = book;
    }
    return oldest;
}

static status open_book(shelf *self, size_t index, struct book **out)
{
    struct book *book = choose_book(self, index);
    *out = book;
    book->used = ++self->clock;
    if (book->segment != NULL && book->index == index)
        return STATUS_OK;
    segment_close(&book->segment);
    book->index = index;
    self->fault = index;
    return log_folder_load(self->folder, index, &book->segment, self->why);
}

status shelf_get(shelf *self, uint64_t place, struct segment_batch *out)
{
    assert(place < log_folder_places(self->folder));
    const size_t index = find_segment(self, place);
    struct book *book;
    const status opened = open_book(self, index, &book);
    if (opened != STATUS_OK)
        return opened;
    segment_get(book->segment, place - log_folder_segment(self->folder, index)->first_place, out);
    return STATUS_OK;
}

status shelf_get_filtered(shelf *self, uint64_t place, const double mass[2],
                          struct image_batch *out, uint32_t *source)
{
    struct segment_batch batch;
    const status got = shelf_get(self, place, &batch);
    if (got != STATUS_OK)
        return got;
    *out = batch.images;
    *source = batch.source;
    if (isinf(mass[0]) && isinf(mass[1]))
        return STATUS_OK;
    return image_columns_filter(&self->filtered, &batch.images, mass, out);
}

size_t shelf_fault(const shelf *self, const char **why)
{
    *why = self->why;
    return self->fault;
}

void shelf_forget(shelf *self, size_t first)
{
    for (size_t i = 0; i < OPEN_MAX; i++)
        if (self->book[i].index >= first)
            segment_close(&self->book[i].segment);
}
