/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/credit/intake.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

struct intake {
    struct flow *flow;
    flow_link *link;
    uint64_t room;
    uint64_t epoch;    /* of the producer; 0: not met yet */
    uint64_t received; /* batches of that epoch */
    uint64_t granted;
    uint64_t said; /* last total sent to the producer */
    struct talk talk;
};

status intake_create(intake **out, struct flow *flow, const char *endpoint, uint64_t room)
{
    assert(out != NULL && room > 0);
    *out = NULL;
    intake *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->flow = flow;
    self->room = room;
    const status connected = link_connect(&self->link, flow, endpoint);
    if (connected != STATUS_OK)
        intake_destroy(&self);
    *out = self;
    return connected;
}

void intake_destroy(intake **self)
{
    if (*self == NULL)
        return;
    link_close(&(*self)->link);
    free(*self);
    *self = NULL;
}

void *intake_socket(const intake *self)
{
    return link_socket(self->link);
}

status intake_reconnect(intake *self)
{
    self->talk = (struct talk){0};
    return link_remake(self->link);
}

static status send_grant(intake *self, uint64_t now)
{
    struct control_grant grant = {.replica = self->flow->replica,
                                  .incarnation = self->flow->incarnation,
                                  .epoch = self->epoch,
                                  .received = self->received,
                                  .total = self->granted};
    strncpy(grant.name, self->flow->name, sizeof grant.name - 1);
    self->said = self->granted;
    self->talk.said_ms = now;
    const status done = link_send_control(self->link, NULL, CONTROL_GRANT, &grant);
    return done == STATUS_END ? STATUS_OK : done;
}

status intake_say(intake *self)
{
    const uint64_t now = clock_ms();
    self->talk.heard_ms = now; /* answers are not read meanwhile: no silence of the producer */
    return send_grant(self, now);
}

/* There is more room than was granted, and at most half of it is still in flight: a grant for every
 * batch would be as many messages again. */
static bool is_short(const intake *self)
{
    return self->granted > self->said &&
           (self->said <= self->received ||
            2 * (self->said - self->received) <= self->granted - self->received);
}

status intake_tend(intake *self, bool open)
{
    const uint64_t now = clock_ms();
    const status alive = link_check_lease(self->link, &self->talk, now);
    if (alive != STATUS_OK)
        return alive;
    if (open && self->epoch != 0)
        self->granted = self->received + self->room;
    if (!is_short(self) && !talk_is_due(&self->talk, now))
        return STATUS_OK;
    return send_grant(self, now);
}

/* Another life of the producer: it knows nothing of what was granted to the last one. */
static void meet(intake *self, uint64_t epoch)
{
    if (epoch == self->epoch)
        return;
    self->epoch = epoch;
    self->received = 0;
    self->granted = 0;
    self->talk.said_ms = 0;
}

status intake_receive(intake *self, struct arrival *arrival, union record *out)
{
    for (;;) {
        status done = link_receive(self->link, arrival);
        if (done != STATUS_OK)
            return done;
        self->talk.heard_ms = clock_ms();
        if (arrival->control_type == CONTROL_ALIVE)
            meet(self, arrival->control.alive.epoch);
        if (arrival->control_type != 0) {
            arrival_close(arrival);
            continue;
        }
        meet(self, arrival->header.epoch);
        self->received++;
        done = link_unpack(self->link, arrival, out);
        if (done != STATUS_OK)
            arrival_close(arrival);
        return done;
    }
}

status intake_refuse(intake *self, const struct wire_header *header, const char *reason)
{
    const struct control_refused refused = {.source = header->source,
                                            .seq = header->seq,
                                            .reason = {(const uint8_t *)reason, strlen(reason)}};
    const status done = link_send_control(self->link, NULL, CONTROL_REFUSED, &refused);
    return done == STATUS_END ? STATUS_OK : done;
}
