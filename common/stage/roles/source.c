/* SPDX-License-Identifier: GPL-3.0-or-later */
/* source: hands out numbered batches until the log has all of them on its disk. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/flow/acks/ack_reader.h"
#include "common/flow/credit/handout.h"
#include "common/stage/roles/role.h"

/* A batch on its way for so long was lost on a link that both its ends believe in. */
enum { RESEND_MS = 4 * FLOW_LEASE_MS };

/* A batch is quarantined after this many refusals, the run ends after this many such batches in a
 * row. */
enum { REFUSALS_MAX = 3, GIVEN_UP_MAX = 8 };

struct source {
    handout *out;
    ack_reader *acks;
    ledger *book;
    uint64_t batches;
    uint64_t rows;
    uint64_t repeated_ms; /* when quarantine was last repeated */
    uint32_t given_up;    /* one after the other, with none that arrived in between */
    uint64_t watermark;   /* when the last was */
};

static void learn_extent(struct runtime *runtime)
{
    struct source *self = runtime->role;
    runtime->stage->source->extent(runtime->self, &self->batches, &self->rows);
    runtime->total_rows = self->rows;
    if (!runtime->growing)
        ledger_set_count(self->book, self->batches);
}

static status source_open(struct runtime *runtime)
{
    const struct process_setup *given = &runtime->given;
    if (given->output == NULL || given->control == NULL) {
        log_error("a source needs somebody to send to and a log");
        return STATUS_BAD_INPUT;
    }
    struct source *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    runtime->role = self;
    status done = ledger_create(&self->book, given->setup.window);
    if (done == STATUS_OK)
        done = handout_create(&self->out, &runtime->flow, given->output);
    if (done == STATUS_OK)
        done = ack_reader_create(&self->acks, &runtime->flow, given->control, given->setup.source);
    if (done != STATUS_OK)
        return done;
    runtime->growing = runtime->stage->source->grow != NULL;
    learn_extent(runtime);
    return STATUS_OK;
}

/* The log may not have more of this source than there is: its state was made from something else.
 */
static status check_watermark(const struct source *self)
{
    const uint64_t durable = ledger_watermark(self->book);
    if (durable <= self->batches)
        return STATUS_OK;
    log_error("the log has %llu batches of this source, but it has only %llu: the state folder and "
              "the source do not belong together",
              (unsigned long long)durable, (unsigned long long)self->batches);
    return STATUS_BAD_INPUT;
}

static status grow(struct runtime *runtime, bool *busy)
{
    bool ended = false;
    const status done = runtime->stage->source->grow(runtime->self, busy, &ended);
    runtime->growing = !ended;
    learn_extent(runtime);
    return done;
}

/* Batches of workers that are gone, or sent long ago, are sent again. */
static status accuse_first(struct runtime *runtime, uint64_t lost);

static status take_back(struct runtime *runtime)
{
    struct source *self = runtime->role;
    uint64_t lost;
    do {
        const status done = handout_receive(self->out, &lost);
        if (done != STATUS_OK)
            return done;
        if (lost == 0)
            break;
        const status accused = accuse_first(runtime, lost);
        if (accused != STATUS_OK)
            return accused;
        ledger_worker_lost(self->book, lost);
    } while (lost != 0);
    const uint64_t now = clock_ms();
    const size_t late = ledger_expire(self->book, now, RESEND_MS);
    if (late > 0)
        log_warning("%zu batches have not arrived within %d s or more: sending them again", late,
                    RESEND_MS / 1000);
    return STATUS_OK;
}

/* --- refused batches ---------------------------------------------------------------------- */

/* Which rows a batch has. */
static status send_quarantined(struct runtime *runtime, uint64_t seq)
{
    struct source *self = runtime->role;
    union record record;
    struct stage_rows rows;
    const status done = runtime->stage->source->read(runtime->self, seq, &record, &rows);
    return done == STATUS_OK ? ack_reader_quarantine(self->acks, seq, rows.first, rows.n) : done;
}

/* Where nothing but refusals comes, the fault is not in a batch. */
static status check_given_up(struct source *self, const char *reason)
{
    if (ledger_watermark(self->book) > self->watermark)
        self->given_up = 0;
    self->watermark = ledger_watermark(self->book);
    if (++self->given_up < GIVEN_UP_MAX)
        return STATUS_OK;
    log_error("%d batches one after the other could not be taken by anybody, the last because: %s",
              GIVEN_UP_MAX, reason);
    return STATUS_BAD_INPUT;
}

static status give_up(struct runtime *runtime, uint64_t seq, const char *reason)
{
    struct source *self = runtime->role;
    log_warning("batch %llu is quarantined after %d refusals, the last because: %s",
                (unsigned long long)seq, REFUSALS_MAX, reason);
    status done = check_given_up(self, reason);
    if (done == STATUS_OK && runtime->stage->source->quarantine != NULL)
        done = runtime->stage->source->quarantine(runtime->self, seq, reason);
    if (done != STATUS_OK)
        return done;
    ledger_quarantine(self->book, seq);
    return send_quarantined(runtime, seq);
}

static status take_refusal(struct runtime *runtime, uint64_t seq, const char *reason)
{
    struct source *self = runtime->role;
    runtime->flow.refused++;
    if (seq >= self->batches || ledger_refused(self->book, seq) < REFUSALS_MAX)
        return STATUS_OK;
    char because[200]; /* the text is valid until the next message is read */
    snprintf(because, sizeof because, "%s", reason);
    return give_up(runtime, seq, because);
}

static status take_refusals(struct runtime *runtime)
{
    struct source *self = runtime->role;
    uint64_t seq;
    const char *reason;
    status done = STATUS_OK;
    while (done == STATUS_OK && ack_reader_refused(self->acks, &seq, &reason))
        done = take_refusal(runtime, seq, reason);
    while (done == STATUS_OK && handout_refused(self->out, &seq, &reason))
        done = take_refusal(runtime, seq, reason);
    const uint64_t now = clock_ms();
    if (done != STATUS_OK || now - self->repeated_ms < FLOW_HEARTBEAT_MS)
        return done;
    self->repeated_ms = now;
    for (seq = 0; done == STATUS_OK && ledger_quarantined(self->book, &seq); seq++)
        done = send_quarantined(runtime, seq);
    return done;
}

static bool is_foreign(const struct runtime *runtime, const char *name)
{
    size_t i;
    const json_t *one;
    json_array_foreach(runtime->given.setup.foreign, i,
                       one) if (strcmp(json_string_value(one), name) == 0) return true;
    return false;
}

/* A foreign worker died or hangs, and no file records its batch. It processes one batch after the
 * other, so it was the first that has not arrived. */
static status accuse_first(struct runtime *runtime, uint64_t lost)
{
    const struct source *self = runtime->role;
    uint64_t seq;
    if (!is_foreign(runtime, handout_lost_name(self->out)) ||
        !ledger_first_of(self->book, lost, &seq))
        return STATUS_OK;
    return take_refusal(runtime, seq, "the worker that had begun it died");
}

static status send_batch(struct runtime *runtime, uint64_t seq, uint64_t consumer)
{
    struct source *self = runtime->role;
    union record record;
    struct stage_rows rows;
    status done = runtime->stage->source->read(runtime->self, seq, &record, &rows);
    if (done != STATUS_OK)
        return done;
    const uint32_t attempt = ledger_sent(self->book, seq, consumer, clock_ms());
    struct wire_header header = {.type = runtime->stage->output,
                                 .source = runtime->given.setup.source,
                                 .seq = seq,
                                 .attempt = attempt,
                                 .events = rows.n};
    done = ack_reader_handed(self->acks, seq, rows.first, rows.n);
    if (done == STATUS_OK)
        done = handout_send(self->out, consumer, &header, &record);
    if (done == STATUS_END) /* handout_receive reports the consumer as lost, and the batch is sent
                               again then */
        return STATUS_OK;
    runtime->items++;
    runtime->events += rows.n;
    return done;
}

static status source_turn(struct runtime *runtime, bool *busy)
{
    struct source *self = runtime->role;
    const uint64_t end = runtime->growing ? UINT64_MAX : self->batches;
    status done = ack_reader_tend(self->acks, self->book, end, self->rows);
    if (done == STATUS_OK)
        done = check_watermark(self);
    if (done == STATUS_OK)
        done = take_back(runtime);
    if (done == STATUS_OK)
        done = take_refusals(runtime);
    if (done == STATUS_OK && runtime->growing)
        done = grow(runtime, busy);
    if (done != STATUS_OK)
        return done;
    runtime->finished = ledger_done(self->book);
    uint64_t seq;
    const uint64_t consumer = handout_consumer(self->out);
    if (consumer == 0 || !ledger_next(self->book, &seq) || seq >= self->batches)
        return STATUS_OK;
    *busy = true;
    return send_batch(runtime, seq, consumer);
}

static status source_stop(struct runtime *runtime)
{
    (void)runtime; /* batches in flight can be read again */
    return STATUS_OK;
}

static size_t source_sockets(const struct runtime *runtime, void *sockets[RUNTIME_SOCKETS_MAX])
{
    const struct source *self = runtime->role;
    sockets[0] = handout_socket(self->out);
    sockets[1] = ack_reader_socket(self->acks);
    return 2;
}

static void source_describe_flow(const struct runtime *runtime, struct role_flow *out)
{
    const struct source *self = runtime->role;
    const uint64_t durable = ledger_watermark(self->book);
    uint64_t seq;
    handout_credits(self->out, &out->credits, &out->used);
    out->lag = self->batches > durable ? self->batches - durable : 0;
    out->wait = WAIT_FOR_LOG;
    if (!ledger_next(self->book, &seq))
        return;
    out->wait = seq < self->batches ? WAIT_FOR_OUTPUT : WAIT_FOR_FILES;
}

static void source_close(struct runtime *runtime)
{
    struct source *self = runtime->role;
    if (self == NULL)
        return;
    handout_destroy(&self->out);
    ack_reader_destroy(&self->acks);
    ledger_destroy(&self->book);
    free(self);
    runtime->role = NULL;
}

const struct role role_source = {.open = source_open,
                                 .turn = source_turn,
                                 .stop = source_stop,
                                 .sockets = source_sockets,
                                 .describe_flow = source_describe_flow,
                                 .close = source_close};
