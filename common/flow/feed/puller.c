/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/feed/puller.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

struct puller {
    struct flow *flow;
    flow_link *link;
    struct feed_filter filter;
    uint64_t next;
    uint64_t total; /* UINT64_MAX: not known */
    uint64_t said;  /* last `until` told */
    struct talk talk;
};

status puller_create(puller **out, struct flow *flow, const char *endpoint,
                     const struct feed_filter *filter)
{
    assert(out != NULL && filter->modulus > 0 && filter->remainder < filter->modulus);
    *out = NULL;
    puller *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->flow = flow;
    self->filter = *filter;
    self->next = filter->remainder;
    self->total = UINT64_MAX;
    const status connected = link_connect(&self->link, flow, endpoint);
    if (connected != STATUS_OK)
        puller_destroy(&self);
    *out = self;
    return connected;
}

void puller_destroy(puller **self)
{
    if (*self == NULL)
        return;
    link_close(&(*self)->link);
    free(*self);
    *self = NULL;
}

void *puller_socket(const puller *self)
{
    return link_socket(self->link);
}

static status say_pull(puller *self, uint64_t until, uint64_t now)
{
    struct control_pull pull = {.replica = self->flow->replica,
                                .incarnation = self->flow->incarnation,
                                .from = self->next,
                                .until = until,
                                .modulus = self->filter.modulus,
                                .remainder = self->filter.remainder,
                                .mass = {self->filter.mass[0], self->filter.mass[1]}};
    strncpy(pull.name, self->flow->name, sizeof pull.name - 1);
    self->said = until;
    self->talk.said_ms = now;
    const status done = link_send_control(self->link, NULL, CONTROL_PULL, &pull);
    return done == STATUS_END ? STATUS_OK : done;
}

/* More is wanted than was told, and at most half of it is still to come: a pull for every item
 * would be as many messages again. */
static bool is_short(const puller *self, uint64_t until)
{
    return until > self->said &&
           (self->said <= self->next || 2 * (self->said - self->next) <= until - self->next);
}

status puller_tend(puller *self, uint64_t until)
{
    const uint64_t now = clock_ms();
    uint64_t total;
    if (puller_ended(self, &total))
        return STATUS_OK;
    const status alive = link_check_lease(self->link, &self->talk, now);
    if (alive != STATUS_OK)
        return alive;
    if (until < self->said)
        until = self->said;
    if (!is_short(self, until) && !talk_is_due(&self->talk, now))
        return STATUS_OK;
    return say_pull(self, until, now);
}

/* A damaged item: on a new connection the producer starts again from the one we lack. */
static status ask_again(puller *self)
{
    self->talk.said_ms = 0;
    const status remade = link_remake(self->link);
    return remade == STATUS_OK ? STATUS_END : remade;
}

status puller_receive(puller *self, struct arrival *arrival, union record *out)
{
    for (;;) {
        status done = link_receive(self->link, arrival);
        if (done != STATUS_OK)
            return done;
        self->talk.heard_ms = clock_ms();
        if (arrival->control_type == CONTROL_END)
            self->total = arrival->control.end.total;
        /* Another index than the next: a second copy, or behind a loss. */
        if (arrival->control_type != 0 || arrival->header.seq != self->next) {
            arrival_close(arrival);
            continue;
        }
        done = link_unpack(self->link, arrival, out);
        if (done == STATUS_OK) {
            self->next += self->filter.modulus;
            return STATUS_OK;
        }
        arrival_close(arrival);
        if (done != STATUS_BAD_INPUT)
            return done;
        return ask_again(self);
    }
}

uint64_t puller_next(const puller *self)
{
    return self->next;
}

bool puller_ended(const puller *self, uint64_t *total)
{
    *total = self->total;
    return self->next >= self->total;
}
