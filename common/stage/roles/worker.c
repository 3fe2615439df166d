/* SPDX-License-Identifier: GPL-3.0-or-later */
/* worker: makes one batch of each batch and passes it on under the same name. Keeps nothing: it
 * accepts a batch only while a consumer has room for the result. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/flow/credit/handout.h"
#include "common/flow/link/link.h"
#include "common/stage/roles/intakes.h"
#include "common/stage/roles/role.h"
#include "common/stage/stage_heartbeat.h"

/* The batch it has begun, in a file that outlives it: (source + 1, seq), zeros for none. So the
 * batch that kills one worker after the other is known. */
enum { STARTED_BYTES = 16 };

struct worker {
    struct stage_outlet outlet; /* first, so that emit finds the rest */
    struct runtime *runtime;
    handout *out;
    const struct wire_header *at_work;
    struct intakes from;
    uint64_t *started;  /* [2] mapped; NULL: there is no such file */
    uint64_t killer[2]; /* what the last life had begun when it died; zeros: nothing */
    uint64_t alive_ms;
};

static status emit(struct stage_outlet *outlet, const void *record)
{
    struct worker *self = (struct worker *)outlet;
    struct wire_header header = {.type = self->runtime->stage->output,
                                 .source = self->at_work->source,
                                 .seq = self->at_work->seq,
                                 .attempt = self->at_work->attempt};
    header.events = wire_record_events(header.type, record);
    const uint64_t consumer = handout_consumer(self->out);
    if (consumer == 0)
        return STATUS_OK; /* it has gone in between; the reader sends the batch again */
    const status done = handout_send(self->out, consumer, &header, record);
    if (done == STATUS_OK)
        self->runtime->items++;
    return done == STATUS_END ? STATUS_OK : done;
}

static status hear_consumers(struct worker *self);

/* Called between two events of a slow batch. An error here will recur in the loop. */
static void alive(struct stage_outlet *outlet)
{
    struct worker *self = (struct worker *)outlet;
    const uint64_t now = clock_ms();
    if (now - self->alive_ms < FLOW_HEARTBEAT_MS)
        return;
    self->alive_ms = now;
    status done = hear_consumers(self);
    for (size_t i = 0; i < self->from.n && done == STATUS_OK; i++)
        done = intake_say(self->from.in[i]);
    stage_heartbeat_send(self->runtime, 0);
}

/* Without the file a batch that kills its workers is not known by name; that is no reason to stop.
 */
static void open_started(struct worker *self, const char *path)
{
    const int fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    void *mapped = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, STARTED_BYTES) == 0)
        mapped = mmap(NULL, STARTED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (mapped == MAP_FAILED)
        return;
    self->started = mapped;
    memcpy(self->killer, self->started, sizeof self->killer);
    memset(self->started, 0, STARTED_BYTES);
}

static void note_started(struct worker *self, const struct wire_header *header)
{
    if (self->started == NULL)
        return;
    self->started[1] = header != NULL ? header->seq : 0;
    self->started[0] = header != NULL ? (uint64_t)header->source + 1 : 0;
}

/* The process before died over a batch: the refusal goes to its source, on every input. */
static status accuse_killer(struct worker *self)
{
    if (self->killer[0] == 0)
        return STATUS_OK;
    const struct wire_header header = {.source = (uint32_t)(self->killer[0] - 1),
                                       .seq = self->killer[1]};
    status done = STATUS_OK;
    for (size_t i = 0; i < self->from.n && done == STATUS_OK; i++)
        done = intake_refuse(self->from.in[i], &header, "the worker that had begun it died");
    self->killer[0] = 0;
    return done;
}

static status worker_open(struct runtime *runtime)
{
    if (runtime->given.output == NULL) {
        log_error("a stage between readers and log needs somebody to send to");
        return STATUS_BAD_INPUT;
    }
    struct worker *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    runtime->role = self;
    self->outlet.emit = emit;
    self->outlet.alive = alive;
    self->runtime = runtime;
    open_started(self, runtime->given.setup.started);
    const status done = handout_create(&self->out, &runtime->flow, runtime->given.output);
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

static status refuse(struct worker *self, size_t i, const struct wire_header *header,
                     const char *reason)
{
    self->runtime->flow.refused++;
    log_warning("refused batch %llu of source %u from %s: %s", (unsigned long long)header->seq,
                header->source, self->runtime->given.setup.inputs[self->from.input[i]].stage,
                reason);
    return intake_refuse(self->from.in[i], header, reason);
}

static status work_on(struct worker *self, size_t i, bool *busy)
{
    struct runtime *runtime = self->runtime;
    struct arrival arrival;
    union record record;
    status done = intake_receive(self->from.in[i], &arrival, &record);
    if (done == STATUS_BAD_INPUT) {
        *busy = true;
        return refuse(self, i, &arrival.header, wire_reason(runtime->flow.unpacker));
    }
    if (done != STATUS_OK)
        return done == STATUS_END ? STATUS_OK : done;
    *busy = true;
    self->at_work = &arrival.header;
    const struct stage_item item = {
        .input = self->from.input[i], .header = &arrival.header, .record = &record};
    const char *fault = runtime_fault(runtime, item.input, &arrival.header, &record);
    if (fault != NULL) {
        done = refuse(self, i, &arrival.header, fault);
    } else {
        note_started(self, &arrival.header);
        done = runtime->stage->worker->process(runtime->self, &item, &self->outlet);
        note_started(self, NULL);
    }
    runtime->events += arrival.header.events;
    self->at_work = NULL;
    arrival_close(&arrival);
    return done;
}

/* Tends an input after it was listened to: a producer that has just sent its first `alive` gets its
 * grant now, not after the next wait. */
static status worker_turn(struct runtime *runtime, bool *busy)
{
    struct worker *self = runtime->role;
    status done = hear_consumers(self);
    if (done == STATUS_OK)
        done = accuse_killer(self);
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

static void worker_describe_flow(const struct runtime *runtime, struct role_flow *out)
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
    if (self->started != NULL)
        munmap(self->started, STARTED_BYTES);
    intakes_close(&self->from);
    handout_destroy(&self->out);
    free(self);
    runtime->role = NULL;
}

const struct role role_worker = {.open = worker_open,
                                 .turn = worker_turn,
                                 .stop = worker_stop,
                                 .sockets = worker_sockets,
                                 .describe_flow = worker_describe_flow,
                                 .close = worker_close};
