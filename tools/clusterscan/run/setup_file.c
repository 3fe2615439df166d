/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/setup_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/wire/frame.h"
#include "tools/clusterscan/run/source_extents.h"

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

json_t *setup_file_log(const struct plan *self, size_t k)
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
            json_array_append_new(list, setup_file_log(self, k));
    for (size_t k = 0, none = json_array_size(list) == 0; none && k < self->n_logs; k++)
        json_array_append_new(list, setup_file_log(self, k));
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

/* Keys of log k for a process left of it, or for that log itself. */
static json_t *of_log(const struct plan *self, const struct plan_process *process, size_t k)
{
    const struct topology_stage *stage = topology_stage(self->flow, process->stage);
    const struct plan_log *log = &self->log[k];
    const bool is_log = stage->role == ROLE_LOG;
    const bool acked = stage->role == ROLE_SOURCE || (is_log && stage->n_inputs > 0);
    const uint32_t source =
        is_log ? log->first_source : plan_sources_before(self, k, process->stage);
    return json_pack("{s:s, s:s, s:i, s:i, s:I, s:s?, s:o*, s:o*}", "log_id", self->ids.log_id[k],
                     "folder", log->images, "source", (int)source, "sources", (int)log->sources,
                     "window", window_of(self, k), "control", acked ? log->control : NULL,
                     "foreign", stage->role == ROLE_SOURCE ? foreign_workers(self, k) : NULL,
                     "extents",
                     is_log && acked ? source_extents(self->flow, k, self->contents) : NULL);
}

/* Keys of the logs for a process right of them. */
static json_t *of_logs(const struct plan *self, const struct plan_process *process)
{
    json_t *logs = logs_of(self, process->stage);
    return json_pack("{s:o, s:s, s:i, s:i, s:I, s:n, s:o}", "log_id", ids_of(logs), "folder",
                     self->n_logs == 1 ? self->log[0].images : self->folder, "source", 0, "sources",
                     (int)self->sources, "window", window_of(self, 0), "control", "logs", logs);
}

json_t *setup_file_make(const struct plan *self, const struct plan_process *process)
{
    const struct topology_stage *stage = topology_stage(self->flow, process->stage);
    char *text = analysis_to_yaml(topology_analysis(self->flow));
    json_t *setup =
        json_pack("{s:i, s:s, s:i, s:i, s:s, s:o, s:o, s:s?, s:s, s:s, s:o, s:s?, s:s, s:s, s:O?}",
                  "protocol", WIRE_VERSION, "name", stage->name, "replica", (int)process->replica,
                  "replicas", (int)stage->replicas, "run_id", self->ids.run_id, "settings",
                  settings_of(self, process->stage), "analysis",
                  analysis_to_json(topology_analysis(self->flow)), "analysis_text", text, "scratch",
                  self->folder, "compression", stage->compression, "inputs", inputs_of(self, stage),
                  "output", process->output[0] != '\0' ? process->output : NULL, "monitor",
                  self->monitor, "watch", self->watch, "contents", self->contents[process->stage]);
    free(text);
    const size_t k = topology_log_of(self->flow, process->stage);
    json_t *keys = k < self->n_logs ? of_log(self, process, k) : of_logs(self, process);
    if (keys == NULL || json_object_update(setup, keys) != 0) {
        json_decref(setup);
        setup = NULL;
    }
    json_decref(keys);
    return setup;
}
