/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/acks/acks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

enum { REFUSED_MAX = 64, REASON_SIZE = 200 };

struct refusal {
    uint64_t seq;
    char reason[REASON_SIZE];
};

struct ack_reader {
    struct flow *flow;
    flow_link *link;
    uint32_t source;
    uint64_t said_batches;
    struct talk talk;
    size_t n_refused;
    struct refusal refused[REFUSED_MAX]; /* that have not been asked for */
};

status ack_reader_create(ack_reader **out, struct flow *flow, const char *endpoint, uint32_t source)
{
    assert(out != NULL);
    *out = NULL;
    ack_reader *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->flow = flow;
    self->source = source;
    const status connected = link_connect(&self->link, flow, endpoint);
    if (connected != STATUS_OK)
        ack_reader_destroy(&self);
    *out = self;
    return connected;
}

void ack_reader_destroy(ack_reader **self)
{
    if (*self == NULL)
        return;
    link_close(&(*self)->link);
    free(*self);
    *self = NULL;
}

void *ack_reader_socket(const ack_reader *self)
{
    return link_socket(self->link);
}

/* One more than there is room for is forgotten: the batch is resent in time, and refused again. */
static void note_refusal(ack_reader *self, const struct control_refused *refused)
{
    if (refused->source != self->source || self->n_refused == REFUSED_MAX)
        return;
    struct refusal *to = &self->refused[self->n_refused++];
    const size_t n =
        refused->reason.size < REASON_SIZE - 1 ? refused->reason.size : REASON_SIZE - 1;
    to->seq = refused->seq;
    memcpy(to->reason, refused->reason.data, n);
    to->reason[n] = '\0';
}

bool ack_reader_refused(ack_reader *self, uint64_t *seq, const char **reason)
{
    if (self->n_refused == 0)
        return false;
    const struct refusal *last = &self->refused[--self->n_refused];
    *seq = last->seq;
    *reason = last->reason;
    return true;
}

status ack_reader_handed(ack_reader *self, uint64_t seq, uint64_t first_row, uint32_t rows)
{
    const struct control_handed handed = {
        .source = self->source, .seq = seq, .first_row = first_row, .rows = rows};
    const status done = link_send_control(self->link, NULL, CONTROL_HANDED, &handed);
    return done == STATUS_END ? STATUS_OK : done;
}

status ack_reader_quarantine(ack_reader *self, uint64_t seq, uint64_t first_row, uint32_t rows)
{
    const struct control_quarantine quarantine = {
        .source = self->source, .seq = seq, .first_row = first_row, .rows = rows};
    const status done = link_send_control(self->link, NULL, CONTROL_QUARANTINE, &quarantine);
    return done == STATUS_END ? STATUS_OK : done;
}

static void take_word(ack_reader *self, const struct arrival *arrival, ledger *book)
{
    const struct control_received *received = &arrival->control.received;
    const struct control_durable *durable = &arrival->control.durable;
    if (arrival->control_type == CONTROL_RECEIVED && received->source == self->source)
        ledger_received(book, received->seq);
    else if (arrival->control_type == CONTROL_DURABLE && durable->source == self->source)
        ledger_durable(book, durable->epoch, durable->watermark, durable->bitmap.size,
                       durable->bitmap.data);
    else if (arrival->control_type == CONTROL_REFUSED)
        note_refusal(self, &arrival->control.refused);
}

static status hear(ack_reader *self, ledger *book)
{
    struct arrival arrival;
    status done;
    while ((done = link_receive(self->link, &arrival)) == STATUS_OK) {
        self->talk.heard_ms = clock_ms();
        take_word(self, &arrival, book);
        arrival_close(&arrival);
    }
    return done == STATUS_END ? STATUS_OK : done;
}

status ack_reader_tend(ack_reader *self, ledger *book, uint64_t batches, uint64_t rows)
{
    status done = hear(self, book);
    if (done != STATUS_OK)
        return done;
    const uint64_t now = clock_ms();
    done = link_check_lease(self->link, &self->talk, now);
    if (done != STATUS_OK)
        return done;
    if (batches == self->said_batches && !talk_is_due(&self->talk, now))
        return STATUS_OK;
    self->talk.said_ms = now;
    self->said_batches = batches;
    const struct control_reader reader = {.source = self->source,
                                          .incarnation = self->flow->incarnation,
                                          .batches = batches,
                                          .rows = rows};
    done = link_send_control(self->link, NULL, CONTROL_READER, &reader);
    return done == STATUS_END ? STATUS_OK : done;
}

struct peer {
    struct ack_source end;
    bool present;
    struct route route;
};

struct ack_log {
    flow_link *link;
    uint32_t n;
    struct peer *peer; /* [n] by source */
    ack_told *told;
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

static status tell(ack_log *self, struct peer *peer, enum control_type type, const void *control)
{
    if (!peer->present)
        return STATUS_OK;
    const status done = link_send_control(self->link, &peer->route, type, control);
    if (done != STATUS_END)
        return done;
    peer->present = false; /* it will introduce itself again */
    return STATUS_OK;
}

static status tell_state(ack_log *self, uint32_t source, ack_state *state, void *context)
{
    struct control_durable durable = {.source = source};
    state(context, source, &durable);
    return tell(self, &self->peer[source], CONTROL_DURABLE, &durable);
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

void ack_log_tell_on(ack_log *self, ack_told *told, void *context)
{
    self->told = told;
    self->context = context;
}

static status tell_on(const ack_log *self, const struct arrival *arrival)
{
    const struct control_handed *handed = &arrival->control.handed;
    const struct control_quarantine *given_up = &arrival->control.quarantine;
    const struct ack_batch batch =
        arrival->control_type == CONTROL_HANDED
            ? (struct ack_batch){handed->source, handed->seq, handed->first_row, handed->rows,
                                 false}
            : (struct ack_batch){given_up->source, given_up->seq, given_up->first_row,
                                 given_up->rows, true};
    return self->told != NULL && batch.source < self->n ? self->told(self->context, &batch)
                                                        : STATUS_OK;
}

status ack_log_tend(ack_log *self, ack_state *state, void *context)
{
    struct arrival arrival;
    status done;
    while ((done = link_receive(self->link, &arrival)) == STATUS_OK) {
        if (arrival.control_type == CONTROL_HANDED || arrival.control_type == CONTROL_QUARANTINE) {
            done = tell_on(self, &arrival);
        } else if (arrival.control_type == CONTROL_READER) {
            const uint32_t source = arrival.control.reader.source;
            if (source < self->n) {
                meet(self, &arrival);
                done = tell_state(self, source, state, context);
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
    return tell(self, &self->peer[source], CONTROL_RECEIVED, &received);
}

status ack_log_refused(ack_log *self, uint32_t source, uint64_t seq, const char *reason)
{
    assert(source < self->n);
    const struct control_refused refused = {
        .source = source, .seq = seq, .reason = {(const uint8_t *)reason, strlen(reason)}};
    return tell(self, &self->peer[source], CONTROL_REFUSED, &refused);
}

status ack_log_durable(ack_log *self, ack_state *state, void *context)
{
    for (uint32_t s = 0; s < self->n; s++) {
        const status done = tell_state(self, s, state, context);
        if (done != STATUS_OK)
            return done;
    }
    return STATUS_OK;
}
