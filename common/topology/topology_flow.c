/* SPDX-License-Identifier: GPL-3.0-or-later */
/* topology_flow: which stage feeds which, with what, and whether that fits. */
#include "common/topology/topology_flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/topology/key_entry.h"
#include "common/topology/topology_draft.h"

/* A type that is unknown because of an earlier mistake. */
#define MESSAGE_UNKNOWN MESSAGE_TYPES

enum { LABEL_SIZE = 96, TYPES_SIZE = 64, CIRCLE_SIZE = 400 };

struct label {
    char text[LABEL_SIZE];
};

/* A stage as it stands in messages: 'log' (image_log). */
static struct label label_of(const struct draft *self, size_t stage)
{
    const struct topology_stage *s = &self->topology->stages[stage];
    struct label label;
    snprintf(label.text, sizeof label.text, "'%.32s' (%.40s)", s->name,
             s->run != NULL ? s->run : "?");
    return label;
}

/* The element of stage's `from` that names producer. */
static struct key_entry find_from_entry(const struct draft *draft, size_t stage, size_t producer)
{
    struct key_entry entry = key_entry_find(draft->stages[stage].block, "from");
    if (entry.value == NULL || !fy_node_is_sequence(entry.value))
        return entry;
    const char *name = draft->topology->stages[producer].name;
    void *iterator = NULL;
    struct fy_node *item;
    while ((item = fy_node_sequence_iterate(entry.value, &iterator)) != NULL)
        if (strcmp(document_text(item), name) == 0)
            return (struct key_entry){entry.key, item};
    return entry;
}

static bool takes_from(const struct topology_stage *stage, size_t producer)
{
    for (size_t k = 0; k < stage->n_inputs; k++)
        if (stage->inputs[k].stage == producer)
            return true;
    return false;
}

/* ---- edges ---- */

/* Adds the edge of element k of stage's `from`. */
static void connect_one(struct draft *self, size_t stage, size_t k, const char *name)
{
    struct topology_stage *consumer = &self->topology->stages[stage];
    struct draft_stage *draft = &self->stages[stage];
    const struct key_entry from = key_entry_find(draft->block, "from");
    struct fy_node *node = from.value != NULL && fy_node_is_sequence(from.value)
                               ? fy_node_sequence_get_by_index(from.value, (int)k)
                               : from.value;
    const size_t producer = topology_find(self->topology, name);
    if (producer == self->topology->n) {
        document_mistake(self->document, node, from.key, "stages.%s.from: there is no stage '%s'",
                         consumer->name, name);
        draft->from_known = false;
    } else if (producer == stage) {
        document_mistake(self->document, node, from.key, "stage '%s' takes from itself", name);
        draft->from_known = false;
    } else if (takes_from(consumer, producer)) {
        document_mistake(self->document, node, from.key, "stages.%s.from names '%s' twice",
                         consumer->name, name);
    } else {
        draft->inputs[consumer->n_inputs++] =
            (struct topology_input){.stage = producer, .type = MESSAGE_UNKNOWN};
    }
}

/* Fills the inputs of all stages; false when out of memory. */
static bool connect_all(struct draft *self)
{
    topology *t = self->topology;
    size_t edges = 0;
    for (size_t i = 0; i < t->n; i++)
        edges += json_array_size(json_object_get(json_array_get(t->blocks, i), "from"));
    t->edges = calloc(edges + 1, sizeof *t->edges);
    if (t->edges == NULL) {
        document_no_memory(self->document);
        return false;
    }
    struct topology_input *next = t->edges;
    for (size_t i = 0; i < t->n; i++) {
        const json_t *from = json_object_get(json_array_get(t->blocks, i), "from");
        self->stages[i].inputs = next;
        t->stages[i].inputs = next;
        for (size_t k = 0; k < json_array_size(from); k++)
            connect_one(self, i, k, json_string_value(json_array_get(from, k)));
        next += json_array_size(from);
    }
    return true;
}

/* The first producer of stage that is not done; n if all are. */
static size_t pending_producer(const struct draft *self, const bool done[], size_t stage)
{
    const struct topology_stage *s = &self->topology->stages[stage];
    for (size_t k = 0; k < s->n_inputs; k++)
        if (!done[s->inputs[k].stage])
            return s->inputs[k].stage;
    return self->topology->n;
}

/* "a -> b -> a", cut where there is no more room. */
static void circle_text(const topology *t, size_t n, const size_t members[], char out[CIRCLE_SIZE])
{
    size_t used = 0;
    for (size_t i = n + 1; i-- > 0 && used < CIRCLE_SIZE;)
        used += (size_t)snprintf(out + used, CIRCLE_SIZE - used, "%s%s",
                                 t->stages[members[i % n]].name, i > 0 ? " -> " : "");
}

/* Notes one circle among the stages that are not done, each of which waits for another of them, and
 * marks its members done. */
static void note_circle(struct draft *self, bool done[], size_t start)
{
    const topology *t = self->topology;
    /* As many steps back as there are stages surely end within a circle. */
    for (size_t i = 0; i < t->n; i++)
        start = pending_producer(self, done, start);
    /* The mistake is reported at the member that stands first in the file. */
    size_t first = start;
    for (size_t i = pending_producer(self, done, start); i != start;
         i = pending_producer(self, done, i))
        first = i < first ? i : first;
    size_t members[TOPOLOGY_STAGES_MAX]; /* against the flow */
    size_t n = 0;
    do {
        members[n] = n == 0 ? first : pending_producer(self, done, members[n - 1]);
        n++;
    } while (pending_producer(self, done, members[n - 1]) != first);
    char text[CIRCLE_SIZE];
    circle_text(t, n, members, text);
    const struct key_entry from = find_from_entry(self, first, members[1 % n]);
    document_mistake(self->document, from.value, from.key, "stages feed each other in a circle: %s",
                     text);
    for (size_t i = 0; i < n; i++)
        done[members[i]] = true;
}

size_t draft_connect(struct draft *self, size_t order[])
{
    if (!connect_all(self))
        return 0;
    const size_t n = self->topology->n;
    bool done[TOPOLOGY_STAGES_MAX] = {false};
    size_t n_order = 0;
    for (;;) {
        size_t left = n; /* one that is not done */
        bool progress = false;
        for (size_t i = 0; i < n; i++) {
            if (done[i])
                continue;
            if (pending_producer(self, done, i) == n) {
                order[n_order++] = i;
                done[i] = true;
                progress = true;
            } else {
                left = i;
            }
        }
        if (left == n)
            return n_order;
        if (!progress)
            note_circle(self, done, left);
    }
}

/* ---- what flows ---- */

/* Whether stage has an input of that type, apart from one from `except`. */
static bool has_input(const struct draft *self, size_t stage, enum message_type type, size_t except)
{
    const struct topology_stage *s = &self->topology->stages[stage];
    for (size_t k = 0; k < s->n_inputs; k++)
        if (s->inputs[k].stage != except &&
            self->topology->stages[s->inputs[k].stage].output == type)
            return true;
    return false;
}

static size_t n_required(const struct stage_kind *kind)
{
    size_t n = 0;
    while (n < 2 && kind->inputs[n] != MESSAGE_NONE)
        n++;
    return n;
}

/* The one type that a consumer of ours needs and only producer can make; unknown if none or two. */
static enum message_type lacking_type(const struct draft *self, size_t consumer, size_t producer)
{
    const struct stage_kind *kind = self->stages[consumer].kind;
    enum message_type type = MESSAGE_UNKNOWN;
    for (size_t r = 0; r < n_required(kind); r++) {
        if (has_input(self, consumer, kind->inputs[r], producer))
            continue;
        if (type != MESSAGE_UNKNOWN)
            return MESSAGE_UNKNOWN;
        type = kind->inputs[r];
    }
    return type;
}

/* How many inputs of a type a stage has. */
static size_t n_inputs_of(const struct draft *self, size_t stage, enum message_type type)
{
    const struct topology_stage *s = &self->topology->stages[stage];
    size_t n = 0;
    for (size_t k = 0; k < s->n_inputs; k++)
        n += self->topology->stages[s->inputs[k].stage].output == type;
    return n;
}

/* Our feed stage with the same input types, NULL if there is none. */
static const struct stage_kind *twin_kind(const struct draft *self, size_t stage)
{
    for (const struct stage_kind *kind = schema_stages; kind->name != NULL; kind++) {
        bool same = kind->role == ROLE_FEED;
        size_t taken = 0;
        for (size_t r = 0; same && r < n_required(kind); r++) {
            const size_t n = n_inputs_of(self, stage, kind->inputs[r]);
            same = n == 1 || (n > 1 && r == 0 && kind->many_inputs);
            taken += n;
        }
        same = same && taken == self->topology->stages[stage].n_inputs;
        if (same)
            return kind;
    }
    return NULL;
}

/* The output of a feed stage that is none of ours; the rule stands in topology.h. */
static enum message_type feed_output(struct draft *self, size_t stage)
{
    bool sink = true;
    for (size_t i = 0; i < self->topology->n; i++) {
        if (!takes_from(&self->topology->stages[i], stage))
            continue;
        sink = false;
        const enum message_type type =
            self->stages[i].kind != NULL ? lacking_type(self, i, stage) : MESSAGE_UNKNOWN;
        if (type != MESSAGE_UNKNOWN)
            return type;
    }
    if (sink)
        return MESSAGE_NONE;
    const struct stage_kind *twin = twin_kind(self, stage);
    if (twin != NULL)
        return twin->output;
    document_mistake(self->document, self->stages[stage].key, NULL,
                     "cannot tell which message %s gives: no stage of ours that takes from it "
                     "lacks just one, and no stage of ours takes what it takes",
                     label_of(self, stage).text);
    return MESSAGE_UNKNOWN;
}

/* Role and output of a stage that is none of ours, its producers' being known. */
static void infer_foreign(struct draft *self, size_t stage)
{
    struct topology_stage *s = &self->topology->stages[stage];
    if (!self->stages[stage].run_known || !self->stages[stage].from_known ||
        has_input(self, stage, MESSAGE_UNKNOWN, self->topology->n))
        return;
    if (s->n_inputs == 0) {
        s->role = ROLE_SOURCE;
        s->output = MESSAGE_EVENT_BATCH;
    } else if (has_input(self, stage, MESSAGE_EVENT_BATCH, self->topology->n)) {
        s->role = ROLE_WORKER;
        s->output = MESSAGE_IMAGE_BATCH;
    } else {
        s->role = ROLE_FEED;
        s->output = feed_output(self, stage);
    }
}

/* Fills role, output and the types of all edges. */
static void infer(struct draft *self, size_t n_order, const size_t order[])
{
    topology *t = self->topology;
    for (size_t i = 0; i < t->n; i++) {
        const struct stage_kind *kind = self->stages[i].kind;
        t->stages[i].role = kind != NULL ? kind->role : ROLE_FEED;
        t->stages[i].output = kind != NULL ? kind->output : MESSAGE_UNKNOWN;
    }
    for (size_t i = 0; i < n_order; i++)
        if (self->stages[order[i]].kind == NULL)
            infer_foreign(self, order[i]);
    for (size_t i = 0; i < t->n; i++)
        for (size_t k = 0; k < t->stages[i].n_inputs; k++)
            self->stages[i].inputs[k].type = t->stages[t->stages[i].inputs[k].stage].output;
}

/* ---- whether it fits ---- */

/* The input types of a stage: "selection and model". */
static void describe_wants(const struct stage_kind *kind, char out[TYPES_SIZE])
{
    const size_t n = n_required(kind);
    snprintf(out, TYPES_SIZE, "%s%s%s", n > 0 ? message_type_name(kind->inputs[0]) : "nothing",
             n > 1 ? " and " : "", n > 1 ? message_type_name(kind->inputs[1]) : "");
}

/* Whether a stage of that role hands out its batches, each to one consumer; otherwise it serves a
 * feed. */
static bool gives_work(enum stage_role role)
{
    return role == ROLE_SOURCE || role == ROLE_WORKER;
}

/* Whether the consumer has an input of the type; a foreign worker consumes event batches. */
static bool type_fits(const struct draft *self, size_t consumer, enum message_type type)
{
    const struct stage_kind *kind = self->stages[consumer].kind;
    if (kind != NULL)
        return type == kind->inputs[0] || type == kind->inputs[1];
    return self->topology->stages[consumer].role != ROLE_WORKER || type == MESSAGE_EVENT_BATCH;
}

/* Whether a stage of that role consumes such batches; otherwise it pulls a feed. */
static bool takes_work(enum stage_role role)
{
    return role != ROLE_FEED;
}

/* One edge: type first; if that fits, whether work is handed out or a feed followed. Returns
 * whether the type fits. */
static bool check_edge(struct draft *self, size_t consumer, const struct topology_input *input)
{
    const topology *t = self->topology;
    const struct stage_kind *kind = self->stages[consumer].kind;
    const struct key_entry from = find_from_entry(self, consumer, input->stage);
    const struct label taker = label_of(self, consumer);
    const struct label giver = label_of(self, input->stage);
    const bool given = gives_work(t->stages[input->stage].role);
    const bool taken = takes_work(t->stages[consumer].role);
    if (!type_fits(self, consumer, input->type)) {
        char wants[TYPES_SIZE] = "event_batch";
        if (kind != NULL)
            describe_wants(kind, wants);
        document_mistake(self->document, from.value, from.key, "%s takes %s, but %s gives %s",
                         taker.text, wants, giver.text, message_type_name(input->type));
        return false;
    }
    if (given && !taken)
        document_mistake(self->document, from.value, from.key,
                         "%s follows a feed, but %s hands out work: put an image_log between them",
                         taker.text, giver.text);
    if (!given && taken)
        document_mistake(self->document, from.value, from.key,
                         "%s takes work that is handed out, but %s gives a feed to follow",
                         taker.text, giver.text);
    return true;
}

/* A log without inputs reads the folder of an earlier run; if a stage hands out work, `from` of the
 * log was forgotten. */
static bool is_replay(const struct draft *self, size_t stage)
{
    const topology *t = self->topology;
    bool left = false;
    for (size_t i = 0; i < t->n; i++)
        left = left || gives_work(t->stages[i].role);
    return t->stages[stage].role == ROLE_LOG && t->stages[stage].n_inputs == 0 && !left;
}

/* Whether every type a stage of ours needs comes in, and from one stage unless it may be many. */
static void check_required(struct draft *self, size_t stage)
{
    const struct topology_stage *s = &self->topology->stages[stage];
    const struct stage_kind *kind = self->stages[stage].kind;
    for (size_t r = 0; r < n_required(kind); r++) {
        const size_t none = self->topology->n;
        size_t first = none;
        for (size_t k = 0; k < s->n_inputs; k++) {
            const struct topology_input *input = &s->inputs[k];
            if (input->type != kind->inputs[r])
                continue;
            if (first != none && !(r == 0 && kind->many_inputs)) {
                const struct key_entry from = find_from_entry(self, stage, input->stage);
                document_mistake(self->document, from.value, from.key,
                                 "%s takes one %s, but %s and %s both give it",
                                 label_of(self, stage).text, message_type_name(input->type),
                                 label_of(self, first).text, label_of(self, input->stage).text);
            }
            first = input->stage;
        }
        if (first == none)
            document_mistake(self->document, self->stages[stage].key, NULL,
                             "%s lacks an input: no stage in its `from` gives %s",
                             label_of(self, stage).text, message_type_name(kind->inputs[r]));
    }
}

/* Batches that are handed out go to one stage: two would each count a part, or all of them. */
static void check_handed_out(struct draft *self, size_t stage)
{
    const topology *t = self->topology;
    size_t first = t->n;   /* that takes them, as far as types go */
    bool any = false;      /* stage that names this one */
    bool all_known = true; /* names in any `from` */
    for (size_t i = 0; i < t->n; i++) {
        all_known = all_known && self->stages[i].from_known;
        if (!takes_from(&t->stages[i], stage))
            continue;
        any = true;
        if (!takes_work(t->stages[i].role) || !type_fits(self, i, t->stages[stage].output))
            continue;
        if (first == t->n) {
            first = i;
            continue;
        }
        const struct key_entry from = find_from_entry(self, i, stage);
        document_mistake(self->document, from.value, from.key,
                         "the batches of %s go to one stage, but %s and %s both take them",
                         label_of(self, stage).text, label_of(self, first).text,
                         label_of(self, i).text);
    }
    if (!any && all_known)
        document_mistake(self->document, self->stages[stage].key, NULL,
                         "nothing takes the batches of %s", label_of(self, stage).text);
}

/* Stages of ours, and those that stand in for one, may be of one process only. */
static void check_replicas(struct draft *self, size_t stage)
{
    const struct topology_stage *s = &self->topology->stages[stage];
    const struct stage_kind *kind = self->stages[stage].kind;
    for (const struct stage_kind *k = schema_stages; kind == NULL && k->name != NULL; k++)
        if (k->role == s->role && k->output == s->output)
            kind = k;
    if (s->replicas == 1 || kind == NULL || !kind->single_copy)
        return;
    const struct key_entry replicas = key_entry_find(self->stages[stage].block, "replicas");
    document_mistake(self->document, replicas.value, replicas.key,
                     "%s runs as a single copy, so stages.%s.replicas must be 1, not %u",
                     label_of(self, stage).text, s->name, (unsigned)s->replicas);
}

/* One that is not waited for is a sink, and not the only one. */
static void check_wait(struct draft *self, size_t stage)
{
    const topology *t = self->topology;
    bool waited = false;
    for (size_t i = 0; i < t->n; i++)
        waited = waited || (t->stages[i].wait && topology_is_sink(t, i));
    if (t->stages[stage].wait || (waited && topology_is_sink(t, stage)))
        return;
    const struct key_entry wait = key_entry_find(self->stages[stage].block, "wait");
    document_mistake(self->document, wait.value, wait.key,
                     waited ? "wait: false is for a stage that nobody takes from, and %s has takers"
                            : "a run waits for one stage at least that nobody takes from, but %s, "
                              "like all of them, has wait: false",
                     label_of(self, stage).text);
}

/* The first log whose events reach the outputs of both stages, n if there is none. */
static size_t shared_log(const struct draft *self, size_t a, size_t b)
{
    const topology *t = self->topology;
    bool of_a[TOPOLOGY_STAGES_MAX] = {false};
    bool of_b[TOPOLOGY_STAGES_MAX] = {false};
    topology_mark_origins(t, a, of_a);
    topology_mark_origins(t, b, of_b);
    size_t log = 0;
    while (log < t->n && !(t->stages[log].role == ROLE_LOG && of_a[log] && of_b[log]))
        log++;
    return log;
}

/* What a stage may merge: each event comes once, and each input from one process, for only then it
 * has one order. */
static void check_pair(struct draft *self, size_t stage, size_t first, size_t second)
{
    const topology *t = self->topology;
    const struct key_entry from = find_from_entry(self, stage, second);
    const size_t log = shared_log(self, first, second);
    if (log < t->n)
        document_mistake(self->document, from.value, from.key,
                         "%s would take the events of '%s' twice, from %s and from %s",
                         label_of(self, stage).text, t->stages[log].name,
                         label_of(self, first).text, label_of(self, second).text);
    const size_t many = t->stages[first].replicas > 1 ? first : second;
    if (t->stages[many].replicas > 1)
        document_mistake(self->document, from.value, from.key,
                         "%s takes %s from %s and %s, so each must be one process, but %s has %u",
                         label_of(self, stage).text,
                         message_type_name(self->stages[stage].kind->inputs[0]),
                         label_of(self, first).text, label_of(self, second).text,
                         label_of(self, many).text, (unsigned)t->stages[many].replicas);
}

/* Whether the inputs that a feed of ours merges are parts of one stream. */
static void check_parts(struct draft *self, size_t stage)
{
    const struct topology_stage *s = &self->topology->stages[stage];
    const struct stage_kind *kind = self->stages[stage].kind;
    if (kind->role != ROLE_FEED || !kind->many_inputs)
        return;
    for (size_t k = 0; k < s->n_inputs; k++)
        for (size_t before = 0; before < k; before++)
            if (s->inputs[k].type == kind->inputs[0] && s->inputs[before].type == kind->inputs[0])
                check_pair(self, stage, s->inputs[before].stage, s->inputs[k].stage);
}

void draft_check_flow(struct draft *self, size_t n_order, const size_t order[])
{
    const topology *t = self->topology;
    infer(self, n_order, order);
    for (size_t i = 0; i < t->n; i++) {
        if (t->stages[i].output == MESSAGE_UNKNOWN)
            continue; /* for a reason that is reported already */
        bool all_fit = self->stages[i].from_known;
        for (size_t k = 0; k < t->stages[i].n_inputs; k++) {
            const struct topology_input *input = &t->stages[i].inputs[k];
            const bool fits = input->type != MESSAGE_UNKNOWN && check_edge(self, i, input);
            all_fit = all_fit && fits;
        }
        /* A lack that follows from another mistake is not reported. */
        if (all_fit && self->stages[i].kind != NULL && !is_replay(self, i))
            check_required(self, i);
        if (all_fit && self->stages[i].kind != NULL)
            check_parts(self, i);
        if (gives_work(t->stages[i].role))
            check_handed_out(self, i);
        check_replicas(self, i);
        check_wait(self, i);
    }
}
