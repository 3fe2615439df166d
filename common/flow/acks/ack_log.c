/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/acks/ack_log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/flow/link/link.h"

struct peer {
    struct ack_source end;
    bool present;
    struct route route;
};

struct ack_log {
    flow_link *link;
    uint32_t n;
    struct peer *peer; /* [n] by source */
    ack_on_batch *on_batch;
    void *context;
};

status ack_log_create(ack_log **out, struct flow *flow, const char *endpoint, uint32_t n_sources)
{
    assert(out != NULL);
    *out = NULL;
    ack_log *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->n = n_sources;
    self->peer = calloc(n_sources, sizeof *self->peer);
    const status bound =
        self->peer == NULL ? STATUS_NO_MEMORY : link_bind(&self->link, flow, endpoint);
    if (bound != STATUS_OK) {
        ack_log_destroy(&self);
        return bound;
    }
    for (uint32_t s = 0; s < n_sources; s++)
        self->peer[s].end.batches = UINT64_MAX;
    *out = self;
    return STATUS_OK;
}

void ack_log_destroy(ack_log **self)
{
    if (*self == NULL)
        return;
    link_close(&(*self)->link);
    free((*self)->peer);
    free(*self);
    *self = NULL;
}

void *ack_log_socket(const ack_log *self)
{
    return link_socket(self->link);
}

static status send(ack_log *self, struct peer *peer, enum control_type type, const void *control)
{
    if (!peer->present)
        return STATUS_OK;
    const status done = link_send_control(self->link, &peer->route, type, control);
    if (done != STATUS_END)
        return done;
    peer->present = false; /* it will introduce itself again */
    return STATUS_OK;
}

static status send_state(ack_log *self, uint32_t source, ack_state *state, void *context)
{
    struct control_durable durable = {.source = source};
    state(context, source, &durable);
    return send(self, &self->peer[source], CONTROL_DURABLE, &durable);
}

static void meet(ack_log *self, const struct arrival *arrival)
{
    const struct control_reader *reader = &arrival->control.reader;
    struct peer *peer = &self->peer[reader->source];
    peer->present = true;
    peer->route = arrival->route;
    if (reader->batches != UINT64_MAX)
        peer->end = (struct ack_source){reader->batches, reader->rows};
}

void ack_log_on_batch(ack_log *self, ack_on_batch *on_batch, void *context)
{
    self->on_batch = on_batch;
    self->context = context;
}

static status pass_on(const ack_log *self, const struct arrival *arrival)
{
    const struct control_handed *handed = &arrival->control.handed;
    const struct control_quarantine *given_up = &arrival->control.quarantine;
    const struct ack_batch batch =
        arrival->control_type == CONTROL_HANDED
            ? (struct ack_batch){handed->source, handed->seq, handed->first_row, handed->rows,
                                 false}
            : (struct ack_batch){given_up->source, given_up->seq, given_up->first_row,
                                 given_up->rows, true};
    return self->on_batch != NULL && batch.source < self->n ? self->on_batch(self->context, &batch)
                                                            : STATUS_OK;
}

status ack_log_tend(ack_log *self, ack_state *state, void *context)
{
    struct arrival arrival;
    status done;
    while ((done = link_receive(self->link, &arrival)) == STATUS_OK) {
        if (arrival.control_type == CONTROL_HANDED || arrival.control_type == CONTROL_QUARANTINE) {
            done = pass_on(self, &arrival);
        } else if (arrival.control_type == CONTROL_READER) {
            const uint32_t source = arrival.control.reader.source;
            if (source < self->n) {
                meet(self, &arrival);
                done = send_state(self, source, state, context);
            } else {
                log_warning("refused a reader of source %u: there are %u", source, self->n);
            }
        }
        arrival_close(&arrival);
        if (done != STATUS_OK)
            return done;
    }
    return done == STATUS_END ? STATUS_OK : done;
}

struct ack_source ack_log_source(const ack_log *self, uint32_t source)
{
    assert(source < self->n);
    return self->peer[source].end;
}

status ack_log_received(ack_log *self, uint32_t source, uint64_t seq)
{
    assert(source < self->n);
    const struct control_received received = {.source = source, .seq = seq};
    return send(self, &self->peer[source], CONTROL_RECEIVED, &received);
}

status ack_log_refused(ack_log *self, uint32_t source, uint64_t seq, const char *reason)
{
    assert(source < self->n);
    const struct control_refused refused = {
        .source = source, .seq = seq, .reason = {(const uint8_t *)reason, strlen(reason)}};
    return send(self, &self->peer[source], CONTROL_REFUSED, &refused);
}

status ack_log_durable(ack_log *self, ack_state *state, void *context)
{
    for (uint32_t s = 0; s < self->n; s++) {
        const status done = send_state(self, s, state, context);
        if (done != STATUS_OK)
            return done;
    }
    return STATUS_OK;
}
