/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stage/roles/intakes.h"

#include <stdlib.h>

status intakes_open(struct intakes *self, struct runtime *runtime, uint64_t credits)
{
    const struct stage_setup *setup = &runtime->given.setup;
    size_t n = 0;
    for (size_t i = 0; i < setup->n_inputs; i++)
        n += setup->inputs[i].copies;
    *self = (struct intakes){.in = calloc(n + 1, sizeof(intake *)),
                             .input = calloc(n + 1, sizeof *self->input)};
    if (self->in == NULL || self->input == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < setup->n_inputs; i++)
        for (size_t copy = 0; copy < setup->inputs[i].copies; copy++) {
            const status done = intake_create(&self->in[self->n], &runtime->flow,
                                              setup->inputs[i].endpoint[copy], credits);
            if (done != STATUS_OK)
                return done;
            self->input[self->n++] = i;
        }
    return STATUS_OK;
}

void intakes_close(struct intakes *self)
{
    for (size_t i = 0; i < self->n; i++)
        intake_destroy(&self->in[i]);
    free(self->in);
    free(self->input);
    *self = (struct intakes){0};
}
