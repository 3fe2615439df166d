/* SPDX-License-Identifier: GPL-3.0-or-later */
/* square_sum: squares in, from one log or several; at their end settings.results gets how many
 * there were and their sum. They must come in the order (index, log), and those of a log in its
 * order. With settings.partition each copy takes its part, and tells the place of every item behind
 * the sum. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/disk/atomic_file.h"
#include "tests/pipeline/numbers.h"

enum { LOGS_MAX = 8 };

struct sum {
    const char *results;
    bool partition;
    uint32_t replica;
    uint32_t replicas;
    FILE *told; /* lines of index, log and place */
    char *text;
    size_t size;
    uint64_t n;
    uint64_t next[LOGS_MAX]; /* row that must come next */
    uint64_t places;         /* so far, those of other copies included */
    uint64_t index;          /* of the last item in its log ... */
    size_t log;              /* ... which it was from */
    uint64_t sum;
};

static bool is_in_order(const struct sum *self, const struct stage_item *item)
{
    const uint64_t index = item->header->seq;
    const bool behind = index > self->index || (index == self->index && item->input > self->log);
    const bool exact = self->partition ? item->place >= self->places : item->place == self->places;
    return (self->places == 0 || behind) && exact && item->next > item->place &&
           item->header->source == item->input;
}

static status create(void **out, const struct stage_setup *setup)
{
    struct sum *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->results = json_string_value(json_object_get(setup->settings, "results"));
    self->partition = json_is_true(json_object_get(setup->settings, "partition"));
    self->replica = setup->replica;
    self->replicas = setup->replicas;
    self->told = open_memstream(&self->text, &self->size);
    return self->told != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static void destroy(void **state)
{
    struct sum *self = *state;
    if (self != NULL && self->told != NULL)
        fclose(self->told);
    if (self != NULL)
        free(self->text);
    free(self);
    *state = NULL;
}

static void filter(void *state, size_t input, struct feed_filter *out)
{
    const struct sum *self = state;
    (void)input;
    out->modulus = self->partition ? self->replicas : 1;
    out->remainder = self->partition ? self->replica : 0;
}

static status process(void *state, const struct stage_item *item, struct stage_outlet *outlet)
{
    struct sum *self = state;
    const struct numbers *squares = numbers_in(item->record);
    (void)outlet;
    const bool next = self->partition || squares->first == self->next[item->input];
    if (!next || !is_in_order(self, item))
        return STATUS_BAD_INPUT;
    self->places = item->place + 1;
    fprintf(self->told, "%" PRIu64 " %zu %" PRIu64 "\n", item->header->seq, item->input,
            item->place);
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
    char *text = NULL;
    (void)input, (void)total, (void)outlet;
    fflush(self->told);
    if (asprintf(&text, "%" PRIu64 " %" PRIu64 "\n%s", self->n, self->sum,
                 self->partition ? self->text : "") < 0)
        return STATUS_NO_MEMORY;
    const status done = atomic_file_replace(self->results, strlen(text), text);
    free(text);
    return done;
}

int main(int argc, char **argv)
{
    static const struct stage_feed feed = {.merged = (enum message_type)SQUARES,
                                           .filter = filter,
                                           .process = process,
                                           .finish = finish};
    static const struct stage sum = {.name = "square_sum",
                                     .help = "Adds squares up.",
                                     .output = MESSAGE_NONE,
                                     .create = create,
                                     .destroy = destroy,
                                     .feed = &feed};
    numbers_add_schemas();
    return stage_main(&sum, argc, argv);
}
