/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/image_log/source_ends.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/events/input_notes.h"

struct end {
    uint64_t batches;
    uint64_t rows;
};

struct source_ends {
    uint32_t n;
    uint32_t batch; /* rows */
    const char *folder;
    const json_t *extents; /* or NULL */
    struct end *fitting;   /* [n] the last end that was possible ... */
    struct end *refused;   /* ... and could not */
};

status source_ends_create(source_ends **out, const struct stage_setup *setup)
{
    source_ends *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->n = setup->sources;
    self->batch = setup->analysis.stream.batch;
    self->folder = setup->folder;
    self->extents = setup->extents;
    self->fitting = calloc(self->n, sizeof *self->fitting);
    self->refused = calloc(self->n, sizeof *self->refused);
    if (self->fitting == NULL || self->refused == NULL) {
        source_ends_destroy(out);
        return STATUS_NO_MEMORY;
    }
    for (uint32_t s = 0; s < self->n; s++)
        self->fitting[s].batches = self->refused[s].batches = UINT64_MAX;
    return STATUS_OK;
}

void source_ends_destroy(source_ends **self)
{
    if (*self == NULL)
        return;
    free((*self)->fitting);
    free((*self)->refused);
    free(*self);
    *self = NULL;
}

/* False if nothing is known of the source. */
static bool find_end(const source_ends *self, uint32_t source, bool *ended, struct end *out)
{
    const json_t *extent = json_array_get(self->extents, source);
    struct input_extent taken;
    *ended = true;
    if (json_array_size(extent) == 2) {
        out->batches = (uint64_t)json_integer_value(json_array_get(extent, 0));
        out->rows = (uint64_t)json_integer_value(json_array_get(extent, 1));
        return true;
    }
    if (!json_is_string(extent) ||
        input_extent_read(&taken, self->folder, source, self->batch) != STATUS_OK)
        return false;
    *ended = taken.ended;
    *out = (struct end){.batches = taken.batches, .rows = taken.rows};
    return true;
}

static bool is_same(const struct end *a, const struct end *b)
{
    return a->batches == b->batches && a->rows == b->rows;
}

bool source_ends_fit(source_ends *self, uint32_t source, uint64_t batches, uint64_t rows)
{
    const struct end said = {.batches = batches, .rows = rows};
    struct end known;
    bool ended;
    if (is_same(&said, &self->fitting[source]) || is_same(&said, &self->refused[source]))
        return is_same(&said, &self->fitting[source]);
    if (!find_end(self, source, &ended, &known) || (ended && is_same(&said, &known))) {
        self->fitting[source] = said;
        return true;
    }
    self->refused[source] = said;
    log_warning("refused the word of somebody that source %" PRIu32 " ends after %" PRIu64
                " batches with %" PRIu64 " rows: %s",
                source, batches, rows,
                ended ? "its files have others" : "its reader has not noted the end");
    return false;
}
