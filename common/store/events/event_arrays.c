/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/events/event_arrays.h"

#include <stdlib.h>

status event_arrays_reserve(struct event_arrays *self, size_t events, size_t particles)
{
    if (self->offset == NULL || events > self->events_room) {
        uint32_t *offset = realloc(self->offset, (events + 1) * sizeof *offset);
        self->offset = offset != NULL ? offset : self->offset;
        int8_t *label = realloc(self->label, events + 1);
        self->label = label != NULL ? label : self->label;
        if (offset == NULL || label == NULL)
            return STATUS_NO_MEMORY;
        self->events_room = events;
    }
    if (self->pt == NULL || particles > self->particles_room) {
        /* Half as much again, so that batches of slightly different sizes soon fit. */
        const size_t room = particles + particles / 2 + 1;
        float **const arrays[] = {&self->pt, &self->eta, &self->phi};
        for (size_t a = 0; a < 3; a++) {
            float *larger = realloc(*arrays[a], room * sizeof *larger);
            if (larger == NULL)
                return STATUS_NO_MEMORY;
            *arrays[a] = larger;
        }
        self->particles_room = room;
    }
    return STATUS_OK;
}

void event_arrays_fini(struct event_arrays *self)
{
    free(self->offset);
    free(self->label);
    free(self->pt);
    free(self->eta);
    free(self->phi);
}
