/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/acks/ack_reader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/flow/link/link.h"

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
    struct refusal refused[REFUSED_MAX]; /* not yet returned by ack_reader_refused */
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
