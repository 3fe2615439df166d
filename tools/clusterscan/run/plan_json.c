/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/plan_json.h"

#include "tools/clusterscan/run/setup_file.h"

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

json_t *plan_json_images(const struct plan *self)
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
        json_t *log = setup_file_log(self, k);
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

json_t *plan_json(const struct plan *self)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->n; i++) {
        const struct plan_process *process = &self->process[i];
        const struct topology_stage *stage = topology_stage(self->flow, process->stage);
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:s?, s:o}", "process",
                                              process->name, "host", process->host, "command",
                                              command_of(stage), "output",
                                              process->output[0] != '\0' ? process->output : NULL,
                                              "setup", setup_file_make(self, process)));
    }
    json_t *plan =
        json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:o}", "topology", topology_name(self->flow),
                  "run_id", self->ids.run_id, "images", plan_json_images(self), "folder",
                  self->folder, "monitor", self->monitor, "watch", self->watch, "processes", list);
    if (plan != NULL)
        add_logs(self, plan);
    return plan;
}
