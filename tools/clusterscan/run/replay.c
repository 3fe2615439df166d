/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/replay.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/log/log_folder.h"
#include "common/store/log/segment_images.h"

/* Log folders of a state folder. */
struct logs {
    size_t n;
    char last[4096];
    char list[1000]; /* one a line, as far as there is room */
};

static void add_if_log(struct logs *self, const char *state, const char *name)
{
    static const char *const manifests[] = {"manifest.jsonl", "manifest.json"};
    bool found = false;
    snprintf(self->last, sizeof self->last, "%.3800s/%.255s", state, name);
    for (size_t i = 0; i < 2 && !found; i++) {
        char manifest[4300];
        snprintf(manifest, sizeof manifest, "%s/%s", self->last, manifests[i]);
        found = access(manifest, F_OK) == 0;
    }
    if (!found)
        return;
    self->n++;
    const size_t used = strlen(self->list);
    if (used + strlen(self->last) + 4 < sizeof self->list)
        strcat(strcpy(self->list + used, "\n  "), self->last);
}

/* The one log folder in `state`. */
static status find_in_state(const char *state, char out[4096])
{
    struct dirent **entry;
    const int n = scandir(state, &entry, NULL, alphasort);
    if (n < 0) {
        log_error("the state folder %s cannot be read: %s", state, strerror(errno));
        return STATUS_BAD_INPUT;
    }
    struct logs logs = {.n = 0};
    for (int i = 0; i < n; i++) {
        add_if_log(&logs, state, entry[i]->d_name);
        if (logs.n == 1 && out[0] == '\0')
            memcpy(out, logs.last, sizeof logs.last);
        free(entry[i]);
    }
    free(entry);
    if (logs.n == 1)
        return STATUS_OK;
    if (logs.n == 0)
        log_error("nothing to replay: no log folder in %s (--state names another state folder, the "
                  "log's settings.folder a log folder)",
                  state);
    else
        log_error("which log is to be replayed? %s holds %zu; name one in the log's "
                  "settings.folder:%s",
                  state, logs.n, logs.list);
    return STATUS_BAD_INPUT;
}

static status find_folder(const topology *flow, size_t k, const char *state, char out[4096])
{
    const struct topology_stage *stage = topology_stage(flow, topology_log(flow, k));
    const char *given = json_string_value(json_object_get(stage->settings, "folder"));
    if (given != NULL) {
        snprintf(out, 4096, "%s", given);
        return STATUS_OK;
    }
    if (topology_n_logs(flow) == 1)
        return find_in_state(state, out);
    log_error("stages.%s.settings.folder is missing: of several logs that are replayed each names "
              "its folder",
              stage->name);
    return STATUS_BAD_INPUT;
}

/* Logs the keys in which the two differ; returns how many. */
static size_t log_differences(const char *folder, json_t *wanted, const json_t *made_from)
{
    size_t n = 0;
    const char *group;
    json_t *block;
    json_object_foreach(wanted, group, block)
    {
        const char *name;
        json_t *value;
        json_object_foreach(block, name, value)
        {
            const json_t *had = json_object_get(json_object_get(made_from, group), name);
            if (json_equal(value, had))
                continue;
            char *now = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
            char *then =
                had != NULL ? json_dumps(had, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) : NULL;
            log_error("analysis.%s.%s is %s, but the images in %s were made with %s", group, name,
                      now != NULL ? now : "?", folder, then != NULL ? then : "no such key");
            free(now);
            free(then);
            n++;
        }
    }
    return n;
}

static status check(const topology *flow, const log_folder *log)
{
    const char *name = log_folder_name(log);
    if (!log_folder_complete(log)) {
        log_error("%s is not complete: its run has not read all of its input, so a replay would "
                  "count a part of it. Finish that run first (the same command goes on)",
                  name);
        return STATUS_BAD_INPUT;
    }
    if (log_folder_made_from(log) == NULL) {
        log_error("%s: the manifest does not tell with which jets and images it was made", name);
        return STATUS_BAD_INPUT;
    }
    json_t *wanted = analysis_of_images(topology_analysis(flow));
    if (wanted == NULL)
        return STATUS_NO_MEMORY;
    const size_t differences = log_differences(name, wanted, log_folder_made_from(log));
    json_decref(wanted);
    return differences == 0 ? STATUS_OK : STATUS_BAD_INPUT;
}

status replay_find(struct replay *out, const topology *flow, size_t k, const char *state)
{
    *out = (struct replay){.sources = 0};
    log_folder *log = NULL;
    status done = find_folder(flow, k, state, out->folder);
    if (done == STATUS_OK)
        done = log_folder_read(&log, &segment_images, out->folder);
    if (done == STATUS_OK)
        done = check(flow, log);
    if (done == STATUS_OK) {
        snprintf(out->log_id, sizeof out->log_id, "%s", log_folder_log_id(log));
        out->sources = log_folder_sources(log);
    }
    log_folder_close(&log);
    return done;
}
