/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/provenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/disk/atomic_file.h"
#include "tools/clusterscan/run/plan_json.h"

/* 2026-11-26T19:04:07Z */
static json_t *time_text(time_t time)
{
    struct tm parts;
    char text[40] = "";
    if (gmtime_r(&time, &parts) != NULL)
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return json_string(text);
}

static json_t *stages_of(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t s = 0; s < topology_n_stages(plan->flow); s++) {
        const struct topology_stage *stage = topology_stage(plan->flow, s);
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:O, s:O?}", "stage", stage->name,
                                              "run", stage->run, "replicas", (int)stage->replicas,
                                              "settings", stage->settings, "files",
                                              plan->contents != NULL ? plan->contents[s] : NULL));
    }
    return list;
}

static json_t *describe(const struct plan *plan, time_t started)
{
    char host[256] = "";
    char folder[4096] = "";
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    if (getcwd(folder, sizeof folder) == NULL)
        folder[0] = '\0';
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o}", "run_id",
                     plan->ids.run_id, "log_id", plan->ids.log_ids, "version", CLUSTERSCAN_VERSION,
                     "topology", topology_path(plan->flow), "images", plan_json_images(plan),
                     "host", host, "folder", folder, "started", time_text(started), "finished",
                     time_text(time(NULL)), "stages", stages_of(plan));
}

static status write_beside(const char *results, const char *text)
{
    char *path = NULL;
    if (asprintf(&path, "%s.provenance.json", results) < 0)
        return STATUS_NO_MEMORY;
    const status done = atomic_file_replace(path, strlen(text), text);
    if (done == STATUS_NO_SPACE)
        log_error("%s: cannot be written: no space left", path);
    free(path);
    return done;
}

status provenance_write(const struct plan *plan, time_t started)
{
    status done = STATUS_OK;
    for (size_t s = 0; s < topology_n_stages(plan->flow) && done == STATUS_OK; s++) {
        const struct topology_stage *stage = topology_stage(plan->flow, s);
        const char *results = json_string_value(json_object_get(stage->settings, "results"));
        if (!stage->ours || results == NULL ||
            !json_is_true(json_object_get(stage->settings, "provenance")))
            continue;
        json_t *object = describe(plan, started);
        char *text = object != NULL ? json_dumps(object, JSON_INDENT(2)) : NULL;
        done = text != NULL ? write_beside(results, text) : STATUS_NO_MEMORY;
        free(text);
        json_decref(object);
    }
    return done;
}
