/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_reader: event files in, numbered batches of events out.
 *   in   HDF5 files of one source, in the order of settings.files
 *   out  event_batch: batch seq is a fixed range of rows of one file
 * Keeps nothing: a batch can be read again at any time, so only its number needs to be known. */
#include <assert.h>
#include <stdlib.h>

#include "common/log/log.h"
#include "common/stage/stage.h"
#include "common/store/event_file.h"

/* The part of one file that lies in settings.rows. */
struct span {
    const char *path;
    uint64_t file_first;  /* row of the source where the file begins */
    uint64_t first;       /* first row wanted, within the file */
    uint64_t rows;        /* wanted */
    uint64_t first_batch; /* seq of its first batch */
};

struct reader {
    uint32_t source_batch; /* rows per batch */
    const char *masterkey;
    size_t n;
    struct span *span;
    uint64_t batches;
    uint64_t rows;
    event_file *file; /* the one read last */
    size_t file_index;
};

static uint64_t batches_of(const struct reader *self, const struct span *span)
{
    return (span->rows + self->source_batch - 1) / self->source_batch;
}

static status open_span(struct reader *self, size_t i)
{
    if (self->file != NULL && self->file_index == i)
        return STATUS_OK;
    event_file_close(&self->file);
    self->file_index = i;
    return event_file_open(&self->file, self->span[i].path, self->masterkey);
}

/* Cuts rows [wanted[0], wanted[1]) of the source out of file i, which begins at row file_first. */
static void cut(struct reader *self, size_t i, uint64_t file_first, uint64_t events,
                const uint64_t wanted[2])
{
    struct span *span = &self->span[i];
    const uint64_t file_last = file_first + events;
    const uint64_t first = wanted[0] > file_first ? wanted[0] : file_first;
    const uint64_t last = wanted[1] < file_last ? wanted[1] : file_last;
    span->file_first = file_first;
    span->first = first - file_first;
    span->rows = last > first ? last - first : 0;
    span->first_batch = self->batches;
    self->batches += batches_of(self, span);
    self->rows += span->rows;
}

static status open_all(struct reader *self, const json_t *files, const uint64_t wanted[2])
{
    uint64_t first = 0;
    for (size_t i = 0; i < self->n; i++) {
        self->span[i].path = json_string_value(json_array_get(files, i));
        if (self->span[i].path == NULL) {
            log_error("settings.files[%zu] is no text", i);
            return STATUS_BAD_INPUT;
        }
        const status opened = open_span(self, i);
        if (opened != STATUS_OK)
            return opened;
        const uint64_t events = event_file_events(self->file);
        cut(self, i, first, events, wanted);
        first += events;
    }
    if (wanted[1] != UINT64_MAX && wanted[1] > first)
        log_warning("settings.rows ends at %llu but the source has %llu rows",
                    (unsigned long long)wanted[1], (unsigned long long)first);
    return STATUS_OK;
}

static void reader_destroy(void **state)
{
    struct reader *self = *state;
    if (self == NULL)
        return;
    event_file_close(&self->file);
    free(self->span);
    free(self);
    *state = NULL;
}

static status reader_create(void **out, const struct stage_setup *setup)
{
    const json_t *files = json_object_get(setup->settings, "files");
    const json_t *rows = json_object_get(setup->settings, "rows");
    uint64_t wanted[2] = {0, UINT64_MAX};
    if (json_array_size(rows) == 2)
        for (size_t i = 0; i < 2; i++)
            wanted[i] = (uint64_t)json_integer_value(json_array_get(rows, i));
    struct reader *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->source_batch = setup->analysis.stream.batch;
    self->masterkey = json_string_value(json_object_get(setup->settings, "masterkey"));
    self->n = json_array_size(files);
    self->span = calloc(self->n + 1, sizeof *self->span);
    if (self->span == NULL)
        return STATUS_NO_MEMORY;
    if (self->masterkey != NULL && self->n > 1) {
        log_error("settings.masterkey labels one file, but settings.files has %zu", self->n);
        return STATUS_BAD_INPUT;
    }
    return open_all(self, files, wanted);
}

static void reader_extent(void *state, uint64_t *batches, uint64_t *rows)
{
    const struct reader *self = state;
    *batches = self->batches;
    *rows = self->rows;
}

/* The span batch seq lies in. */
static size_t find_span(const struct reader *self, uint64_t seq)
{
    size_t i = 0;
    while (seq >= self->span[i].first_batch + batches_of(self, &self->span[i]))
        i++;
    return i;
}

static status reader_read(void *state, uint64_t seq, struct event_batch *out)
{
    struct reader *self = state;
    assert(seq < self->batches);
    const size_t i = find_span(self, seq);
    const struct span *span = &self->span[i];
    const uint64_t skipped = (seq - span->first_batch) * self->source_batch;
    const uint64_t left = span->rows - skipped;
    const uint32_t n = left < self->source_batch ? (uint32_t)left : self->source_batch;
    status done = open_span(self, i);
    if (done == STATUS_OK)
        done = event_file_read(self->file, span->first + skipped, n, out);
    if (done == STATUS_OK)
        out->first_row = span->file_first + span->first + skipped;
    return done;
}

int main(int argc, char **argv)
{
    static const struct stage event_reader = {
        .name = "event_reader",
        .help = "Reads event files and hands out numbered batches of events.",
        .role = ROLE_SOURCE,
        .output = MESSAGE_EVENT_BATCH,
        .create = reader_create,
        .extent = reader_extent,
        .read = reader_read,
        .destroy = reader_destroy,
    };
    return stage_main(&event_reader, argc, argv);
}
