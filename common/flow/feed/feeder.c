/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/feed/feeder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/flow/feed/item_spool.h"
#include "common/flow/link/link.h"
#include "common/records/message_type.h"

enum { CONSUMERS_MAX = 256 };

struct consumer {
    struct route route;
    struct control_pull want;
    uint64_t cursor;
    uint64_t heard_ms;
    bool end_sent;
};

struct feeder {
    struct flow *flow;
    flow_link *link;
    enum message_type type;
    feeder_item *item;
    void *store;
    item_spool *kept;   /* without a store */
    uint64_t available; /* items */
    bool ended;
    size_t n;
    struct consumer consumer[CONSUMERS_MAX];
};

static status open_feeder(feeder **out, struct flow *flow, const char *endpoint,
                          enum message_type type)
{
    assert(out != NULL);
    feeder *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->flow = flow;
    self->type = type;
    return link_bind(&self->link, flow, endpoint);
}

status feeder_create(feeder **out, struct flow *flow, const char *endpoint, enum message_type type,
                     const char *folder)
{
    status done = open_feeder(out, flow, endpoint, type);
    if (done == STATUS_OK)
        done = item_spool_create(&(*out)->kept, folder);
    if (done != STATUS_OK)
        feeder_destroy(out);
    return done;
}

status feeder_create_store(feeder **out, struct flow *flow, const char *endpoint,
                           enum message_type type, feeder_item *item, void *store)
{
    const status done = open_feeder(out, flow, endpoint, type);
    if (done != STATUS_OK) {
        feeder_destroy(out);
        return done;
    }
    (*out)->item = item;
    (*out)->store = store;
    return STATUS_OK;
}

void feeder_destroy(feeder **self)
{
    if (*self == NULL)
        return;
    item_spool_destroy(&(*self)->kept);
    link_close(&(*self)->link);
    free(*self);
    *self = NULL;
}

void *feeder_socket(const feeder *self)
{
    return link_socket(self->link);
}

static struct wire_header header_of(const feeder *self, uint64_t index, const void *record)
{
    struct wire_header header = {
        .type = self->type, .source = self->flow->replica, .seq = index, .attempt = 1};
    header.events = wire_record_events(self->type, record);
    return header;
}

status feeder_append(feeder *self, const void *record)
{
    assert(self->kept != NULL && !self->ended);
    struct wire_frame frames[2];
    struct wire_header header = header_of(self, self->available, record);
    status done = flow_pack(self->flow, &header, record, frames);
    if (done != STATUS_OK)
        return done;
    done = item_spool_add(self->kept, frames);
    buffer_pool_give((void *)(uintptr_t)frames[1].data, self->flow->outgoing);
    if (done == STATUS_OK)
        self->available++;
    return done;
}

void feeder_set_available(feeder *self, uint64_t n)
{
    assert(self->item != NULL);
    self->available = n;
}

void feeder_set_end(feeder *self, bool ended)
{
    self->ended = ended;
}

static struct consumer *find_or_add(feeder *self, const struct arrival *arrival)
{
    for (size_t i = 0; i < self->n; i++)
        if (route_equal(&self->consumer[i].route, &arrival->route))
            return &self->consumer[i];
    if (self->n == CONSUMERS_MAX)
        return NULL;
    /* A new connection: items sent to an earlier one may be lost, so start at its `from`. */
    struct consumer *added = &self->consumer[self->n++];
    *added = (struct consumer){.route = arrival->route, .cursor = arrival->control.pull.from};
    return added;
}

static status take_pull(feeder *self, const struct arrival *arrival)
{
    const struct control_pull *pull = &arrival->control.pull;
    if (pull->modulus == 0 || pull->remainder >= pull->modulus) {
        log_warning("refused a pull of %s.%u: remainder %llu of modulus %llu", pull->name,
                    pull->replica, (unsigned long long)pull->remainder,
                    (unsigned long long)pull->modulus);
        return STATUS_OK;
    }
    struct consumer *consumer = find_or_add(self, arrival);
    if (consumer == NULL) {
        log_warning("refused consumer %s.%u: %d are connected already", pull->name, pull->replica,
                    CONSUMERS_MAX);
        return STATUS_OK;
    }
    const uint64_t until = consumer->want.until;
    consumer->want = *pull;
    if (pull->until < until)
        consumer->want.until = until;
    consumer->heard_ms = clock_ms();
    consumer->end_sent = false;
    const struct control_alive alive = {.epoch = self->flow->incarnation};
    const status sent = link_send_control(self->link, &arrival->route, CONTROL_ALIVE, &alive);
    return sent == STATUS_END ? STATUS_OK : sent;
}

/* The cursor behind what the consumer's partition leaves out. */
static uint64_t next_wanted(const struct consumer *consumer)
{
    const uint64_t modulus = consumer->want.modulus;
    const uint64_t remainder = consumer->want.remainder;
    const uint64_t offset = (remainder + modulus - consumer->cursor % modulus) % modulus;
    return consumer->cursor + offset;
}

static status send_kept(feeder *self, const struct consumer *consumer, uint64_t index)
{
    uint8_t header[WIRE_HEADER_MAX];
    size_t sizes[2];
    item_spool_sizes(self->kept, index, sizes);
    assert(sizes[0] <= sizeof header);
    uint8_t *payload = buffer_pool_take(self->flow->outgoing, sizes[1]);
    if (payload == NULL)
        return STATUS_NO_MEMORY;
    const status got = item_spool_get(self->kept, index, header, payload);
    if (got != STATUS_OK) {
        buffer_pool_give(payload, self->flow->outgoing);
        return got;
    }
    const struct wire_frame frames[2] = {{header, sizes[0]}, {payload, sizes[1]}};
    return link_send_frames(self->link, &consumer->route, frames);
}

/* *sent: unless the store does not have it now. */
static status send_stored(feeder *self, const struct consumer *consumer, uint64_t index, bool *sent)
{
    union record record;
    uint32_t source;
    const status got = self->item(self->store, index, consumer->want.mass, &record, &source);
    *sent = got == STATUS_OK;
    if (got != STATUS_OK)
        return got == STATUS_END ? STATUS_OK : got;
    struct wire_header header = header_of(self, index, &record);
    header.source = source;
    return link_send_record(self->link, &consumer->route, &header, &record);
}

static status send_item(feeder *self, const struct consumer *consumer, uint64_t index, bool *sent)
{
    *sent = true;
    return self->kept != NULL ? send_kept(self, consumer, index)
                              : send_stored(self, consumer, index, sent);
}

static status send_end(feeder *self, struct consumer *consumer)
{
    const struct control_end end = {.total = self->available};
    consumer->end_sent = true;
    return link_send_control(self->link, &consumer->route, CONTROL_END, &end);
}

/* STATUS_END: the consumer has gone. */
static status serve(feeder *self, struct consumer *consumer, bool *more)
{
    const uint64_t index = next_wanted(consumer);
    if (index < self->available && index < consumer->want.until) {
        bool sent;
        const status done = send_item(self, consumer, index, &sent);
        if (done != STATUS_OK || !sent)
            return done;
        consumer->cursor = index + 1;
        *more = true;
        return STATUS_OK;
    }
    if (self->ended && index >= self->available && !consumer->end_sent)
        return send_end(self, consumer);
    return STATUS_OK;
}

status feeder_tend(feeder *self, bool *more)
{
    struct arrival arrival;
    status done;
    while ((done = link_receive(self->link, &arrival)) == STATUS_OK) {
        if (arrival.control_type == CONTROL_PULL)
            done = take_pull(self, &arrival);
        arrival_close(&arrival);
        if (done != STATUS_OK)
            return done;
    }
    if (done != STATUS_END)
        return done;
    const uint64_t now = clock_ms();
    for (size_t i = 0; i < self->n;) {
        struct consumer *consumer = &self->consumer[i];
        done = now - consumer->heard_ms > FLOW_LEASE_MS ? STATUS_END : serve(self, consumer, more);
        if (done == STATUS_OK)
            i++;
        else if (done == STATUS_END)
            *consumer = self->consumer[--self->n];
        else
            return done;
    }
    return STATUS_OK;
}
