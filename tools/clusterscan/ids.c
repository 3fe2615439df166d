/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/ids.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/event_file.h"
#include "common/topology/schema.h"
#include "tools/clusterscan/source_files.h"

/* A stage's settings without the names of files. */
static json_t *lasting_settings(const struct topology_stage *stage)
{
    json_t *copy = json_copy(stage->settings);
    const struct stage_kind *kind = stage->ours ? schema_stage_find(stage->run) : NULL;
    for (const struct key *key = kind != NULL ? kind->settings : NULL;
         key != NULL && key->path != NULL; key++)
        if (key->file_name)
            json_object_del(copy, key->path);
    return copy;
}

static json_t *program_of(const struct topology_stage *stage)
{
    return json_pack("{s:s, s:o}", "run", stage->run, "settings", lasting_settings(stage));
}

static status add_file_digest(json_t *list, const char *path, const char *masterkey)
{
    event_file *file = NULL;
    uint8_t digest[16];
    char hex[2 * sizeof digest + 1];
    status done = event_file_open(&file, path, masterkey);
    if (done == STATUS_OK)
        done = event_file_digest(file, digest);
    event_file_close(&file);
    if (done != STATUS_OK)
        return done;
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    return json_array_append_new(list, json_string(hex)) == 0 ? STATUS_OK : STATUS_NO_MEMORY;
}

static status add_files(json_t *to, const struct topology_stage *stage, const json_t *files)
{
    const char *masterkey = json_string_value(json_object_get(stage->settings, "masterkey"));
    if (source_files_followed(stage)) /* its path is all that is known before it has ended */
        return json_object_set_new(to, "files", json_copy((json_t *)files)) == 0 ? STATUS_OK
                                                                                 : STATUS_NO_MEMORY;
    json_t *list = json_array();
    status done = list != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    for (size_t i = 0; i < json_array_size(files) && done == STATUS_OK; i++)
        done = add_file_digest(list, json_string_value(json_array_get(files, i)), masterkey);
    if (json_object_set_new(to, "files", list) != 0 && done == STATUS_OK)
        done = STATUS_NO_MEMORY;
    return done;
}

/* BLAKE2b-128 of the compact text with sorted keys, as 32 hex digits. */
static status digest_of(json_t *object, char id[RUN_ID_SIZE])
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    if (text == NULL)
        return STATUS_NO_MEMORY;
    uint8_t digest[16];
    crypto_generichash(digest, sizeof digest, (const uint8_t *)text, strlen(text), NULL, 0);
    sodium_bin2hex(id, RUN_ID_SIZE, digest, sizeof digest);
    free(text);
    return STATUS_OK;
}

/* Appends the programs of one side of the log; the readers, which are left, with what they read. */
static status add_programs(json_t *list, const topology *flow, json_t *const files[], bool left)
{
    status done = STATUS_OK;
    for (size_t i = 0; i < topology_n_stages(flow) && done == STATUS_OK; i++) {
        const struct topology_stage *stage = topology_stage(flow, i);
        const bool is_left = stage->role == ROLE_SOURCE || stage->role == ROLE_WORKER;
        if (stage->role == ROLE_LOG || is_left != left)
            continue;
        json_t *program = program_of(stage);
        if (left && files[i] != NULL)
            done = add_files(program, stage, files[i]);
        if (json_array_append_new(list, program) != 0 && done == STATUS_OK)
            done = STATUS_NO_MEMORY;
    }
    return done;
}

static status make_log_id(struct ids *out, const topology *flow, json_t *const files[])
{
    json_t *analysis = analysis_to_json(topology_analysis(flow));
    json_t *programs = json_array();
    status done = add_programs(programs, flow, files, true);
    json_t *object =
        json_pack("{s:o, s:O, s:O, s:O}", "programs", programs, "batch",
                  json_object_get(json_object_get(analysis, "stream"), "batch"), "jets",
                  json_object_get(analysis, "jets"), "image", json_object_get(analysis, "image"));
    if (done == STATUS_OK)
        done = object != NULL ? digest_of(object, out->log_id) : STATUS_NO_MEMORY;
    json_decref(object);
    json_decref(analysis);
    return done;
}

static status make_run_id(struct ids *out, const topology *flow)
{
    char *text = analysis_to_yaml(topology_analysis(flow));
    json_t *programs = json_array();
    status done = add_programs(programs, flow, NULL, false);
    json_t *object = json_pack("{s:s, s:s?, s:o}", "log_id", out->log_id, "analysis", text,
                               "programs", programs);
    if (done == STATUS_OK)
        done = object != NULL ? digest_of(object, out->run_id) : STATUS_NO_MEMORY;
    json_decref(object);
    free(text);
    return done;
}

status ids_make(struct ids *out, const topology *flow, json_t *const files[])
{
    const status done = make_log_id(out, flow, files);
    return done == STATUS_OK ? make_run_id(out, flow) : done;
}

status ids_make_replay(struct ids *out, const topology *flow, const char *log_id)
{
    snprintf(out->log_id, sizeof out->log_id, "%s", log_id);
    return make_run_id(out, flow);
}
