/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/feed/puller.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

/* More items than any stage pulls ahead: further ones stay in the socket. */
enum { HERE_MAX = 32 };

struct puller {
    struct flow *flow;
    flow_link *link;
    struct feed_filter filter;
    uint64_t next;
    uint64_t total; /* UINT64_MAX: not known */
    uint64_t said;  /* last `until` sent */
    struct talk talk;
    size_t first; /* of the items that are here */
    size_t n_here;
    struct arrival here[HERE_MAX]; /* a ring */
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

static struct arrival *item_here(puller *self, size_t i)
{
    return &self->here[(self->first + i) % HERE_MAX];
}

static void forget_items(puller *self)
{
    for (size_t i = 0; i < self->n_here; i++)
        arrival_close(item_here(self, i));
    self->n_here = 0;
}

/* Index of the first item that has not come. */
static uint64_t lacking(const puller *self)
{
    return self->next + self->n_here * self->filter.modulus;
}

void puller_destroy(puller **self)
{
    if (*self == NULL)
        return;
    forget_items(*self);
    link_close(&(*self)->link);
    free(*self);
    *self = NULL;
}

void *puller_socket(const puller *self)
{
    return link_socket(self->link);
}

static status send_pull(puller *self, uint64_t until, uint64_t now)
{
    struct control_pull pull = {.replica = self->flow->replica,
                                .incarnation = self->flow->incarnation,
                                .from = lacking(self),
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

/* More is wanted than was pulled, and at most half of it is still to come: a pull for every item
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
    return send_pull(self, until, now);
}

/* A damaged item: on a new connection the producer starts again from the one we lack. */
static status pull_again(puller *self)
{
    forget_items(self);
    self->talk.said_ms = 0;
    const status remade = link_remake(self->link);
    return remade == STATUS_OK ? STATUS_END : remade;
}

/* The item that is wanted next from the link, not read yet; STATUS_END if it has not come. */
static status receive_next(puller *self, struct arrival *out)
{
    for (;;) {
        const status done = link_receive(self->link, out);
        if (done != STATUS_OK)
            return done;
        self->talk.heard_ms = clock_ms();
        if (out->control_type == CONTROL_END)
            self->total = out->control.end.total;
        if (out->control_type == 0 && out->header.seq == lacking(self))
            return STATUS_OK;
        /* Another index: a second copy, or behind a loss. */
        arrival_close(out);
    }
}

status puller_gather(puller *self)
{
    status done = STATUS_OK;
    while (done == STATUS_OK && self->n_here < HERE_MAX) {
        done = receive_next(self, item_here(self, self->n_here));
        self->n_here += done == STATUS_OK;
    }
    return done == STATUS_END ? STATUS_OK : done;
}

size_t puller_n_here(const puller *self)
{
    return self->n_here;
}

status puller_receive(puller *self, struct arrival *arrival, union record *out)
{
    if (self->n_here > 0) {
        arrival_move(arrival, item_here(self, 0));
        self->first = (self->first + 1) % HERE_MAX;
        self->n_here--;
    } else {
        const status done = receive_next(self, arrival);
        if (done != STATUS_OK)
            return done;
    }
    const status done = link_unpack(self->link, arrival, out);
    if (done == STATUS_OK) {
        self->next += self->filter.modulus;
        return STATUS_OK;
    }
    arrival_close(arrival);
    return done == STATUS_BAD_INPUT ? pull_again(self) : done;
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
