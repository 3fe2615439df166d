/* SPDX-License-Identifier: GPL-3.0-or-later */
/* role_worker: turns each batch into another and passes it on under the same name. Keeps nothing:
 * it takes a batch only while somebody has room for the result. */
#include <stdlib.h>

#include "common/flow/handout.h"
#include "common/log/log.h"
#include "common/stage/intakes.h"
#include "common/stage/runtime.h"

struct worker {
    struct stage_outlet outlet; /* first, so that emit finds the rest */
    struct runtime *runtime;
    handout *out;
    const struct wire_header *at_work;
    struct intakes from;
};

static status emit(struct stage_outlet *outlet, const void *record)
{
    struct worker *self = (struct worker *)outlet;
    struct wire_header header = {.type = self->runtime->stage->output,
                                 .source = self->at_work->source,
                                 .seq = self->at_work->seq,
                                 .attempt = self->at_work->attempt};
    if (header.type == MESSAGE_IMAGE_BATCH)
        header.events = ((const struct image_batch *)record)->events;
    const uint64_t consumer = handout_consumer(self->out);
    if (consumer == 0)
        return STATUS_OK; /* it has gone in between; the reader sends the batch again */
    const status done = handout_send(self->out, consumer, &header, record);
    if (done == STATUS_OK)
        self->runtime->items++;
    return done == STATUS_END ? STATUS_OK : done;
}

static status worker_open(struct runtime *runtime)
{
    if (runtime->place.output == NULL) {
        log_error("a stage between readers and log needs somebody to send to");
        return STATUS_BAD_INPUT;
    }
    struct worker *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    runtime->role = self;
    self->outlet.emit = emit;
    self->runtime = runtime;
    const status done = handout_create(&self->out, &runtime->flow, runtime->place.output);
    return done == STATUS_OK ? intakes_open(&self->from, runtime, STAGE_WORKER_CREDITS) : done;
}

/* Consumers that are gone need nothing done: the reader knows what did not reach the log. */
static status hear_consumers(struct worker *self)
{
    uint64_t lost;
    do {
        const status done = handout_receive(self->out, &lost);
        if (done != STATUS_OK)
            return done;
    } while (lost != 0);
    return STATUS_OK;
}

static status work_on(struct worker *self, size_t i, bool *busy)
{
    struct runtime *runtime = self->runtime;
    struct arrival arrival;
    union record record;
    status done = intake_receive(self->from.in[i], &arrival, &record);
    if (done != STATUS_OK)
        return done == STATUS_END ? STATUS_OK : done;
    *busy = true;
    self->at_work = &arrival.header;
    const struct stage_item item = {
        .input = self->from.input[i], .header = &arrival.header, .record = &record};
    if (runtime_accepts(runtime, item.input, &arrival.header, &record))
        done = runtime->stage->process(runtime->self, &item, &self->outlet);
    runtime->events += arrival.header.events;
    self->at_work = NULL;
    arrival_close(&arrival);
    return done;
}

/* Tends an input after it was listened to: a producer that has just told that it is there gets its
 * grant now, not after the next wait. */
static status worker_turn(struct runtime *runtime, bool *busy)
{
    struct worker *self = runtime->role;
    status done = hear_consumers(self);
    for (size_t i = 0; i < self->from.n && done == STATUS_OK; i++) {
        const bool room = handout_consumer(self->out) != 0;
        if (room)
            done = work_on(self, i, busy);
        if (done == STATUS_OK)
            done = intake_tend(self->from.in[i], room);
    }
    return done;
}

static status worker_stop(struct runtime *runtime)
{
    (void)runtime;
    return STATUS_OK;
}

static size_t worker_sockets(const struct runtime *runtime, void *sockets[RUNTIME_SOCKETS_MAX])
{
    const struct worker *self = runtime->role;
    size_t n = 0;
    sockets[n++] = handout_socket(self->out);
    /* Without room nothing is read from the inputs: waiting for them would spin. */
    for (size_t i = 0; i < self->from.n && handout_consumer(self->out) != 0; i++)
        sockets[n++] = intake_socket(self->from.in[i]);
    return n;
}

static void worker_tell(const struct runtime *runtime, struct role_news *out)
{
    const struct worker *self = runtime->role;
    handout_credits(self->out, &out->credits, &out->used);
    out->wait = handout_consumer(self->out) == 0 ? WAIT_FOR_OUTPUT : WAIT_FOR_INPUT;
}

static void worker_close(struct runtime *runtime)
{
    struct worker *self = runtime->role;
    if (self == NULL)
        return;
    intakes_close(&self->from);
    handout_destroy(&self->out);
    free(self);
    runtime->role = NULL;
}

const struct role role_worker = {.open = worker_open,
                                 .turn = worker_turn,
                                 .stop = worker_stop,
                                 .sockets = worker_sockets,
                                 .tell = worker_tell,
                                 .close = worker_close};
