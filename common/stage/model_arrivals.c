/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stage/model_arrivals.h"

#include <stdlib.h>

#include "common/base/log.h"

status model_arrivals_init(struct model_arrivals *self, const struct analysis *analysis)
{
    *self = (struct model_arrivals){.members = analysis->training.ensemble,
                                    .clusters = analysis->training.clusters,
                                    .pixels = analysis->image.pixels * analysis->image.pixels};
    self->here = calloc(self->members, sizeof *self->here);
    return self->here != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void model_arrivals_fini(struct model_arrivals *self)
{
    free(self->here);
    *self = (struct model_arrivals){0};
}

status model_arrivals_note(struct model_arrivals *self, const struct model_record *record)
{
    if (record->member >= self->members || record->clusters != self->clusters ||
        record->pixels != self->pixels) {
        log_error("model of member %u with %u clusters of %u pixels: expected one of %u members, "
                  "%u clusters, %u pixels",
                  record->member, record->clusters, record->pixels, self->members, self->clusters,
                  self->pixels);
        return STATUS_BAD_INPUT;
    }
    self->here[record->member] = true;
    return STATUS_OK;
}

status model_arrivals_check(const struct model_arrivals *self)
{
    for (uint32_t m = 0; m < self->members; m++) {
        if (self->here[m])
            continue;
        log_error("the trainer ended without a model of member %u", m);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}
