/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feed: a deterministic function of the items it pulls. Inputs of the type `first` are pulled to
 * their end before all others; its own items are kept and served until the run is over. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/flow/feed/feeder.h"
#include "common/flow/feed/puller.h"
#include "common/flow/link/link.h"
#include "common/stage/roles/role.h"

struct feed_input {
    size_t copies;
    puller **in;
    uint64_t modulus;
    bool merged; /* with all others of which this is so */
    bool ended;
};

struct feed {
    struct stage_outlet outlet; /* first, so that emit finds the rest */
    struct runtime *runtime;
    feeder *out; /* NULL: it has no consumer */
    size_t n;
    struct feed_input *input;
    bool works;   /* an input has finished, and the stage has long work */
    bool working; /* another piece of it is due */
};

static status emit(struct stage_outlet *outlet, const void *record)
{
    struct feed *self = (struct feed *)outlet;
    self->runtime->items++;
    return self->out != NULL ? feeder_append(self->out, record) : STATUS_OK;
}

/* A lone input of several copies has no order that could be kept. */
static bool is_merged(const struct runtime *runtime, size_t i)
{
    const struct stage_input *from = &runtime->given.setup.inputs[i];
    return runtime->stage->feed->merged != MESSAGE_NONE &&
           from->type == runtime->stage->feed->merged && from->copies == 1;
}

static bool is_log(const struct stage_setup *setup, const char *stage)
{
    for (size_t k = 0; k < json_array_size(setup->logs); k++) {
        const json_t *name = json_object_get(json_array_get(setup->logs, k), "stage");
        if (json_is_string(name) && strcmp(json_string_value(name), stage) == 0)
            return true;
    }
    return false;
}

/* Inputs that are parts of one stream come from one process each; several logs are such parts, and
 * the stage must declare it (stage_feed.merged), or the order of their items would be random. */
static status check_parts(const struct runtime *runtime)
{
    const struct stage_setup *setup = &runtime->given.setup;
    const struct stage_input *wide = NULL;
    size_t parts = 0, logs = 0;
    for (size_t i = 0; i < setup->n_inputs; i++) {
        const struct stage_input *input = &setup->inputs[i];
        const bool part = runtime->stage->feed->merged != MESSAGE_NONE &&
                          input->type == runtime->stage->feed->merged;
        logs += !part && is_log(setup, input->stage);
        parts += part;
        wide = part && input->copies > 1 ? input : wide;
    }
    if (parts > 1 && wide != NULL)
        log_error("input %s has %zu processes, but one of several inputs of a kind must be of one",
                  wide->stage, wide->copies);
    else if (logs > 1)
        log_error("%s cannot take from %zu logs: it does not say that it merges them",
                  runtime->stage->name, logs);
    return (parts > 1 && wide != NULL) || logs > 1 ? STATUS_BAD_INPUT : STATUS_OK;
}

static status connect_input(struct feed *self, struct runtime *runtime, size_t i)
{
    const struct stage_input *from = &runtime->given.setup.inputs[i];
    struct feed_input *input = &self->input[i];
    struct feed_filter filter = {.modulus = 1, .mass = {-INFINITY, INFINITY}};
    if (runtime->stage->feed->filter != NULL)
        runtime->stage->feed->filter(runtime->self, i, &filter);
    input->modulus = filter.modulus;
    input->merged = is_merged(runtime, i);
    for (size_t k = 0; k < i; k++) /* parts are pulled in the same partition */
        assert(!input->merged || !self->input[k].merged ||
               self->input[k].modulus == input->modulus);
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
    status done = check_parts(runtime);
    if (done == STATUS_OK && runtime->given.output != NULL)
        done = feeder_create(&self->out, &runtime->flow, runtime->given.output,
                             runtime->stage->output, runtime->given.scratch);
    for (size_t i = 0; i < self->n && done == STATUS_OK; i++)
        done = connect_input(self, runtime, i);
    return done;
}

/* Whether an input is of the type that is pulled to its end before the others. */
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

/* Hands an item to the stage. *enough: no more of it is wanted. */
static status process_item(struct feed *self, const struct stage_item *item, bool *enough)
{
    struct runtime *runtime = self->runtime;
    const struct wire_header *header = item->header;
    const char *fault = runtime_fault(runtime, item->input, header, item->record);
    runtime->events += header->events;
    if (fault != NULL) { /* its producer would make the same again */
        log_error("%s %llu of %s.%zu: %s", wire_schema_find(header->type)->name,
                  (unsigned long long)header->seq, runtime->given.setup.inputs[item->input].stage,
                  item->copy, fault);
        return STATUS_BAD_INPUT;
    }
    const status done = runtime->stage->feed->process(runtime->self, item, &self->outlet);
    *enough = done == STATUS_END;
    self->working = self->works;
    return *enough ? STATUS_OK : done;
}

static status take_item(struct feed *self, size_t i, size_t copy, bool *busy)
{
    struct arrival arrival;
    union record record;
    struct feed_input *input = &self->input[i];
    status done = puller_receive(input->in[copy], &arrival, &record);
    if (done != STATUS_OK)
        return done == STATUS_END ? STATUS_OK : done;
    *busy = true;
    const struct stage_item item = {.input = i,
                                    .copy = copy,
                                    .header = &arrival.header,
                                    .record = &record,
                                    .place = arrival.header.seq,
                                    .next = arrival.header.seq + input->modulus};
    done = process_item(self, &item, &input->ended);
    arrival_close(&arrival);
    return done;
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

static status finish_input(struct feed *self, size_t i, uint64_t total)
{
    const struct stage_feed *feed = self->runtime->stage->feed;
    self->input[i].ended = true;
    self->works = feed->work != NULL;
    self->working = self->works;
    return feed->finish != NULL ? feed->finish(self->runtime->self, i, total, &self->outlet)
                                : STATUS_OK;
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
    *busy = true;
    return finish_input(self, i, total);
}

/* ---- parts of one stream ---- */

static bool is_part(const struct feed *self, size_t i)
{
    return self->input[i].merged;
}

/* The first of the parts; n if there are none. */
static size_t first_part(const struct feed *self)
{
    size_t i = 0;
    while (i < self->n && !is_part(self, i))
        i++;
    return i;
}

/* All of it has come and been processed. */
static bool part_ended(const struct feed *self, size_t i)
{
    uint64_t total;
    return puller_ended(self->input[i].in[0], &total);
}

static uint64_t part_next(const struct feed *self, size_t i)
{
    return puller_next(self->input[i].in[0]);
}

/* Items that a part is known to have in all, those of other partitions included. */
static uint64_t least_length(const struct feed *self, size_t i)
{
    const struct feed_input *input = &self->input[i];
    uint64_t total;
    puller_ended(input->in[0], &total);
    if (total != UINT64_MAX)
        return total;
    const uint64_t come = puller_next(input->in[0]) + puller_n_here(input->in[0]) * input->modulus;
    return come < input->modulus ? 0 : come - input->modulus + 1;
}

/* The least place that item `index` of part i can have: all items before it in the order (index,
 * part). It is the place itself once item_is_due is true. */
static uint64_t least_place(const struct feed *self, size_t i, uint64_t index)
{
    uint64_t place = index;
    for (size_t k = 0; k < self->n; k++) {
        if (!is_part(self, k) || k == i)
            continue;
        const uint64_t before = index + (k < i), length = least_length(self, k);
        place += before < length ? before : length;
    }
    return place;
}

/* The next part: the one with the least (index, part) of those that are not known to have ended; n
 * if all have. */
static size_t whose_turn(const struct feed *self)
{
    size_t turn = self->n;
    for (size_t i = 0; i < self->n; i++)
        if (is_part(self, i) && !part_ended(self, i) &&
            (turn == self->n || part_next(self, i) < part_next(self, turn)))
            turn = i;
    return turn;
}

/* Whether the next item of the next part is here, and its place known: every other part has
 * delivered all items before it, or its end. */
static bool item_is_due(const struct feed *self, size_t turn)
{
    const uint64_t index = part_next(self, turn);
    if (puller_n_here(self->input[turn].in[0]) == 0)
        return false;
    for (size_t k = 0; k < self->n; k++) {
        if (!is_part(self, k) || k == turn || part_ended(self, k))
            continue;
        if (least_length(self, k) < index + (k < turn))
            return false;
    }
    return true;
}

/* No item of the partition that is still to come has a lower place. */
static uint64_t least_to_come(const struct feed *self)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < self->n; i++) {
        if (!is_part(self, i) || part_ended(self, i))
            continue;
        const uint64_t place = least_place(self, i, part_next(self, i));
        least = place < least ? place : least;
    }
    return least;
}

/* Processes the next item of the next part. */
static status take_turn(struct feed *self, size_t turn, bool *enough)
{
    struct arrival arrival;
    union record record;
    const uint64_t place = least_place(self, turn, part_next(self, turn));
    status done = puller_receive(self->input[turn].in[0], &arrival, &record);
    if (done != STATUS_OK)
        return done == STATUS_END ? STATUS_OK : done;
    const struct stage_item item = {.input = turn,
                                    .header = &arrival.header,
                                    .record = &record,
                                    .place = place,
                                    .next = least_to_come(self)};
    done = process_item(self, &item, enough);
    arrival_close(&arrival);
    return done;
}

/* The stream of all parts has ended. */
static status end_parts(struct feed *self, bool enough)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < self->n; i++) {
        uint64_t total = 0;
        if (!is_part(self, i))
            continue;
        puller_ended(self->input[i].in[0], &total);
        sum += total;
        self->input[i].ended = true;
    }
    return finish_input(self, first_part(self), enough ? UINT64_MAX : sum);
}

/* Pulls from every part as many items as there is room for, and processes one item if it is due. */
static status tend_parts(struct feed *self, bool *busy)
{
    for (size_t i = 0; i < self->n; i++) {
        if (!is_part(self, i))
            continue;
        puller *in = self->input[i].in[0];
        status done = puller_tend(in, joint_until(&self->input[i]));
        if (done == STATUS_OK)
            done = puller_gather(in);
        if (done != STATUS_OK)
            return done;
    }
    bool enough = false;
    const size_t turn = whose_turn(self);
    if (turn < self->n && item_is_due(self, turn)) {
        *busy = true;
        const status done = take_turn(self, turn, &enough);
        if (done != STATUS_OK)
            return done;
    }
    if (!enough && whose_turn(self) < self->n)
        return STATUS_OK;
    *busy = true;
    return end_parts(self, enough);
}

/* ---- the turn ---- */

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
        if (is_open(self, i) && !is_part(self, i))
            done = tend_input(self, i, busy);
        else if (is_open(self, i) && i == first_part(self))
            done = tend_parts(self, busy);
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
            if (is_open(self, i)) /* a socket that is not read would stay readable */
                sockets[n++] = puller_socket(self->input[i].in[copy]);
    return n;
}

/* The input it pulls from at this time. */
static void feed_describe_flow(const struct runtime *runtime, struct role_flow *out)
{
    const struct feed *self = runtime->role;
    out->wait = WAIT_FOR_INPUT;
    for (size_t i = self->n; i-- > 0;)
        if (is_open(self, i) && puller_n_here(self->input[i].in[0]) == 0)
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
                               .describe_flow = feed_describe_flow,
                               .next = feed_next,
                               .close = feed_close};
