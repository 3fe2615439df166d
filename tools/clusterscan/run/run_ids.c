/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/run_ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json_digest.h"
#include "common/base/log.h"
#include "common/kernels/image/image.h"
#include "common/store/events/event_file.h"
#include "common/store/events/table_name.h"
#include "common/topology/schema/schema.h"
#include "tools/clusterscan/run/input_files.h"

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

/* --- foreign commands -------------------------------------------------------------------- */

/* The file that a command's first word names, as execvp(3) finds it; NULL if there is none. */
static char *find_on_path(const char *word)
{
    const char *folders = getenv("PATH");
    if (strchr(word, '/') != NULL || folders == NULL)
        return strdup(word);
    for (const char *at = folders; *at != '\0';) {
        const size_t n = strcspn(at, ":");
        char *path = NULL;
        if (asprintf(&path, "%.*s/%s", n > 0 ? (int)n : 1, n > 0 ? at : ".", word) < 0)
            return NULL;
        if (access(path, X_OK) == 0)
            return path;
        free(path);
        at += n + (at[n] == ':');
    }
    return NULL;
}

static status add_digest(json_t *list, const struct content *content)
{
    char hex[CONTENT_HEX_SIZE];
    content_hex(content, hex);
    return json_array_append_new(list, json_string(hex)) == 0 ? STATUS_OK : STATUS_NO_MEMORY;
}

/* The digest of the file at path, if a regular file is there. */
static status add_named_file(json_t *list, const char *path, content_book *book)
{
    struct file_identity identity;
    if (path == NULL || file_identity_of(path, &identity) != STATUS_OK)
        return STATUS_OK;
    struct content content;
    const status done = content_book_find(book, path, &content);
    return done == STATUS_OK ? add_digest(list, &content) : done;
}

/* A digest of every file that a word of the command names: an edited script is another stage. */
static status add_command_files(json_t *program, const struct topology_stage *stage,
                                content_book *book)
{
    json_t *list = json_array();
    status done = list != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    for (char **word = stage->words; done == STATUS_OK && *word != NULL; word++) {
        char *path = word == stage->words ? find_on_path(*word) : strdup(*word);
        done = add_named_file(list, path, book);
        free(path);
    }
    if (json_object_set_new(program, "files_named", list) != 0 && done == STATUS_OK)
        done = STATUS_NO_MEMORY;
    return done;
}

static status program_of(const struct topology_stage *stage, content_book *book, json_t **out)
{
    *out = json_pack("{s:s, s:o}", "run", stage->run, "settings", lasting_settings(stage));
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    return stage->ours ? STATUS_OK : add_command_files(*out, stage, book);
}

/* --- input files ------------------------------------------------------------------------- */

/* Opened to see that it is an event file, and its first, middle and last event read. */
static status check_event_file(const char *path, const struct topology_stage *stage,
                               uint64_t *events)
{
    const char *masterkey = json_string_value(json_object_get(stage->settings, "masterkey"));
    struct event_labels labels;
    event_labels_from_settings(&labels, stage->settings);
    event_file *file = NULL;
    struct event_batch batch;
    status done = event_file_open(&file, path, masterkey);
    if (done == STATUS_OK) {
        event_file_set_labels(file, &labels);
        *events = event_file_events(file);
    }
    for (uint64_t third = 0; done == STATUS_OK && *events > 0 && third < 3; third++)
        done = event_file_read(file, third * (*events - 1) / 2, 1, &batch);
    event_file_close(&file);
    return done;
}

/* The logs named so far, to find two of the same images. */
struct inputs {
    json_t *digests;  /* for the log id, of the current source */
    json_t *contents; /* for its reader: the expected content */
    json_t *seen;     /* of all sources, digest and key -> name */
    content_book *book;
};

static status warn_of_copy(const struct inputs *inputs, const struct topology_stage *stage,
                           const char *identifier, const char *name)
{
    const char *before = json_string_value(json_object_get(inputs->seen, identifier));
    if (before == NULL)
        return json_object_set_new(inputs->seen, identifier, json_string(name)) == 0
                   ? STATUS_OK
                   : STATUS_NO_MEMORY;
    if (strcmp(before, name) == 0)
        log_warning("stages.%s.settings.files: %s is named twice: its events count twice",
                    stage->name, name);
    else
        log_warning("stages.%s.settings.files: %s holds the same bytes as %s: the same events "
                    "count twice",
                    stage->name, name, before);
    return STATUS_OK;
}

/* One input file: its digest, with the key of the table in it where one is named, for the id, and
 * for the reader its expected content. */
static status add_input(const struct inputs *inputs, const struct topology_stage *stage,
                        const char *name, bool events_wanted)
{
    struct table_name parts;
    struct content content;
    char hex[CONTENT_HEX_SIZE];
    char *identifier = NULL;
    uint64_t events = 0;
    status done = table_name_parse(&parts, name);
    if (done == STATUS_OK && events_wanted)
        done = check_event_file(name, stage, &events);
    if (done == STATUS_OK)
        done = content_book_find(inputs->book, parts.path, &content);
    if (done == STATUS_OK) {
        content_hex(&content, hex);
        done = asprintf(&identifier, "%s%s%s", hex, parts.key != NULL ? ":" : "",
                        parts.key != NULL ? parts.key : "") >= 0
                   ? STATUS_OK
                   : STATUS_NO_MEMORY;
    }
    if (done == STATUS_OK &&
        (json_array_append_new(inputs->digests, json_string(identifier)) != 0 ||
         json_array_append_new(inputs->contents, json_pack("{s:s, s:I, s:o, s:s}", "path", name,
                                                           "events", (json_int_t)events, "identity",
                                                           file_identity_to_json(&content.identity),
                                                           "digest", hex)) != 0))
        done = STATUS_NO_MEMORY;
    if (done == STATUS_OK && events_wanted)
        done = warn_of_copy(inputs, stage, identifier, name);
    free(identifier);
    table_name_fini(&parts);
    return done;
}

static status add_inputs(const struct inputs *inputs, const struct topology_stage *stage,
                         const json_t *files)
{
    const char *masterkey = json_string_value(json_object_get(stage->settings, "masterkey"));
    status done = STATUS_OK;
    for (size_t i = 0; i < json_array_size(files) && done == STATUS_OK; i++)
        done = add_input(inputs, stage, json_string_value(json_array_get(files, i)), true);
    return done == STATUS_OK && masterkey != NULL ? add_input(inputs, stage, masterkey, false)
                                                  : done;
}

static status add_files(json_t *to, const struct topology_stage *stage, const json_t *files,
                        struct inputs *inputs, json_t **contents)
{
    if (input_files_followed(stage)) /* its path is all that is known before it has ended */
        return json_object_set_new(to, "files", json_copy((json_t *)files)) == 0 ? STATUS_OK
                                                                                 : STATUS_NO_MEMORY;
    inputs->digests = json_array();
    inputs->contents = *contents = json_array();
    status done = inputs->digests != NULL && *contents != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    if (done == STATUS_OK)
        done = add_inputs(inputs, stage, files);
    if (json_object_set_new(to, "files", inputs->digests) != 0 && done == STATUS_OK)
        done = STATUS_NO_MEMORY;
    return done;
}

/* --- ids --------------------------------------------------------------------------------- */

static bool is_left_of_log(const struct topology_stage *stage)
{
    return stage->role == ROLE_SOURCE || stage->role == ROLE_WORKER;
}

/* The programs left of each log, lists[k] for log k; the readers with what they read. */
static status add_left(json_t *lists, const topology *flow, json_t *const files[],
                       content_book *book, json_t *contents[])
{
    struct inputs inputs = {.book = book, .seen = json_object()};
    status done = inputs.seen != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    for (size_t i = 0; i < topology_n_stages(flow) && done == STATUS_OK; i++) {
        const struct topology_stage *stage = topology_stage(flow, i);
        if (!is_left_of_log(stage))
            continue;
        json_t *program = NULL;
        done = program_of(stage, book, &program);
        if (done == STATUS_OK && files[i] != NULL)
            done = add_files(program, stage, files[i], &inputs, &contents[i]);
        json_t *list = json_array_get(lists, topology_log_of(flow, i));
        if (json_array_append_new(list, program) != 0 && done == STATUS_OK)
            done = STATUS_NO_MEMORY;
    }
    json_decref(inputs.seen);
    return done;
}

/* The logs that reach a stage. */
static json_t *logs_taken(const topology *flow, const struct topology_stage *stage)
{
    json_t *list = json_array();
    for (size_t k = 0; k < topology_n_logs(flow); k++)
        for (size_t i = 0; i < stage->n_inputs; i++)
            if (stage->inputs[i].stage == topology_log(flow, k))
                json_array_append_new(list, json_integer((json_int_t)k));
    return list;
}

static status add_right(json_t *list, const topology *flow, content_book *book)
{
    status done = STATUS_OK;
    for (size_t i = 0; i < topology_n_stages(flow) && done == STATUS_OK; i++) {
        const struct topology_stage *stage = topology_stage(flow, i);
        if (is_left_of_log(stage) || stage->role == ROLE_LOG || !stage->wait)
            continue;
        json_t *program = NULL;
        done = program_of(stage, book, &program);
        if (done == STATUS_OK && topology_n_logs(flow) > 1)
            json_object_set_new(program, "logs", logs_taken(flow, stage));
        if (json_array_append_new(list, program) != 0 && done == STATUS_OK)
            done = STATUS_NO_MEMORY;
    }
    return done;
}

/* How a log orders the batches of several sources, NULL for the usual order: of its settings all
 * others are a matter of the disk alone. */
static const char *order_of_log(const topology *flow, size_t k)
{
    const struct topology_stage *stage = topology_stage(flow, topology_log(flow, k));
    const char *order = json_string_value(json_object_get(stage->settings, "order"));
    return order != NULL && strcmp(order, "rounds") != 0 ? order : NULL;
}

static status make_log_id(struct run_ids *out, const topology *flow, size_t k, json_t *programs)
{
    json_t *analysis = analysis_to_json(topology_analysis(flow));
    json_t *object =
        json_pack("{s:i, s:O, s:O, s:O, s:O, s:s*}", "imaging", IMAGING_VERSION, "programs",
                  programs, "batch", json_object_get(json_object_get(analysis, "stream"), "batch"),
                  "jets", json_object_get(analysis, "jets"), "image",
                  json_object_get(analysis, "image"), "order", order_of_log(flow, k));
    const status done = object != NULL ? json_digest(object, out->log_id[k]) : STATUS_NO_MEMORY;
    json_decref(object);
    json_decref(analysis);
    return done;
}

/* Two logs of the same images would share one folder, and every event would count twice. */
static status check_distinct(const struct run_ids *ids, const topology *flow)
{
    for (size_t k = 0; k < topology_n_logs(flow); k++)
        for (size_t before = 0; before < k; before++) {
            if (strcmp(ids->log_id[before], ids->log_id[k]) != 0)
                continue;
            log_error("stages.%s and stages.%s hold the same images (%s): every event would count "
                      "twice",
                      topology_stage(flow, topology_log(flow, before))->name,
                      topology_stage(flow, topology_log(flow, k))->name, ids->log_id[k]);
            return STATUS_BAD_INPUT;
        }
    return STATUS_OK;
}

static void list_log_ids(struct run_ids *out, size_t n)
{
    size_t at = 0;
    for (size_t k = 0; k < n; k++)
        at += (size_t)snprintf(out->log_ids + at, sizeof out->log_ids - at, "%s%s",
                               k > 0 ? "," : "", out->log_id[k]);
}

/* One log id as a text, several as a list. */
static json_t *log_ids_to_json(const struct run_ids *ids, size_t n)
{
    json_t *list = json_array();
    for (size_t k = 0; n > 1 && k < n; k++)
        json_array_append_new(list, json_string(ids->log_id[k]));
    if (n > 1)
        return list;
    json_decref(list);
    return json_string(ids->log_id[0]);
}

static status make_run_id(struct run_ids *out, const topology *flow, content_book *book)
{
    const size_t n_logs = topology_n_logs(flow);
    status done = check_distinct(out, flow);
    if (done != STATUS_OK)
        return done;
    list_log_ids(out, n_logs);
    char *text = analysis_to_yaml(topology_analysis(flow));
    json_t *programs = json_array();
    done = add_right(programs, flow, book);
    json_t *object = json_pack("{s:o, s:s?, s:o}", "log_id", log_ids_to_json(out, n_logs),
                               "analysis", text, "programs", programs);
    if (done == STATUS_OK)
        done = object != NULL ? json_digest(object, out->run_id) : STATUS_NO_MEMORY;
    json_decref(object);
    free(text);
    return done;
}

status run_ids_make(struct run_ids *out, const topology *flow, json_t *const files[],
                    content_book *book, json_t *contents[])
{
    json_t *lists = json_array();
    for (size_t k = 0; k < topology_n_logs(flow); k++)
        json_array_append_new(lists, json_array());
    status done = add_left(lists, flow, files, book, contents);
    for (size_t k = 0; k < topology_n_logs(flow) && done == STATUS_OK; k++)
        done = make_log_id(out, flow, k, json_array_get(lists, k));
    json_decref(lists);
    return done == STATUS_OK ? make_run_id(out, flow, book) : done;
}

status run_ids_make_replay(struct run_ids *out, const topology *flow, content_book *book)
{
    return make_run_id(out, flow, book);
}
