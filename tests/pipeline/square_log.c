/* SPDX-License-Identifier: GPL-3.0-or-later */
/* square_log: squares in any order in; each batch once, in the order of their numbers, out, from a
 * file. Of one source, whose batches wait in memory until all before them are there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "tests/pipeline/numbers.h"

/* A batch in the file: its length, and room for the largest. */
struct log {
    int file;
    uint32_t batch;
    uint32_t window;
    uint64_t epoch;
    uint64_t sealed; /* batches in the file */
    uint64_t rows;
    uint64_t end;      /* UINT64_MAX: not known */
    uint64_t **ahead;  /* [window] batch sealed + i if it is there: n, first, values */
    uint8_t *bitmap;   /* [window / 8 + 1] */
    uint64_t *current; /* what item reads into */
};

static size_t words_of(const struct log *self)
{
    return 2 + (size_t)self->batch;
}

static off_t place_of(const struct log *self, uint64_t place)
{
    return (off_t)(place * words_of(self) * sizeof(uint64_t));
}

/* Whole batches only: what a crash left of one is written over. */
static status open_file(struct log *self, const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/squares", folder);
    self->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    const off_t size = self->file >= 0 ? lseek(self->file, 0, SEEK_END) : -1;
    if (size < 0) {
        log_error("%s: %s", path, strerror(errno));
        return STATUS_IO;
    }
    self->sealed = (uint64_t)size / (words_of(self) * sizeof(uint64_t));
    for (uint64_t place = 0; place < self->sealed; place++) {
        uint64_t n;
        if (pread(self->file, &n, sizeof n, place_of(self, place)) != sizeof n)
            return STATUS_IO;
        self->rows += n;
    }
    return STATUS_OK;
}

static status create(void **out, const struct stage_setup *setup)
{
    struct log *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->batch = setup->analysis.stream.batch;
    self->window = setup->window;
    self->epoch = (uint64_t)getpid(); /* the test's processes get ascending ones */
    self->end = UINT64_MAX;
    self->ahead = calloc(self->window, sizeof *self->ahead);
    self->bitmap = calloc(self->window / 8 + 1, 1);
    self->current = calloc(words_of(self), sizeof *self->current);
    if (self->ahead == NULL || self->bitmap == NULL || self->current == NULL)
        return STATUS_NO_MEMORY;
    return open_file(self, setup->folder);
}

static void destroy(void **state)
{
    struct log *self = *state;
    if (self == NULL)
        return;
    for (uint32_t i = 0; self->ahead != NULL && i < self->window; i++)
        free(self->ahead[i]);
    free(self->ahead);
    free(self->bitmap);
    free(self->current);
    close(self->file);
    free(self);
    *state = NULL;
}

static const char *fault(void *state, const struct stage_item *item, const struct stage_rows *rows)
{
    const struct numbers *numbers = numbers_in(item->record);
    (void)state;
    return rows != NULL && (rows->first != numbers->first || rows->n != numbers->n)
               ? "it tells of other rows than its source handed out"
               : NULL;
}

static status take(struct log *self, uint64_t seq, uint32_t n, uint64_t first,
                   const uint64_t value[])
{
    if (seq < self->sealed ||
        (seq < self->sealed + self->window && self->ahead[seq - self->sealed]))
        return STATUS_OK;
    if (seq >= self->sealed + self->window)
        return STATUS_END;
    uint64_t *words = calloc(words_of(self), sizeof *words);
    if (words == NULL)
        return STATUS_NO_MEMORY;
    words[0] = n;
    words[1] = first;
    for (uint32_t i = 0; i < n; i++)
        words[2 + i] = value[i];
    self->ahead[seq - self->sealed] = words;
    return STATUS_OK;
}

static status process(void *state, const struct stage_item *item)
{
    const struct numbers *numbers = numbers_in(item->record);
    return take(state, item->header->seq, numbers->n, numbers->first, numbers->value);
}

static status give_up(void *state, uint32_t source, uint64_t seq, const struct stage_rows *rows)
{
    (void)source;
    return take(state, seq, 0, rows->first, NULL);
}

static void source_end(void *state, uint32_t source, uint64_t batches, uint64_t rows)
{
    struct log *self = state;
    (void)source, (void)rows;
    self->end = batches;
}

static void tell_state(void *state, uint32_t source, struct control_durable *out)
{
    struct log *self = state;
    (void)source;
    memset(self->bitmap, 0, self->window / 8 + 1);
    for (uint32_t i = 0; i < self->window; i++)
        if (self->ahead[i] != NULL)
            self->bitmap[i / 8] |= (uint8_t)(1 << i % 8);
    out->epoch = self->epoch;
    out->watermark = self->sealed;
    out->bitmap = (struct wire_bytes){self->bitmap, self->window / 8 + 1};
}

static status seal(void *state, bool all, uint64_t *sealed, bool *room)
{
    struct log *self = state;
    (void)all;
    *room = true;
    while (self->ahead[0] != NULL) {
        const size_t size = words_of(self) * sizeof(uint64_t);
        if (pwrite(self->file, self->ahead[0], size, place_of(self, self->sealed)) !=
                (ssize_t)size ||
            fdatasync(self->file) != 0)
            return STATUS_IO;
        self->rows += self->ahead[0][0];
        free(self->ahead[0]);
        memmove(self->ahead, self->ahead + 1, (self->window - 1) * sizeof *self->ahead);
        self->ahead[self->window - 1] = NULL;
        self->sealed++;
    }
    *sealed = self->sealed;
    return STATUS_OK;
}

static bool complete(void *state)
{
    const struct log *self = state;
    return self->sealed == self->end;
}

static void tell_tally(void *state, struct tally *out)
{
    const struct log *self = state;
    *out = (struct tally){.read = self->rows, .counted = self->rows};
}

static status item(void *state, uint64_t place, const double mass[2], union record *out,
                   uint32_t *source)
{
    struct log *self = state;
    const size_t size = words_of(self) * sizeof(uint64_t);
    (void)mass;
    if (place >= self->sealed)
        return STATUS_END;
    if (pread(self->file, self->current, size, place_of(self, place)) != (ssize_t)size)
        return STATUS_IO;
    *source = 0;
    *numbers_of(out) =
        (struct numbers){self->current[1], (uint32_t)self->current[0], self->current + 2};
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    static const struct stage_log log = {.fault = fault,
                                         .process = process,
                                         .give_up = give_up,
                                         .source_end = source_end,
                                         .state = tell_state,
                                         .seal = seal,
                                         .complete = complete,
                                         .tally = tell_tally,
                                         .item = item};
    static const struct stage squares = {.name = "square_log",
                                         .help = "Keeps squares.",
                                         .output = (enum message_type)SQUARES,
                                         .create = create,
                                         .destroy = destroy,
                                         .log = &log};
    numbers_add_schemas();
    return stage_main(&squares, argc, argv);
}
