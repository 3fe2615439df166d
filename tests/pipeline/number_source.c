/* SPDX-License-Identifier: GPL-3.0-or-later */
/* number_source: settings.last numbers from 1 on, analysis.stream.batch in a batch. */
#include <stdlib.h>

#include "tests/pipeline/numbers.h"

struct source {
    uint64_t last;
    uint32_t batch;
    uint64_t *value;
};

static status create(void **out, const struct stage_setup *setup)
{
    struct source *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->last = (uint64_t)json_integer_value(json_object_get(setup->settings, "last"));
    self->batch = setup->analysis.stream.batch;
    self->value = calloc(self->batch, sizeof *self->value);
    return self->value != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static void destroy(void **state)
{
    struct source *self = *state;
    if (self != NULL)
        free(self->value);
    free(self);
    *state = NULL;
}

static void extent(void *state, uint64_t *batches, uint64_t *rows)
{
    const struct source *self = state;
    *rows = self->last;
    *batches = (self->last + self->batch - 1) / self->batch;
}

static status read_batch(void *state, uint64_t seq, union record *out, struct stage_rows *rows)
{
    struct source *self = state;
    const uint64_t first = seq * self->batch, left = self->last - first;
    const uint32_t n = left < self->batch ? (uint32_t)left : self->batch;
    for (uint32_t i = 0; i < n; i++)
        self->value[i] = first + i + 1;
    *numbers_of(out) = (struct numbers){first, n, self->value};
    *rows = (struct stage_rows){first, n};
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    static const struct stage_source source = {.extent = extent, .read = read_batch};
    static const struct stage numbers = {.name = "number_source",
                                         .help = "Hands out numbers.",
                                         .output = (enum message_type)NUMBERS,
                                         .create = create,
                                         .destroy = destroy,
                                         .source = &source};
    numbers_add_schemas();
    return stage_main(&numbers, argc, argv);
}
