/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/plan.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "tools/clusterscan/run/input_files.h"
#include "tools/clusterscan/run/replay.h"
#include "tools/clusterscan/run/source_extents.h"

enum { STATE_NAME_MAX = 4000 }; /* leaves room for what stands in it */

/* --- processes --------------------------------------------------------------------------- */

/* Where a process will meet others, as far as that is known without asking for anything. */
static void name_endpoint(const struct plan *self, const char *name, char out[PLAN_ENDPOINT_MAX])
{
    snprintf(out, PLAN_ENDPOINT_MAX,
             topology_transport(self->flow) == TRANSPORT_IPC ? "ipc://{sockets}/%s"
                                                             : "tcp://127.0.0.1:{port of %s}",
             name);
}

static status list_processes(struct plan *self)
{
    size_t n = 0;
    for (size_t s = 0; s < topology_n_stages(self->flow); s++)
        n += topology_stage(self->flow, s)->replicas;
    self->process = calloc(n, sizeof *self->process);
    if (self->process == NULL)
        return STATUS_NO_MEMORY;
    for (size_t s = 0; s < topology_n_stages(self->flow); s++) {
        const struct topology_stage *stage = topology_stage(self->flow, s);
        for (uint32_t r = 0; r < stage->replicas; r++) {
            struct plan_process *process = &self->process[self->n];
            process->stage = s;
            process->replica = r;
            process->host = "this";
            snprintf(process->name, sizeof process->name, "%s.%u", stage->name, r);
            if (!topology_is_sink(self->flow, s))
                name_endpoint(self, process->name, process->output);
            self->n++;
        }
    }
    return STATUS_OK;
}

/* --- setup files ------------------------------------------------------------------------- */

static json_t *endpoints_of(const struct plan *self, size_t stage)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->n; i++)
        if (self->process[i].stage == stage)
            json_array_append_new(list, json_string(self->process[i].output));
    return list;
}

/* Of two logs the one that stands first in the file comes first; all else is as in `from`. */
static void order_logs(const struct plan *self, const struct topology_stage *stage, size_t order[])
{
    for (size_t i = 0; i < stage->n_inputs; i++)
        order[i] = stage->inputs[i].stage;
    for (size_t i = 0; i < stage->n_inputs; i++)
        for (size_t j = i + 1; j < stage->n_inputs; j++) {
            const size_t a = order[i], b = order[j];
            if (topology_stage(self->flow, a)->role != ROLE_LOG ||
                topology_stage(self->flow, b)->role != ROLE_LOG || a < b)
                continue;
            order[i] = b;
            order[j] = a;
        }
}

static json_t *inputs_of(const struct plan *self, const struct topology_stage *stage)
{
    size_t order[TOPOLOGY_STAGES_MAX];
    order_logs(self, stage, order);
    json_t *list = json_array();
    for (size_t i = 0; i < stage->n_inputs; i++) {
        const struct topology_stage *producer = topology_stage(self->flow, order[i]);
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "stage", producer->name, "type",
                                              message_type_name(producer->output), "endpoints",
                                              endpoints_of(self, order[i])));
    }
    return list;
}

/* How many of the sources of log k stand before `stage` in the file. */
static uint32_t sources_before(const struct plan *self, size_t k, size_t stage)
{
    uint32_t n = 0;
    for (size_t s = 0; s < stage; s++)
        n += topology_stage(self->flow, s)->role == ROLE_SOURCE &&
             topology_log_of(self->flow, s) == k;
    return n;
}

/* Batches of a source of log k that may be on their way: that log's setting. */
static json_int_t window_of(const struct plan *self, size_t k)
{
    const struct topology_stage *log = topology_stage(self->flow, topology_log(self->flow, k));
    const json_t *window = json_object_get(log->settings, "window");
    return json_is_integer(window) ? json_integer_value(window) : 1;
}

static json_t *settings_of(const struct plan *self, size_t stage)
{
    json_t *settings = json_copy(topology_stage(self->flow, stage)->settings);
    if (self->files[stage] != NULL)
        json_object_set(settings, "files", self->files[stage]);
    return settings;
}

/* Workers left of log k that do not note what they have begun. */
static json_t *foreign_workers(const struct plan *self, size_t k)
{
    json_t *list = json_array();
    for (size_t s = 0; s < topology_n_stages(self->flow); s++) {
        const struct topology_stage *stage = topology_stage(self->flow, s);
        if (stage->role == ROLE_WORKER && !stage->ours && topology_log_of(self->flow, s) == k)
            json_array_append_new(list, json_string(stage->name));
    }
    return list;
}

static json_t *log_to_json(const struct plan *self, size_t k)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:i}", "stage",
                     topology_stage(self->flow, topology_log(self->flow, k))->name, "log_id",
                     self->ids.log_id[k], "folder", self->log[k].images, "first_source",
                     (int)self->log[k].first_source, "sources", (int)self->log[k].sources);
}

/* The logs whose events a stage right of them sees; all, if it sees nothing but models. */
static json_t *logs_of(const struct plan *self, size_t stage)
{
    json_t *list = json_array();
    for (size_t k = 0; k < self->n_logs; k++)
        if (topology_reaches(self->flow, k, stage))
            json_array_append_new(list, log_to_json(self, k));
    for (size_t k = 0, none = json_array_size(list) == 0; none && k < self->n_logs; k++)
        json_array_append_new(list, log_to_json(self, k));
    return list;
}

/* Their ids with commas between. */
static json_t *ids_of(const json_t *logs)
{
    char text[sizeof((struct run_ids *)0)->log_ids] = "";
    size_t at = 0, i;
    const json_t *log;
    json_array_foreach(logs, i, log) at +=
        (size_t)snprintf(text + at, sizeof text - at, "%s%s", i > 0 ? "," : "",
                         json_string_value(json_object_get(log, "log_id")));
    return json_string(text);
}

/* What a process left of log k is told of it, or that log itself. */
static json_t *of_log(const struct plan *self, const struct plan_process *process, size_t k)
{
    const struct topology_stage *stage = topology_stage(self->flow, process->stage);
    const struct plan_log *log = &self->log[k];
    const bool is_log = stage->role == ROLE_LOG;
    const bool acked = stage->role == ROLE_SOURCE || (is_log && stage->n_inputs > 0);
    const uint32_t source = is_log ? log->first_source : sources_before(self, k, process->stage);
    return json_pack("{s:s, s:s, s:i, s:i, s:I, s:s?, s:o*, s:o*}", "log_id", self->ids.log_id[k],
                     "folder", log->images, "source", (int)source, "sources", (int)log->sources,
                     "window", window_of(self, k), "control", acked ? log->control : NULL,
                     "foreign", stage->role == ROLE_SOURCE ? foreign_workers(self, k) : NULL,
                     "extents",
                     is_log && acked ? source_extents(self->flow, k, self->contents) : NULL);
}

/* What one right of the logs is told of them. */
static json_t *of_logs(const struct plan *self, const struct plan_process *process)
{
    json_t *logs = logs_of(self, process->stage);
    return json_pack("{s:o, s:s, s:i, s:i, s:I, s:n, s:o}", "log_id", ids_of(logs), "folder",
                     self->n_logs == 1 ? self->log[0].images : self->folder, "source", 0, "sources",
                     (int)self->sources, "window", window_of(self, 0), "control", "logs", logs);
}

json_t *plan_setup(const struct plan *self, const struct plan_process *process)
{
    const struct topology_stage *stage = topology_stage(self->flow, process->stage);
    char *text = analysis_to_yaml(topology_analysis(self->flow));
    json_t *setup = json_pack(
        "{s:s, s:i, s:i, s:s, s:o, s:o, s:s?, s:s, s:s, s:o, s:s?, s:s, s:s, s:O?}", "name",
        stage->name, "replica", (int)process->replica, "replicas", (int)stage->replicas, "run_id",
        self->ids.run_id, "settings", settings_of(self, process->stage), "analysis",
        analysis_to_json(topology_analysis(self->flow)), "analysis_text", text, "scratch",
        self->folder, "compression", stage->compression, "inputs", inputs_of(self, stage), "output",
        process->output[0] != '\0' ? process->output : NULL, "monitor", self->monitor, "watch",
        self->watch, "contents", self->contents[process->stage]);
    free(text);
    const size_t k = topology_log_of(self->flow, process->stage);
    json_t *told = k < self->n_logs ? of_log(self, process, k) : of_logs(self, process);
    if (told == NULL || json_object_update(setup, told) != 0) {
        json_decref(setup);
        setup = NULL;
    }
    json_decref(told);
    return setup;
}

/* --- the whole --------------------------------------------------------------------------- */

static status expand_files(struct plan *self)
{
    self->files = calloc(topology_n_stages(self->flow) + 1, sizeof(json_t *));
    self->contents = calloc(topology_n_stages(self->flow) + 1, sizeof(json_t *));
    if (self->files == NULL || self->contents == NULL)
        return STATUS_NO_MEMORY;
    for (size_t s = 0; s < topology_n_stages(self->flow); s++) {
        const struct topology_stage *stage = topology_stage(self->flow, s);
        if (!stage->ours || stage->role != ROLE_SOURCE)
            continue;
        const status done = input_files_expand(stage, &self->files[s]);
        if (done != STATUS_OK)
            return done;
    }
    return STATUS_OK;
}

/* One after the other, the sources of the logs. */
static void number_sources(struct plan *self)
{
    for (size_t k = 0; k < self->n_logs; k++) {
        self->log[k].first_source = self->sources;
        self->sources += self->log[k].sources;
    }
}

/* The ids, and where everything lies. */
static status name_run(struct plan *self, const char *state, bool remember)
{
    content_book *book = NULL;
    status done = content_book_open(&book, state, remember);
    if (done == STATUS_OK)
        done = run_ids_make(&self->ids, self->flow, self->files, book, self->contents);
    content_book_close(&book);
    for (size_t k = 0; k < self->n_logs; k++) {
        self->log[k].sources = sources_before(self, k, topology_n_stages(self->flow));
        snprintf(self->log[k].images, sizeof self->log[k].images, "%.4000s/%s", state,
                 self->ids.log_id[k]);
    }
    snprintf(self->folder, sizeof self->folder, "%s", self->log[0].images);
    return done;
}

/* A replay leaves the folders of its logs as they are: they may be shared, or not writable. */
static status name_replay(struct plan *self, const char *state, bool remember)
{
    status done = STATUS_OK;
    for (size_t k = 0; k < self->n_logs && done == STATUS_OK; k++) {
        struct replay replay;
        done = replay_find(&replay, self->flow, k, state);
        self->log[k].sources = replay.sources;
        snprintf(self->log[k].images, sizeof self->log[k].images, "%s", replay.folder);
        snprintf(self->ids.log_id[k], sizeof self->ids.log_id[k], "%s", replay.log_id);
    }
    content_book *book = NULL;
    if (done == STATUS_OK)
        done = content_book_open(&book, state, remember);
    if (done == STATUS_OK)
        done = run_ids_make_replay(&self->ids, self->flow, book);
    content_book_close(&book);
    snprintf(self->folder, sizeof self->folder, "%.4000s/replay-%s", state, self->ids.run_id);
    return done;
}

static status list_logs(struct plan *self)
{
    self->n_logs = topology_n_logs(self->flow);
    assert(self->n_logs > 0); /* nothing else gives a feed or takes work for good */
    self->log = calloc(self->n_logs, sizeof *self->log);
    for (size_t k = 0; self->log != NULL && k < self->n_logs; k++) {
        char name[64] = "control";
        if (self->n_logs > 1)
            snprintf(name, sizeof name, "control.%.40s",
                     topology_stage(self->flow, topology_log(self->flow, k))->name);
        name_endpoint(self, name, self->log[k].control);
    }
    return self->log != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

status plan_check_state(const char *state)
{
    if (strlen(state) <= STATE_NAME_MAX)
        return STATUS_OK;
    log_error("the name of the state folder has %zu bytes, at most %d are possible", strlen(state),
              STATE_NAME_MAX);
    return STATUS_BAD_INPUT;
}

status plan_make(struct plan *out, const topology *flow, const char *state, bool remember)
{
    *out = (struct plan){.flow = flow};
    status done = sodium_init() >= 0 ? plan_check_state(state) : STATUS_IO;
    if (done == STATUS_OK)
        done = list_logs(out);
    if (done == STATUS_OK)
        done = expand_files(out);
    if (done == STATUS_OK)
        done = topology_replays(flow) ? name_replay(out, state, remember)
                                      : name_run(out, state, remember);
    if (done == STATUS_OK) {
        number_sources(out);
        done = list_processes(out);
    }
    snprintf(out->monitor, sizeof out->monitor, "ipc://{sockets}/monitor");
    snprintf(out->watch, sizeof out->watch, "ipc://{sockets}/watch");
    if (done != STATUS_OK)
        plan_fini(out);
    return done;
}

static json_t *command_of(const struct topology_stage *stage)
{
    json_t *list = json_array();
    for (size_t i = 0; !stage->ours && stage->words[i] != NULL; i++)
        json_array_append_new(list, json_string(stage->words[i]));
    if (stage->ours)
        json_array_append_new(list, json_string(stage->run));
    json_array_append_new(list, json_string("--stage"));
    json_array_append_new(list, json_string("{setup}"));
    return list;
}

json_t *plan_images(const struct plan *self)
{
    if (self->n_logs == 1)
        return json_string(self->log[0].images);
    json_t *list = json_array();
    for (size_t k = 0; k < self->n_logs; k++)
        json_array_append_new(list, json_string(self->log[k].images));
    return list;
}

/* `log_id` and `control` of one log; of several a list `logs`. */
static void add_logs(const struct plan *self, json_t *plan)
{
    json_t *logs = json_array();
    for (size_t k = 0; k < self->n_logs; k++) {
        json_t *log = log_to_json(self, k);
        json_object_set_new(log, "control", json_string(self->log[k].control));
        json_array_append_new(logs, log);
    }
    if (self->n_logs == 1) {
        json_object_set_new(plan, "log_id", json_string(self->ids.log_id[0]));
        json_object_set_new(plan, "control", json_string(self->log[0].control));
    } else {
        json_object_set(plan, "logs", logs);
    }
    json_decref(logs);
}

json_t *plan_to_json(const struct plan *self)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->n; i++) {
        const struct plan_process *process = &self->process[i];
        const struct topology_stage *stage = topology_stage(self->flow, process->stage);
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:s?, s:o}", "process",
                                              process->name, "host", process->host, "command",
                                              command_of(stage), "output",
                                              process->output[0] != '\0' ? process->output : NULL,
                                              "setup", plan_setup(self, process)));
    }
    json_t *plan =
        json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:o}", "topology", topology_name(self->flow),
                  "run_id", self->ids.run_id, "images", plan_images(self), "folder", self->folder,
                  "monitor", self->monitor, "watch", self->watch, "processes", list);
    if (plan != NULL)
        add_logs(self, plan);
    return plan;
}

void plan_fini(struct plan *self)
{
    free(self->process);
    free(self->log);
    for (size_t s = 0; self->files != NULL && s < topology_n_stages(self->flow); s++)
        json_decref(self->files[s]);
    free(self->files);
    for (size_t s = 0; self->contents != NULL && s < topology_n_stages(self->flow); s++)
        json_decref(self->contents[s]);
    free(self->contents);
    *self = (struct plan){0};
}
