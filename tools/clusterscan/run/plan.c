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

static json_t *inputs_of(const struct plan *self, const struct topology_stage *stage)
{
    json_t *list = json_array();
    for (size_t i = 0; i < stage->n_inputs; i++) {
        const struct topology_input *input = &stage->inputs[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "stage",
                                              topology_stage(self->flow, input->stage)->name,
                                              "type", message_type_name(input->type), "endpoints",
                                              endpoints_of(self, input->stage)));
    }
    return list;
}

/* The number of a source among the sources of the file, or how many there are before `stage`. */
static int sources_before(const struct plan *self, size_t stage)
{
    int n = 0;
    for (size_t s = 0; s < stage; s++)
        n += topology_stage(self->flow, s)->role == ROLE_SOURCE;
    return n;
}

/* Batches of a source that may be on their way: the log's setting. */
static json_int_t window_of(const struct plan *self)
{
    for (size_t s = 0; s < topology_n_stages(self->flow); s++) {
        const struct topology_stage *stage = topology_stage(self->flow, s);
        if (stage->role == ROLE_LOG)
            return json_integer_value(json_object_get(stage->settings, "window"));
    }
    return 1;
}

static json_t *settings_of(const struct plan *self, size_t stage)
{
    json_t *settings = json_copy(topology_stage(self->flow, stage)->settings);
    if (self->files[stage] != NULL)
        json_object_set(settings, "files", self->files[stage]);
    return settings;
}

/* Workers that do not note what they have begun. */
static json_t *foreign_workers(const struct plan *self)
{
    json_t *list = json_array();
    for (size_t s = 0; s < topology_n_stages(self->flow); s++) {
        const struct topology_stage *stage = topology_stage(self->flow, s);
        if (stage->role == ROLE_WORKER && !stage->ours)
            json_array_append_new(list, json_string(stage->name));
    }
    return list;
}

json_t *plan_setup(const struct plan *self, const struct plan_process *process)
{
    const struct topology_stage *stage = topology_stage(self->flow, process->stage);
    const bool acked =
        stage->role == ROLE_SOURCE || (stage->role == ROLE_LOG && stage->n_inputs > 0);
    char *text = analysis_to_yaml(topology_analysis(self->flow));
    json_t *setup = json_pack("{s:s, s:i, s:i, s:s, s:s, s:o, s:o, s:s?, s:s, s:s, s:i, s:i, s:I, "
                              "s:s, s:o, s:s?, s:s?, s:s, s:s, s:O?}",
                              "name", stage->name, "replica", (int)process->replica, "replicas",
                              (int)stage->replicas, "run_id", self->ids.run_id, "log_id",
                              self->ids.log_id, "settings", settings_of(self, process->stage),
                              "analysis", analysis_to_json(topology_analysis(self->flow)),
                              "analysis_text", text, "folder", self->images, "scratch",
                              self->folder, "source", sources_before(self, process->stage),
                              "sources", (int)self->sources, "window", window_of(self),
                              "compression", stage->compression, "inputs", inputs_of(self, stage),
                              "output", process->output[0] != '\0' ? process->output : NULL,
                              "control", acked ? self->control : NULL, "monitor", self->monitor,
                              "watch", self->watch, "contents", self->contents[process->stage]);
    free(text);
    if (setup != NULL && stage->role == ROLE_SOURCE)
        json_object_set_new(setup, "foreign", foreign_workers(self));
    if (setup != NULL && stage->role == ROLE_LOG && stage->n_inputs > 0)
        json_object_set_new(setup, "extents", source_extents(self->flow, self->contents));
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

/* The ids, and where everything lies. */
static status name_run(struct plan *self, const char *state, bool remember)
{
    content_book *book = NULL;
    status done = content_book_open(&book, state, remember);
    if (done == STATUS_OK)
        done = run_ids_make(&self->ids, self->flow, self->files, book, self->contents);
    content_book_close(&book);
    self->sources = (uint32_t)sources_before(self, topology_n_stages(self->flow));
    snprintf(self->images, sizeof self->images, "%.4000s/%s", state, self->ids.log_id);
    snprintf(self->folder, sizeof self->folder, "%s", self->images);
    return done;
}

/* A replay leaves the folder of the log as it is: it may be shared, or not writable. */
static status name_replay(struct plan *self, const char *state, bool remember)
{
    struct replay replay;
    status done = replay_find(&replay, self->flow, state);
    content_book *book = NULL;
    if (done == STATUS_OK)
        done = content_book_open(&book, state, remember);
    if (done == STATUS_OK)
        done = run_ids_make_replay(&self->ids, self->flow, replay.log_id, book);
    content_book_close(&book);
    self->sources = replay.sources;
    snprintf(self->images, sizeof self->images, "%s", replay.folder);
    snprintf(self->folder, sizeof self->folder, "%.4000s/replay-%s", state, self->ids.run_id);
    return done;
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
        done = expand_files(out);
    if (done == STATUS_OK)
        done = topology_replays(flow) ? name_replay(out, state, remember)
                                      : name_run(out, state, remember);
    if (done == STATUS_OK)
        done = list_processes(out);
    snprintf(out->monitor, sizeof out->monitor, "ipc://{sockets}/monitor");
    snprintf(out->watch, sizeof out->watch, "ipc://{sockets}/watch");
    name_endpoint(out, "control", out->control);
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
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "topology",
                     topology_name(self->flow), "run_id", self->ids.run_id, "log_id",
                     self->ids.log_id, "images", self->images, "folder", self->folder, "control",
                     self->control, "monitor", self->monitor, "watch", self->watch, "processes",
                     list);
}

void plan_fini(struct plan *self)
{
    free(self->process);
    for (size_t s = 0; self->files != NULL && s < topology_n_stages(self->flow); s++)
        json_decref(self->files[s]);
    free(self->files);
    for (size_t s = 0; self->contents != NULL && s < topology_n_stages(self->flow); s++)
        json_decref(self->contents[s]);
    free(self->contents);
    *self = (struct plan){0};
}
