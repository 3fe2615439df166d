/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/credit/handout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/flow/link/link.h"

enum { CONSUMERS_MAX = 256, REFUSED_MAX = 64, REASON_SIZE = 200 };

struct refusal {
    uint64_t seq;
    char reason[REASON_SIZE];
};

struct consumer {
    uint64_t number;
    char name[WIRE_TEXT_SIZE];
    uint32_t replica;
    uint64_t incarnation;
    struct route route;
    uint64_t granted;
    uint64_t limit; /* batches that may be in flight to this consumer: its first grant */
    uint64_t sent;
    uint64_t heard_ms;
};

struct handout {
    struct flow *flow;
    flow_link *link;
    uint64_t numbers; /* given out so far */
    size_t n;
    struct consumer consumer[CONSUMERS_MAX];
    size_t n_lost;
    uint64_t lost[CONSUMERS_MAX];
    char lost_name[CONSUMERS_MAX][WIRE_TEXT_SIZE];
    size_t n_refused;
    struct refusal refused[REFUSED_MAX]; /* not yet returned by handout_refused */
};

status handout_create(handout **out, struct flow *flow, const char *endpoint)
{
    assert(out != NULL);
    *out = NULL;
    handout *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->flow = flow;
    const status bound = link_bind(&self->link, flow, endpoint);
    if (bound != STATUS_OK)
        handout_destroy(&self);
    *out = self;
    return bound;
}

void handout_destroy(handout **self)
{
    if (*self == NULL)
        return;
    link_close(&(*self)->link);
    free(*self);
    *self = NULL;
}

void *handout_socket(const handout *self)
{
    return link_socket(self->link);
}

static void forget(handout *self, size_t i)
{
    if (self->n_lost < CONSUMERS_MAX) {
        memcpy(self->lost_name[self->n_lost], self->consumer[i].name, WIRE_TEXT_SIZE);
        self->lost[self->n_lost++] = self->consumer[i].number;
    }
    self->consumer[i] = self->consumer[--self->n];
}

/* The consumer that a grant came from. Another incarnation is another process; another route is
 * another connection, and what was on its way on the old one may be lost: either is a new consumer.
 */
static struct consumer *find_or_add(handout *self, const struct arrival *arrival)
{
    const struct control_grant *grant = &arrival->control.grant;
    for (size_t i = 0; i < self->n; i++) {
        struct consumer *known = &self->consumer[i];
        if (known->replica != grant->replica || strcmp(known->name, grant->name) != 0)
            continue;
        if (known->incarnation == grant->incarnation && route_equal(&known->route, &arrival->route))
            return known;
        forget(self, i);
        break;
    }
    if (self->n == CONSUMERS_MAX)
        return NULL;
    struct consumer *added = &self->consumer[self->n++];
    *added = (struct consumer){.number = ++self->numbers,
                               .replica = grant->replica,
                               .incarnation = grant->incarnation,
                               .route = arrival->route};
    memcpy(added->name, grant->name, sizeof added->name);
    return added;
}

/* Both counts are the consumer's own, so that a producer that had forgotten it, or whose batches
 * were lost on the way, agrees with it again. Grants for an earlier epoch of ours are ignored. */
static void count_grant(const handout *self, struct consumer *consumer,
                        const struct control_grant *grant)
{
    if (grant->epoch != self->flow->incarnation)
        return;
    if (consumer->granted == 0 && grant->total > grant->received)
        consumer->limit = grant->total - grant->received;
    if (grant->total > consumer->granted)
        consumer->granted = grant->total;
    if (grant->received > consumer->sent)
        consumer->sent = grant->received;
}

static status take_grant(handout *self, const struct arrival *arrival)
{
    const struct control_grant *grant = &arrival->control.grant;
    struct consumer *consumer = find_or_add(self, arrival);
    if (consumer == NULL) {
        log_warning("refused consumer %s.%u: %d are connected already", grant->name, grant->replica,
                    CONSUMERS_MAX);
        return STATUS_OK;
    }
    consumer->heard_ms = clock_ms();
    count_grant(self, consumer, grant);
    const struct control_alive alive = {.epoch = self->flow->incarnation};
    const status sent = link_send_control(self->link, &arrival->route, CONTROL_ALIVE, &alive);
    return sent == STATUS_END ? STATUS_OK : sent;
}

static void drop_silent(handout *self)
{
    const uint64_t now = clock_ms();
    for (size_t i = 0; i < self->n;) {
        if (now - self->consumer[i].heard_ms <= FLOW_LEASE_MS) {
            i++;
            continue;
        }
        log_warning("%s.%u has been silent for %d s: its batches go to others",
                    self->consumer[i].name, self->consumer[i].replica, FLOW_LEASE_MS / 1000);
        forget(self, i);
    }
}

/* One more than there is room for is forgotten: the batch is resent in time, and refused again. */
static void note_refusal(handout *self, const struct control_refused *refused)
{
    if (self->n_refused == REFUSED_MAX)
        return;
    struct refusal *to = &self->refused[self->n_refused++];
    const size_t n =
        refused->reason.size < REASON_SIZE - 1 ? refused->reason.size : REASON_SIZE - 1;
    to->seq = refused->seq;
    memcpy(to->reason, refused->reason.data, n);
    to->reason[n] = '\0';
}

bool handout_refused(handout *self, uint64_t *seq, const char **reason)
{
    if (self->n_refused == 0)
        return false;
    const struct refusal *last = &self->refused[--self->n_refused];
    *seq = last->seq;
    *reason = last->reason;
    return true;
}

const char *handout_lost_name(const handout *self)
{
    return self->lost_name[self->n_lost]; /* handout_receive took the number behind it */
}

status handout_receive(handout *self, uint64_t *lost)
{
    struct arrival arrival;
    status done;
    *lost = 0;
    while ((done = link_receive(self->link, &arrival)) == STATUS_OK) {
        if (arrival.control_type == CONTROL_GRANT)
            done = take_grant(self, &arrival);
        else if (arrival.control_type == CONTROL_REFUSED)
            note_refusal(self, &arrival.control.refused);
        arrival_close(&arrival);
        if (done != STATUS_OK)
            return done;
    }
    if (done != STATUS_END)
        return done;
    drop_silent(self);
    if (self->n_lost > 0)
        *lost = self->lost[--self->n_lost];
    return STATUS_OK;
}

static uint64_t room_of(const struct consumer *consumer)
{
    return consumer->granted > consumer->sent ? consumer->granted - consumer->sent : 0;
}

uint64_t handout_consumer(const handout *self)
{
    uint64_t best = 0;
    uint64_t most = 0;
    for (size_t i = 0; i < self->n; i++) {
        const uint64_t room = room_of(&self->consumer[i]);
        if (room <= most)
            continue;
        most = room;
        best = self->consumer[i].number;
    }
    return best;
}

status handout_send(handout *self, uint64_t number, struct wire_header *header, const void *record)
{
    size_t i = 0;
    while (i < self->n && self->consumer[i].number != number)
        i++;
    assert(i < self->n);
    const status done = link_send_record(self->link, &self->consumer[i].route, header, record);
    if (done == STATUS_OK)
        self->consumer[i].sent++;
    else if (done == STATUS_END)
        forget(self, i);
    return done;
}

void handout_credits(const handout *self, uint64_t *all, uint64_t *used)
{
    *all = 0;
    *used = 0;
    for (size_t i = 0; i < self->n; i++) {
        const uint64_t room = room_of(&self->consumer[i]);
        *all += self->consumer[i].limit;
        *used += self->consumer[i].limit > room ? self->consumer[i].limit - room : 0;
    }
}
