/* SPDX-License-Identifier: GPL-3.0-or-later */
/* square_worker: numbers in, their squares out. */
#include <stdlib.h>

#include "tests/pipeline/numbers.h"

struct worker {
    uint64_t *value; /* [analysis.stream.batch] */
};

static status create(void **out, const struct stage_setup *setup)
{
    struct worker *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->value = calloc(setup->analysis.stream.batch, sizeof *self->value);
    return self->value != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static void destroy(void **state)
{
    struct worker *self = *state;
    if (self != NULL)
        free(self->value);
    free(self);
    *state = NULL;
}

static status process(void *state, const struct stage_item *item, struct stage_outlet *outlet)
{
    struct worker *self = state;
    const struct numbers *from = numbers_in(item->record);
    for (uint32_t i = 0; i < from->n; i++)
        self->value[i] = from->value[i] * from->value[i];
    const struct numbers squares = {from->first, from->n, self->value};
    return outlet->emit(outlet, &squares);
}

int main(int argc, char **argv)
{
    static const struct stage_worker worker = {.process = process};
    static const struct stage squares = {.name = "square_worker",
                                         .help = "Squares numbers.",
                                         .output = (enum message_type)SQUARES,
                                         .create = create,
                                         .destroy = destroy,
                                         .worker = &worker};
    numbers_add_schemas();
    return stage_main(&squares, argc, argv);
}
