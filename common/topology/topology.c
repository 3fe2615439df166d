/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/topology/topology.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/statistics/robust.h"
#include "common/topology/command_words.h"
#include "common/topology/key_entry.h"
#include "common/topology/schema/schema.h"
#include "common/topology/topology_block.h"
#include "common/topology/topology_draft.h"
#include "common/topology/topology_flow.h"
#include "common/topology/topology_shared.h"
#include "common/topology/topology_values.h"
#include "common/topology/yaml/document.h"
#include "common/topology/yaml/document_form.h"
#include "common/topology/yaml/document_value.h"
#include "common/topology/yaml/set_option.h"

enum { STAGE_NAME_MAX = 32, SHOWN_SIZE = 64 };

/* ---- reading ---- */

static void read_analysis(struct draft *draft, struct fy_node *root)
{
    const struct key_entry entry = key_entry_find(root, "analysis");
    const struct block block = {.document = draft->document,
                                .keys = schema_analysis,
                                .shown = "",
                                .prefix = "analysis.",
                                .node = entry.value,
                                .where = entry.key};
    const size_t before = document_mistakes(draft->document);
    json_t *values = block_read(&block);
    draft->analysis_known = document_mistakes(draft->document) == before;
    if (values == NULL)
        return;
    for (const struct key *key = schema_analysis; key->path != NULL; key++) {
        const json_t *value = json_object_get(values, key->path);
        if (key->size > 0 && value != NULL)
            key_store(key, value, &draft->topology->analysis);
    }
    json_decref(values);
}

/* [a-z][a-z0-9_-]*, at most STAGE_NAME_MAX characters. */
static bool is_stage_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    const size_t length = strlen(name);
    return length >= 1 && length <= STAGE_NAME_MAX && strchr(letters, name[0]) != NULL &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

/* The log's window by default. */
static void complete_window(json_t *settings)
{
    if (!json_is_null(json_object_get(settings, "window")))
        return;
    const json_int_t segment = json_integer_value(json_object_get(settings, "segment"));
    const json_int_t window = 4 * segment > 128 ? 4 * segment : 128;
    /* Replaces a value, so that the order stays. */
    (void)json_object_set_new(settings, "window", json_integer(window));
}

/* Settings of a stage that is none of ours: any mapping. */
static json_t *read_foreign_settings(const struct block *block)
{
    json_t *value = document_value(block->document, block->node, block->where);
    if (json_is_object(value))
        return value;
    if (value != NULL && !json_is_null(value)) {
        char found[200];
        key_describe(value, sizeof found, found);
        document_mistake(block->document, block->node, block->where,
                         "%.*s must be a mapping, not %s", (int)strlen(block->shown) - 1,
                         block->shown, found);
    }
    json_decref(value);
    return json_object();
}

static json_t *read_settings(struct draft *draft, struct draft_stage *stage, const char *name)
{
    char shown[SHOWN_SIZE];
    snprintf(shown, sizeof shown, "stages.%.*s.settings.", STAGE_NAME_MAX, name);
    const struct key_entry entry = key_entry_find(stage->block, "settings");
    const struct block block = {.document = draft->document,
                                .keys = stage->kind != NULL ? stage->kind->settings : NULL,
                                .shown = shown,
                                .prefix = "",
                                .node = entry.value,
                                .where = entry.key != NULL ? entry.key : stage->key};
    const size_t before = document_mistakes(draft->document);
    json_t *settings = stage->kind != NULL ? block_read(&block) : read_foreign_settings(&block);
    if (stage->kind != NULL && stage->kind->role == ROLE_LOG)
        complete_window(settings);
    stage->settings_known = document_mistakes(draft->document) == before;
    return settings;
}

/* Fills a stage from the values of its block, borrowed; good: all of them were right. */
static void fill_stage(struct draft *draft, size_t index, const char *name, const json_t *values,
                       bool good)
{
    struct draft_stage *stage = &draft->stages[index];
    struct topology_stage *out = &draft->topology->stages[index];
    out->words = command_words(json_object_get(values, "run"));
    draft->topology->runs[index] = out->words != NULL ? command_text(out->words) : NULL;
    const char *run = draft->topology->runs[index];
    if (run == NULL || !command_words_find_beside(out->words, draft->topology->path)) {
        document_no_memory(draft->document);
        run = "";
    }
    stage->run_known = run[0] != '\0';
    stage->from_known = good || json_is_array(json_object_get(values, "from")) ||
                        (stage->block != NULL && fy_node_is_mapping(stage->block) &&
                         key_entry_find(stage->block, "from").key == NULL);
    stage->kind = stage->run_known ? schema_stage_find(run) : NULL;
    out->name = name;
    out->run = run;
    out->ours = stage->kind != NULL;
    if (out->ours) {
        command_words_free(out->words);
        out->words = NULL;
    }
    out->replicas = (uint32_t)json_integer_value(json_object_get(values, "replicas"));
    out->wait = !json_is_false(json_object_get(values, "wait"));
    out->compression = json_string_value(json_object_get(values, "compression"));
    out->line = document_line(stage->key);
    /* The settings cannot be checked without `run`. */
    out->settings = stage->run_known ? read_settings(draft, stage, name) : json_object();
    if (out->settings == NULL)
        document_no_memory(draft->document);
}

/* Reads one stage and appends it; false when out of memory. */
static bool read_stage(struct draft *draft, struct fy_node_pair *pair)
{
    topology *self = draft->topology;
    struct draft_stage *stage = &draft->stages[self->n];
    stage->key = fy_node_pair_key(pair);
    stage->block = fy_node_pair_value(pair);
    const char *name = document_text(stage->key);
    if (!is_stage_name(name))
        document_mistake(draft->document, stage->key, NULL,
                         "a stage's name is a small letter, then small letters, digits, - or _, "
                         "at most %d in all; '%.60s' is not",
                         STAGE_NAME_MAX, name);
    char shown[SHOWN_SIZE];
    snprintf(shown, sizeof shown, "stages.%.*s.", STAGE_NAME_MAX, name);
    const struct block block = {.document = draft->document,
                                .keys = schema_stage,
                                .shown = shown,
                                .prefix = "",
                                .node = stage->block,
                                .where = stage->key};
    const size_t before = document_mistakes(draft->document);
    if (json_array_append_new(self->names, json_string(name)) != 0 ||
        json_array_append_new(self->blocks, block_read(&block)) != 0)
        return false;
    fill_stage(draft, self->n, json_string_value(json_array_get(self->names, self->n)),
               json_array_get(self->blocks, self->n), document_mistakes(draft->document) == before);
    self->n++;
    return true;
}

/* Reads all stages; false if there is nothing to check further. */
static bool read_stages(struct draft *draft, struct fy_node *root)
{
    const struct key_entry entry = key_entry_find(root, "stages");
    if (entry.key == NULL)
        return false; /* already noted as missing */
    const bool mapping = entry.value != NULL && fy_node_is_mapping(entry.value);
    const int n = mapping ? fy_node_mapping_item_count(entry.value) : 0;
    if (n < 1 || n > TOPOLOGY_STAGES_MAX) {
        document_mistake(draft->document, entry.value, entry.key,
                         "stages must be a mapping of 1 to %d stages", TOPOLOGY_STAGES_MAX);
        return false;
    }
    draft->stages = calloc((size_t)n, sizeof *draft->stages);
    draft->topology->stages = calloc((size_t)n, sizeof *draft->topology->stages);
    draft->topology->runs = calloc((size_t)n, sizeof(char *));
    bool good =
        draft->stages != NULL && draft->topology->stages != NULL && draft->topology->runs != NULL;
    void *iterator = NULL;
    struct fy_node_pair *pair;
    while (good && (pair = fy_node_mapping_iterate(entry.value, &iterator)) != NULL)
        good = read_stage(draft, pair);
    if (!good)
        document_no_memory(draft->document);
    return good;
}

static void read_top(struct draft *draft, struct fy_node *root, const char *path)
{
    topology *self = draft->topology;
    const struct block block = {.document = draft->document,
                                .keys = schema_top,
                                .shown = "",
                                .prefix = "",
                                .node = root,
                                .where = NULL};
    const size_t before = document_mistakes(draft->document);
    self->path = strdup(path);
    self->names = json_array();
    self->blocks = json_array();
    self->top = block_read(&block);
    draft->top_known = document_mistakes(draft->document) == before;
    if (self->path == NULL || self->names == NULL || self->blocks == NULL || self->top == NULL)
        document_no_memory(draft->document);
}

static void read_topology(struct draft *draft, const char *path)
{
    struct fy_node *root = document_root(draft->document);
    read_top(draft, root, path);
    read_analysis(draft, root);
    if (!read_stages(draft, root))
        return;
    draft_share_settings(draft);
    size_t order[TOPOLOGY_STAGES_MAX];
    const size_t n_order = draft_connect(draft, order);
    draft_check_flow(draft, n_order, order);
    draft_check_values(draft);
}

status topology_load(topology **out, const char *path, size_t n, const char *const overrides[])
{
    assert(out != NULL && path != NULL);
    *out = NULL;
    struct draft draft = {.document = NULL};
    status done = document_open(&draft.document, path);
    if (done != STATUS_OK)
        return done;
    const bool readable = document_mistakes(draft.document) == 0;
    draft.topology = calloc(1, sizeof *draft.topology);
    if (draft.topology == NULL)
        document_no_memory(draft.document);
    for (size_t i = 0; i < n; i++)
        set_option_apply(draft.document, overrides[i]);
    document_form_check(draft.document);
    if (draft.topology != NULL && readable)
        read_topology(&draft, path);
    done = document_report(draft.document);
    free(draft.stages);
    document_close(&draft.document);
    if (done == STATUS_OK)
        *out = draft.topology;
    else
        topology_destroy(&draft.topology);
    return done;
}

void topology_destroy(topology **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->n; i++) {
        json_decref((*self)->stages[i].settings);
        command_words_free((*self)->stages[i].words);
        free((*self)->runs[i]);
    }
    free((*self)->stages);
    free((*self)->runs);
    free((*self)->edges);
    json_decref((*self)->blocks);
    json_decref((*self)->names);
    json_decref((*self)->top);
    free((*self)->path);
    free(*self);
    *self = NULL;
}

/* ---- looking ---- */

const char *topology_name(const topology *self)
{
    return json_string_value(json_object_get(self->top, "name"));
}

const char *topology_path(const topology *self)
{
    return self->path;
}

enum transport topology_transport(const topology *self)
{
    const char *name = json_string_value(json_object_get(self->top, "transport"));
    return strcmp(name, "tcp") == 0 ? TRANSPORT_TCP : TRANSPORT_IPC;
}

void topology_ports(const topology *self, uint32_t *first, uint32_t *last)
{
    const json_t *ports = json_object_get(self->top, "ports");
    *first = (uint32_t)json_integer_value(json_array_get(ports, 0));
    *last = (uint32_t)json_integer_value(json_array_get(ports, 1));
}

const struct analysis *topology_analysis(const topology *self)
{
    return &self->analysis;
}

size_t topology_n_stages(const topology *self)
{
    return self->n;
}

const struct topology_stage *topology_stage(const topology *self, size_t index)
{
    assert(index < self->n);
    return &self->stages[index];
}

size_t topology_find(const topology *self, const char *name)
{
    size_t index = 0;
    while (index < self->n && strcmp(self->stages[index].name, name) != 0)
        index++;
    return index;
}

size_t topology_n_logs(const topology *self)
{
    size_t n = 0;
    for (size_t i = 0; i < self->n; i++)
        n += self->stages[i].role == ROLE_LOG;
    return n;
}

size_t topology_log(const topology *self, size_t k)
{
    size_t i = 0;
    for (;; i++) {
        assert(i < self->n);
        if (self->stages[i].role == ROLE_LOG && k-- == 0)
            return i;
    }
}

/* The one consumer of its batches, n if there is none. */
static size_t taker_of(const topology *self, size_t index)
{
    for (size_t i = 0; i < self->n; i++)
        for (size_t k = 0; k < self->stages[i].n_inputs; k++)
            if (self->stages[i].inputs[k].stage == index)
                return i;
    return self->n;
}

size_t topology_log_of(const topology *self, size_t index)
{
    while (index < self->n &&
           (self->stages[index].role == ROLE_SOURCE || self->stages[index].role == ROLE_WORKER))
        index = taker_of(self, index);
    if (index == self->n || self->stages[index].role != ROLE_LOG)
        return topology_n_logs(self);
    size_t before = 0;
    for (size_t i = 0; i < index; i++)
        before += self->stages[i].role == ROLE_LOG;
    return before;
}

void topology_mark_origins(const topology *self, size_t index, bool origin[TOPOLOGY_STAGES_MAX])
{
    const struct topology_stage *s = &self->stages[index];
    if (origin[index])
        return;
    origin[index] = true;
    for (size_t k = 0; s->role == ROLE_FEED && k < s->n_inputs; k++)
        if (s->inputs[k].type != MESSAGE_MODEL)
            topology_mark_origins(self, s->inputs[k].stage, origin);
}

bool topology_reaches(const topology *self, size_t k, size_t index)
{
    bool origin[TOPOLOGY_STAGES_MAX] = {false};
    topology_mark_origins(self, index, origin);
    return origin[topology_log(self, k)];
}

bool topology_replays(const topology *self)
{
    for (size_t i = 0; i < self->n; i++)
        if (self->stages[i].role == ROLE_LOG && self->stages[i].n_inputs == 0)
            return true;
    return false;
}

bool topology_can_select(const topology *self, size_t size, char why[])
{
    const struct analysis *a = &self->analysis;
    bool selects = false;
    for (size_t i = 0; i < self->n; i++)
        selects = selects || (self->stages[i].ours && self->stages[i].output == MESSAGE_SELECTION);
    const double fraction = a->selection.outlier_fraction;
    const double factor =
        a->selection.sd_factor > 0 ? a->selection.sd_factor : robust_sd_factor(fraction);
    const double most = largest_z(a->training.clusters, fraction, factor);
    if (!selects || most > a->selection.threshold)
        return true;
    snprintf(why, size,
             "no cluster can be picked: with analysis.training.clusters %u and "
             "analysis.selection.outlier_fraction %g no deviation exceeds %.3g, and "
             "analysis.selection.threshold is %g",
             (unsigned)a->training.clusters, fraction, most, a->selection.threshold);
    return false;
}

bool topology_is_sink(const topology *self, size_t index)
{
    for (size_t i = 0; i < self->n; i++)
        for (size_t k = 0; k < self->stages[i].n_inputs; k++)
            if (self->stages[i].inputs[k].stage == index)
                return false;
    return true;
}
