/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/image_log/unsealed.h"

#include <assert.h>
#include <stdlib.h>

#include "common/records/image_columns.h"

struct slot {
    bool here;
    bool labelled;
    struct image_batch head; /* the scalars */
    struct image_columns columns;
};

struct line {
    uint64_t durable; /* first batch not on disk */
    uint64_t ready;   /* first batch not in the ready list */
    struct unsealed_extent end;
    struct slot *slot; /* [window] batch s at s mod window */
};

struct unsealed {
    uint32_t n;
    uint32_t window;
    enum unsealed_order order;
    struct line *line; /* [n] per source */
    size_t count;
    size_t n_ready;
    struct segment_batch *ready; /* [n x window] */
    /* Arrays that batches left behind: there are only as many as batches ever waited at once, for
     * most slots of the window are empty. */
    size_t n_spare;
    struct image_columns *spare; /* [n x window] */
};

status unsealed_create(unsealed **out, uint32_t n_sources, uint32_t window,
                       enum unsealed_order order)
{
    assert(out != NULL && n_sources > 0 && window > 0);
    *out = NULL;
    unsealed *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->n = n_sources;
    self->window = window;
    self->order = order;
    self->line = calloc(n_sources, sizeof *self->line);
    self->ready = calloc((size_t)n_sources * window, sizeof *self->ready);
    self->spare = calloc((size_t)n_sources * window, sizeof *self->spare);
    if (self->line == NULL || self->ready == NULL || self->spare == NULL)
        goto fail;
    for (uint32_t s = 0; s < n_sources; s++) {
        self->line[s].end.batches = UINT64_MAX;
        self->line[s].slot = calloc(window, sizeof *self->line[s].slot);
        if (self->line[s].slot == NULL)
            goto fail;
    }
    *out = self;
    return STATUS_OK;
fail:
    unsealed_destroy(&self);
    return STATUS_NO_MEMORY;
}

void unsealed_destroy(unsealed **self)
{
    if (*self == NULL)
        return;
    for (uint32_t s = 0; (*self)->line != NULL && s < (*self)->n; s++) {
        struct slot *slot = (*self)->line[s].slot;
        for (uint32_t i = 0; slot != NULL && i < (*self)->window; i++)
            image_columns_fini(&slot[i].columns);
        free(slot);
    }
    for (size_t i = 0; i < (*self)->n_spare; i++)
        image_columns_fini(&(*self)->spare[i]);
    free((*self)->line);
    free((*self)->ready);
    free((*self)->spare);
    free(*self);
    *self = NULL;
}

void unsealed_start(unsealed *self, uint32_t source, uint64_t seq)
{
    assert(source < self->n && self->count == 0);
    self->line[source].durable = seq;
    self->line[source].ready = seq;
}

static void leave_spare(unsealed *self, struct slot *slot)
{
    self->spare[self->n_spare++] = slot->columns;
    slot->columns = (struct image_columns){0};
    slot->here = false;
}

void unsealed_clear(unsealed *self)
{
    for (uint32_t s = 0; s < self->n; s++)
        for (uint32_t i = 0; i < self->window; i++)
            if (self->line[s].slot[i].here)
                leave_spare(self, &self->line[s].slot[i]);
    self->count = 0;
    self->n_ready = 0;
}

void unsealed_end(unsealed *self, uint32_t source, uint64_t batches, uint64_t rows)
{
    assert(source < self->n);
    self->line[source].end = (struct unsealed_extent){batches, rows};
}

struct unsealed_extent unsealed_extent(const unsealed *self, uint32_t source)
{
    assert(source < self->n);
    return self->line[source].end;
}

bool unsealed_ends_known(const unsealed *self)
{
    for (uint32_t s = 0; s < self->n; s++)
        if (self->line[s].end.batches == UINT64_MAX)
            return false;
    return true;
}

static struct slot *slot_of(const unsealed *self, uint32_t source, uint64_t seq)
{
    return &self->line[source].slot[seq % self->window];
}

static void take_spare(unsealed *self, struct slot *slot)
{
    image_columns_fini(&slot->columns); /* it has some if copying failed before */
    if (self->n_spare > 0)
        slot->columns = self->spare[--self->n_spare];
}

status unsealed_add(unsealed *self, uint32_t source, uint64_t seq, const struct image_batch *images)
{
    assert(source < self->n);
    const struct line *line = &self->line[source];
    if (seq < line->durable)
        return STATUS_OK;
    if (seq - line->durable >= self->window)
        return STATUS_END;
    struct slot *slot = slot_of(self, source, seq);
    if (slot->here)
        return STATUS_OK;
    take_spare(self, slot);
    const status copied = image_columns_copy(&slot->columns, images);
    if (copied != STATUS_OK)
        return copied;
    slot->here = true;
    slot->labelled = images->label != NULL;
    slot->head = *images;
    self->count++;
    return STATUS_OK;
}

size_t unsealed_count(const unsealed *self)
{
    return self->count;
}

static bool has_ended(const struct line *line)
{
    return line->ready >= line->end.batches;
}

__extension__ typedef unsigned __int128 wide;

/* Whether (seq + 1/2) / n of a is below that of b, exactly: numbers of batches are below 2^63. */
static bool is_before_in_proportion(const struct line *a, const struct line *b)
{
    return (2 * (wide)a->ready + 1) * b->end.batches < (2 * (wide)b->ready + 1) * a->end.batches;
}

static bool is_before(const unsealed *self, const struct line *a, const struct line *b)
{
    return self->order == UNSEALED_PROPORTIONAL ? is_before_in_proportion(a, b)
                                                : a->ready < b->ready;
}

/* The source of the next place, n if all have ended: the least of those that go on, of equal ones
 * the first. */
static uint32_t whose_turn(const unsealed *self)
{
    uint32_t turn = self->n;
    for (uint32_t s = 0; s < self->n; s++)
        if (!has_ended(&self->line[s]) &&
            (turn == self->n || is_before(self, &self->line[s], &self->line[turn])))
            turn = s;
    return turn;
}

/* Moves the batches of the next places to the ready list. */
static void advance(unsealed *self)
{
    const bool ordered = self->order == UNSEALED_ROUNDS || unsealed_ends_known(self);
    while (ordered) {
        const uint32_t source = whose_turn(self);
        if (source == self->n)
            return;
        struct line *line = &self->line[source];
        const struct slot *slot = slot_of(self, source, line->ready);
        if (line->ready - line->durable >= self->window || !slot->here)
            return;
        struct segment_batch *batch = &self->ready[self->n_ready++];
        *batch = (struct segment_batch){.source = source, .seq = line->ready, .images = slot->head};
        image_columns_view(&slot->columns, slot->labelled, &batch->images);
        line->ready++;
    }
}

size_t unsealed_count_ready(const unsealed *self)
{
    advance((unsealed *)self); /* a cache: the ready list follows from the batches here */
    return self->n_ready;
}

struct segment_batch *unsealed_ready(unsealed *self, size_t n)
{
    advance(self);
    assert(n <= self->n_ready);
    return self->ready;
}

void unsealed_drop(unsealed *self, size_t n)
{
    assert(n <= self->n_ready);
    for (size_t i = 0; i < n; i++) {
        const struct segment_batch *batch = &self->ready[i];
        leave_spare(self, slot_of(self, batch->source, batch->seq));
        self->line[batch->source].durable = batch->seq + 1;
    }
    self->count -= n;
    self->n_ready -= n;
    for (size_t i = 0; i < self->n_ready; i++)
        self->ready[i] = self->ready[i + n];
}

bool unsealed_all_ready(const unsealed *self)
{
    advance((unsealed *)self);
    return whose_turn(self) == self->n;
}

void unsealed_bitmap(const unsealed *self, uint32_t source, size_t bytes, uint8_t bitmap[])
{
    const struct line *line = &self->line[source];
    for (uint32_t i = 0; i < self->window && i / 8 < bytes; i++)
        if (slot_of(self, source, line->durable + i)->here)
            bitmap[i / 8] |= (uint8_t)(1U << (i % 8));
}
