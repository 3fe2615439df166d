/* SPDX-License-Identifier: GPL-3.0-or-later */
/* square_sum: squares in, from one log or several; at their end settings.results gets how many
 * there were and their sum. They must come in the order (index, log), and those of a log in its
 * order. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/disk/atomic_file.h"
#include "tests/pipeline/numbers.h"

enum { LOGS_MAX = 8 };

struct sum {
    const char *results;
    uint64_t n;
    uint64_t next[LOGS_MAX]; /* row that must come next */
    uint64_t places;         /* so far */
    uint64_t index;          /* of the last item in its log ... */
    size_t log;              /* ... which it was from */
    uint64_t sum;
};

static bool is_in_order(const struct sum *self, const struct stage_item *item)
{
    const uint64_t index = item->header->seq;
    const bool behind = index > self->index || (index == self->index && item->input > self->log);
    return (self->places == 0 || behind) && item->place == self->places &&
           item->next > item->place && item->header->source == item->input;
}

static status create(void **out, const struct stage_setup *setup)
{
    struct sum *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->results = json_string_value(json_object_get(setup->settings, "results"));
    return STATUS_OK;
}

static void destroy(void **state)
{
    free(*state);
    *state = NULL;
}

static status process(void *state, const struct stage_item *item, struct stage_outlet *outlet)
{
    struct sum *self = state;
    const struct numbers *squares = numbers_in(item->record);
    (void)outlet;
    if (squares->first != self->next[item->input] || !is_in_order(self, item))
        return STATUS_BAD_INPUT;
    self->places++;
    self->index = item->header->seq;
    self->log = item->input;
    for (uint32_t i = 0; i < squares->n; i++)
        self->sum += squares->value[i];
    self->n += squares->n;
    self->next[item->input] += squares->n;
    return STATUS_OK;
}

static status finish(void *state, size_t input, uint64_t total, struct stage_outlet *outlet)
{
    const struct sum *self = state;
    char text[100];
    (void)input, (void)total, (void)outlet;
    snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 "\n", self->n, self->sum);
    return atomic_file_replace(self->results, strlen(text), text);
}

int main(int argc, char **argv)
{
    static const struct stage_feed feed = {
        .merged = (enum message_type)SQUARES, .process = process, .finish = finish};
    static const struct stage sum = {.name = "square_sum",
                                     .help = "Adds squares up.",
                                     .output = MESSAGE_NONE,
                                     .create = create,
                                     .destroy = destroy,
                                     .feed = &feed};
    numbers_add_schemas();
    return stage_main(&sum, argc, argv);
}
