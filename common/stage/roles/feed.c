/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feed: a deterministic function of what it pulls. What it wants first is taken to its end
 * before anything else is asked for; what it makes is kept and served until the run is over. */
#include <math.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/flow/feed/feeder.h"
#include "common/flow/feed/puller.h"
#include "common/stage/roles/role.h"

struct feed_input {
    size_t copies;
    puller **in;
    uint64_t modulus;
    bool ended;
};

struct feed {
    struct stage_outlet outlet; /* first, so that emit finds the rest */
    struct runtime *runtime;
    feeder *out; /* NULL: nobody takes it */
    size_t n;
    struct feed_input *input;
    bool working;
};

static status emit(struct stage_outlet *outlet, const void *record)
{
    struct feed *self = (struct feed *)outlet;
    self->runtime->items++;
    return self->out != NULL ? feeder_append(self->out, record) : STATUS_OK;
}

static status connect_input(struct feed *self, struct runtime *runtime, size_t i)
{
    const struct stage_input *from = &runtime->given.setup.inputs[i];
    struct feed_input *input = &self->input[i];
    struct feed_filter filter = {.modulus = 1, .mass = {-INFINITY, INFINITY}};
    if (runtime->stage->feed->filter != NULL)
        runtime->stage->feed->filter(runtime->self, i, &filter);
    input->modulus = filter.modulus;
    input->in = calloc(from->copies + 1, sizeof(puller *));
    if (input->in == NULL)
        return STATUS_NO_MEMORY;
    for (; input->copies < from->copies; input->copies++) {
        const status done = puller_create(&input->in[input->copies], &runtime->flow,
                                          from->endpoint[input->copies], &filter);
        if (done != STATUS_OK)
            return done;
    }
    return STATUS_OK;
}

static status feed_open(struct runtime *runtime)
{
    struct feed *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    runtime->role = self;
    self->outlet.emit = emit;
    self->runtime = runtime;
    self->n = runtime->given.setup.n_inputs;
    self->input = calloc(self->n + 1, sizeof *self->input);
    if (self->input == NULL)
        return STATUS_NO_MEMORY;
    status done = STATUS_OK;
    if (runtime->given.output != NULL)
        done = feeder_create(&self->out, &runtime->flow, runtime->given.output,
                             runtime->stage->output, runtime->given.scratch);
    for (size_t i = 0; i < self->n && done == STATUS_OK; i++)
        done = connect_input(self, runtime, i);
    return done;
}

/* Whether an input is one of those to be taken to their end before the others. */
static bool comes_first(const struct feed *self, size_t i)
{
    const struct runtime *runtime = self->runtime;
    return runtime->stage->feed->first != MESSAGE_NONE &&
           runtime->given.setup.inputs[i].type == runtime->stage->feed->first;
}

static bool first_ended(const struct feed *self)
{
    for (size_t i = 0; i < self->n; i++)
        if (comes_first(self, i) && !self->input[i].ended)
            return false;
    return true;
}

/* Of all copies that have not ended; UINT64_MAX if all have. */
static uint64_t least_next(const struct feed_input *input)
{
    uint64_t least = UINT64_MAX;
    for (size_t copy = 0; copy < input->copies; copy++) {
        uint64_t total;
        const uint64_t next = puller_next(input->in[copy]);
        if (!puller_ended(input->in[copy], &total) && next < least)
            least = next;
    }
    return least;
}

/* Copies of one input keep together, so that a stage that needs the same item of all of them holds
 * at most STAGE_FEED_AHEAD of any. */
static uint64_t joint_until(const struct feed_input *input)
{
    const uint64_t least = least_next(input);
    return least == UINT64_MAX ? 0 : least + STAGE_FEED_AHEAD * input->modulus;
}

static status take_item(struct feed *self, size_t i, size_t copy, bool *busy)
{
    struct runtime *runtime = self->runtime;
    struct arrival arrival;
    union record record;
    status done = puller_receive(self->input[i].in[copy], &arrival, &record);
    if (done != STATUS_OK)
        return done == STATUS_END ? STATUS_OK : done;
    *busy = true;
    const struct stage_item item = {
        .input = i, .copy = copy, .header = &arrival.header, .record = &record};
    const char *fault = runtime_fault(runtime, i, &arrival.header, &record);
    if (fault == NULL) {
        done = runtime->stage->feed->process(runtime->self, &item, &self->outlet);
    } else { /* its producer would make the same again */
        log_error("%s %llu of %s.%zu: %s", wire_schema_find(arrival.header.type)->name,
                  (unsigned long long)arrival.header.seq, runtime->given.setup.inputs[i].stage,
                  copy, fault);
        done = STATUS_BAD_INPUT;
    }
    runtime->events += arrival.header.events;
    arrival_close(&arrival);
    if (done != STATUS_END)
        return done;
    self->input[i].ended = true; /* enough of it */
    return STATUS_OK;
}

/* *total: the longest copy's. */
static bool all_copies_ended(const struct feed_input *input, uint64_t *longest)
{
    *longest = 0;
    for (size_t copy = 0; copy < input->copies; copy++) {
        uint64_t total;
        if (!puller_ended(input->in[copy], &total))
            return false;
        if (total > *longest)
            *longest = total;
    }
    return true;
}

static status tend_input(struct feed *self, size_t i, bool *busy)
{
    struct feed_input *input = &self->input[i];
    const uint64_t until = joint_until(input);
    status done = STATUS_OK;
    for (size_t copy = 0; copy < input->copies && done == STATUS_OK && !input->ended; copy++) {
        done = puller_tend(input->in[copy], until);
        if (done == STATUS_OK)
            done = take_item(self, i, copy, busy);
    }
    uint64_t total = UINT64_MAX;
    if (done != STATUS_OK || (!input->ended && !all_copies_ended(input, &total)))
        return done;
    input->ended = true;
    self->working = self->runtime->stage->feed->work != NULL;
    *busy = true;
    if (self->runtime->stage->feed->finish == NULL)
        return STATUS_OK;
    return self->runtime->stage->feed->finish(self->runtime->self, i, total, &self->outlet);
}

static bool all_ended(const struct feed *self)
{
    for (size_t i = 0; i < self->n; i++)
        if (!self->input[i].ended)
            return false;
    return true;
}

/* Whether items of an input are wanted at this time. */
static bool is_open(const struct feed *self, size_t i)
{
    return !self->input[i].ended && (comes_first(self, i) || first_ended(self));
}

static status feed_turn(struct runtime *runtime, bool *busy)
{
    struct feed *self = runtime->role;
    status done = STATUS_OK;
    for (size_t i = 0; i < self->n && done == STATUS_OK; i++)
        if (is_open(self, i))
            done = tend_input(self, i, busy);
    if (done == STATUS_OK && self->working) {
        done = runtime->stage->feed->work(runtime->self, &self->outlet, &self->working);
        *busy = true;
    }
    if (done != STATUS_OK)
        return done;
    runtime->finished = all_ended(self) && !self->working;
    if (self->out == NULL)
        return runtime->finished ? STATUS_END : STATUS_OK;
    if (runtime->finished)
        feeder_set_end(self->out, true);
    return feeder_tend(self->out, busy);
}

static status feed_stop(struct runtime *runtime)
{
    (void)runtime; /* everything can be computed again from the log */
    return STATUS_OK;
}

static size_t feed_sockets(const struct runtime *runtime, void *sockets[RUNTIME_SOCKETS_MAX])
{
    const struct feed *self = runtime->role;
    size_t n = 0;
    if (self->out != NULL)
        sockets[n++] = feeder_socket(self->out);
    for (size_t i = 0; i < self->n; i++)
        for (size_t copy = 0; copy < self->input[i].copies && n < RUNTIME_SOCKETS_MAX; copy++)
            if (is_open(self, i)) /* what is not received would be news for ever */
                sockets[n++] = puller_socket(self->input[i].in[copy]);
    return n;
}

/* The input it takes from at this time. */
static void feed_tell(const struct runtime *runtime, struct role_news *out)
{
    const struct feed *self = runtime->role;
    out->wait = WAIT_FOR_INPUT;
    for (size_t i = self->n; i-- > 0;)
        if (is_open(self, i))
            out->waits_input = i;
}

static uint64_t feed_next(const struct runtime *runtime, size_t i)
{
    const struct feed *self = runtime->role;
    const struct feed_input *input = &self->input[i];
    return input->ended ? UINT64_MAX : least_next(input);
}

static void feed_close(struct runtime *runtime)
{
    struct feed *self = runtime->role;
    if (self == NULL)
        return;
    for (size_t i = 0; self->input != NULL && i < self->n; i++) {
        for (size_t copy = 0; copy < self->input[i].copies; copy++)
            puller_destroy(&self->input[i].in[copy]);
        free(self->input[i].in);
    }
    free(self->input);
    feeder_destroy(&self->out);
    free(self);
    runtime->role = NULL;
}

const struct role role_feed = {.open = feed_open,
                               .turn = feed_turn,
                               .stop = feed_stop,
                               .sockets = feed_sockets,
                               .tell = feed_tell,
                               .next = feed_next,
                               .close = feed_close};
