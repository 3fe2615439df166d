/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log: receives batches, acknowledges those on disk to the readers, and serves the sealed ones to
 * its consumers. Without inputs it is a replay, which only serves the batches on disk. */
#include <stdlib.h>

#include "common/base/log.h"
#include "common/flow/acks/ack_log.h"
#include "common/flow/feed/feeder.h"
#include "common/flow/link/link.h"
#include "common/stage/roles/intakes.h"
#include "common/stage/roles/role.h"

/* A batch as its reader handed it out. */
struct handed {
    bool known;
    uint64_t seq;
    struct stage_rows rows;
};

struct store {
    ack_log *acks; /* NULL in a replay */
    feeder *out;   /* NULL: it has no consumer */
    struct intakes from;
    struct handed *handed; /* [sources, window] messages of the readers about their batches */
    uint64_t sealed;
    bool open;         /* new batches are accepted: the disk has room */
    bool acknowledged; /* the watermark after the last seal has been sent */
};

static status learn_batch(void *context, const struct ack_batch *batch);

/* An item as those right of the log see it: the sources of all logs are numbered on, log by log. */
static status item_of(void *context, uint64_t place, const double mass[2], union record *out,
                      uint32_t *source)
{
    const struct runtime *runtime = context;
    const status done = runtime->stage->log->item(runtime->self, place, mass, out, source);
    if (done == STATUS_OK)
        *source += runtime->given.setup.source;
    return done;
}

static status log_open(struct runtime *runtime)
{
    const struct process_setup *given = &runtime->given;
    const bool replay = given->setup.n_inputs == 0;
    if (given->control == NULL && !replay) {
        log_error("the log needs a control endpoint");
        return STATUS_BAD_INPUT;
    }
    struct store *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    runtime->role = self;
    self->open = true;
    self->handed =
        calloc((size_t)given->setup.sources * given->setup.window + 1, sizeof *self->handed);
    if (self->handed == NULL)
        return STATUS_NO_MEMORY;
    status done =
        replay ? STATUS_OK
               : ack_log_create(&self->acks, &runtime->flow, given->control, given->setup.sources);
    if (done == STATUS_OK && given->output != NULL)
        done = feeder_create_store(&self->out, &runtime->flow, given->output,
                                   runtime->stage->output, item_of, runtime);
    if (self->acks != NULL)
        ack_log_on_batch(self->acks, learn_batch, runtime);
    return done == STATUS_OK ? intakes_open(&self->from, runtime, STAGE_LOG_CREDITS) : done;
}

static struct handed *handed_of(const struct runtime *runtime, uint32_t source, uint64_t seq)
{
    const struct store *self = runtime->role;
    const uint32_t window = runtime->given.setup.window;
    return &self->handed[(size_t)source * window + seq % window];
}

/* A reader's message about one of its batches. A quarantined batch keeps its place, without events.
 */
static status learn_batch(void *context, const struct ack_batch *batch)
{
    struct runtime *runtime = context;
    const struct store *self = runtime->role;
    *handed_of(runtime, batch->source, batch->seq) =
        (struct handed){true, batch->seq, {batch->first_row, batch->rows}};
    if (!batch->given_up || batch->rows > runtime->given.setup.analysis.stream.batch)
        return STATUS_OK;
    const struct stage_rows rows = {.first = batch->first_row, .n = batch->rows};
    const status done =
        runtime->stage->log->give_up(runtime->self, batch->source, batch->seq, &rows);
    if (done == STATUS_OK)
        return ack_log_received(self->acks, batch->source, batch->seq);
    return done == STATUS_END ? STATUS_OK : done;
}

/* The fault of a batch, or NULL. */
static const char *batch_fault(const struct runtime *runtime, size_t input,
                               const struct stage_item *item)
{
    const struct wire_header *header = item->header;
    const char *fault = runtime_fault(runtime, input, header, item->record);
    if (fault != NULL)
        return fault;
    const struct handed *handed = handed_of(runtime, header->source, header->seq);
    const bool known = handed->known && handed->seq == header->seq;
    return runtime->stage->log->fault(runtime->self, item, known ? &handed->rows : NULL);
}

static status refuse(struct runtime *runtime, size_t i, const struct wire_header *header,
                     const char *reason)
{
    struct store *self = runtime->role;
    const struct stage_setup *setup = &runtime->given.setup;
    size_t copy = 0;
    while (copy < i && self->from.input[i - copy - 1] == self->from.input[i])
        copy++;
    runtime->flow.refused++;
    log_warning("refused batch %llu of source %u from %s.%zu: %s", (unsigned long long)header->seq,
                header->source, setup->inputs[self->from.input[i]].stage, copy, reason);
    return header->source < setup->sources
               ? ack_log_refused(self->acks, header->source, header->seq, reason)
               : STATUS_OK;
}

static status take_batch(struct runtime *runtime, size_t i, bool *busy)
{
    struct store *self = runtime->role;
    struct arrival arrival;
    union record record;
    status done = intake_receive(self->from.in[i], &arrival, &record);
    const struct wire_header header = arrival.header;
    if (done == STATUS_BAD_INPUT) {
        *busy = true;
        return refuse(runtime, i, &header, wire_reason(runtime->flow.unpacker));
    }
    if (done != STATUS_OK)
        return done == STATUS_END ? STATUS_OK : done;
    *busy = true;
    const struct stage_item item = {.header = &header, .record = &record};
    const char *fault = header.source < runtime->given.setup.sources
                            ? batch_fault(runtime, self->from.input[i], &item)
                            : "there is no such source";
    if (fault != NULL) {
        done = refuse(runtime, i, &header, fault);
    } else {
        done = runtime->stage->log->process(runtime->self, &item);
        if (done == STATUS_OK)
            done = ack_log_received(self->acks, header.source, header.seq);
        else if (done == STATUS_END) /* not accepted: it will be sent again */
            done = STATUS_OK;
        runtime->events += header.events;
    }
    arrival_close(&arrival);
    return done;
}

static void learn_ends(const struct runtime *runtime)
{
    const struct store *self = runtime->role;
    for (uint32_t s = 0; self->acks != NULL && s < runtime->given.setup.sources; s++) {
        const struct ack_source end = ack_log_source(self->acks, s);
        if (end.batches != UINT64_MAX)
            runtime->stage->log->source_end(runtime->self, s, end.batches, end.rows);
    }
}

/* Seals the batches that are due and acknowledges them to all readers. */
static status seal(struct runtime *runtime, bool all)
{
    struct store *self = runtime->role;
    const struct stage_log *log = runtime->stage->log;
    uint64_t sealed = self->sealed;
    status done = log->seal(runtime->self, all, &sealed, &self->open);
    if (done != STATUS_OK)
        return done;
    if (sealed != self->sealed || !self->acknowledged) {
        self->sealed = sealed;
        self->acknowledged = true;
        runtime->items = sealed;
        log->tally(runtime->self, &runtime->tally);
        if (self->acks != NULL)
            done = ack_log_durable(self->acks, log->state, runtime->self);
        if (self->out != NULL)
            feeder_set_available(self->out, sealed);
    }
    return done;
}

static status log_turn(struct runtime *runtime, bool *busy)
{
    struct store *self = runtime->role;
    status done = STATUS_OK;
    if (self->acks != NULL)
        done = ack_log_tend(self->acks, runtime->stage->log->state, runtime->self);
    learn_ends(runtime);
    for (size_t i = 0; i < self->from.n && done == STATUS_OK; i++) {
        done = take_batch(runtime, i, busy);
        if (done == STATUS_OK) /* now: a worker just met waits for its grant */
            done = intake_tend(self->from.in[i], self->open);
    }
    if (done == STATUS_OK)
        done = seal(runtime, false);
    if (done != STATUS_OK)
        return done;
    runtime->finished = runtime->stage->log->complete(runtime->self);
    if (self->out == NULL)
        return runtime->finished ? STATUS_END : STATUS_OK;
    feeder_set_end(self->out, runtime->finished);
    return feeder_tend(self->out, busy);
}

static status log_stop(struct runtime *runtime)
{
    return seal(runtime, true);
}

static size_t log_sockets(const struct runtime *runtime, void *sockets[RUNTIME_SOCKETS_MAX])
{
    const struct store *self = runtime->role;
    size_t n = 0;
    if (self->acks != NULL)
        sockets[n++] = ack_log_socket(self->acks);
    if (self->out != NULL)
        sockets[n++] = feeder_socket(self->out);
    for (size_t i = 0; i < self->from.n; i++)
        sockets[n++] = intake_socket(self->from.in[i]);
    return n;
}

static void log_describe_flow(const struct runtime *runtime, struct role_flow *out)
{
    const struct store *self = runtime->role;
    out->wait = self->open ? WAIT_FOR_INPUT : WAIT_FOR_DISK;
}

static void log_close(struct runtime *runtime)
{
    struct store *self = runtime->role;
    if (self == NULL)
        return;
    intakes_close(&self->from);
    feeder_destroy(&self->out);
    ack_log_destroy(&self->acks);
    free(self->handed);
    free(self);
    runtime->role = NULL;
}

const struct role role_log = {.open = log_open,
                              .turn = log_turn,
                              .stop = log_stop,
                              .sockets = log_sockets,
                              .describe_flow = log_describe_flow,
                              .close = log_close};
