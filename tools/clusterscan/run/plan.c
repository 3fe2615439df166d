/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/plan.h"

#include <assert.h>
#include <errno.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/disk/folder.h"
#include "tools/clusterscan/run/input_files.h"
#include "tools/clusterscan/run/ports.h"
#include "tools/clusterscan/run/replay.h"
#include "tools/clusterscan/run/source_extents.h"

enum { STATE_NAME_MAX = 4000 }; /* leaves room for what stands in it */

/* --- folders ----------------------------------------------------------------------------- */

/* A state folder that cannot be made is a mistake of whoever named it. */
static status make_folders(const char *path)
{
    const status done = folder_make(path);
    if (done == STATUS_NO_SPACE)
        log_error("cannot make the state folder %s: no space left", path);
    return done == STATUS_OK || done == STATUS_NO_MEMORY ? done : STATUS_BAD_INPUT;
}

static status make_sockets(struct plan *self)
{
    const status made = socket_folder_make(self->sockets, &self->sockets_lock);
    if (made == STATUS_OK)
        snprintf(self->monitor, sizeof self->monitor, "ipc://%s/monitor", self->sockets);
    return made;
}

/* --- endpoints --------------------------------------------------------------------------- */

static status make_endpoint(struct plan *self, const char *name, uint32_t *next_port,
                            char out[PLAN_ENDPOINT_MAX], int *holder)
{
    if (topology_transport(self->flow) == TRANSPORT_IPC) {
        snprintf(out, PLAN_ENDPOINT_MAX, "ipc://%.91s/%.7s", self->sockets, name);
        return STATUS_OK;
    }
    uint32_t first;
    uint32_t last;
    uint32_t port = 0;
    topology_ports(self->flow, &first, &last);
    *holder = ports_hold(first, last, next_port, &port);
    if (*holder < 0) {
        log_error("ports: no free port of 127.0.0.1 is left in [%u, %u)", first, last);
        return STATUS_BAD_INPUT;
    }
    snprintf(out, PLAN_ENDPOINT_MAX, "tcp://127.0.0.1:%u", port);
    return STATUS_OK;
}

static status make_endpoints(struct plan *self)
{
    uint32_t next_port = 0;
    status done =
        make_endpoint(self, "control", &next_port, self->control, &self->control_port_holder);
    for (size_t i = 0; i < self->n && done == STATUS_OK; i++) {
        struct plan_process *process = &self->process[i];
        char name[24];
        if (topology_is_sink(self->flow, process->stage))
            continue;
        snprintf(name, sizeof name, "%zu", i);
        done = make_endpoint(self, name, &next_port, process->output, &process->port_holder);
    }
    return done;
}

/* --- processes --------------------------------------------------------------------------- */

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
            process->port_holder = -1;
            snprintf(process->name, sizeof process->name, "%s.%u", stage->name, r);
            snprintf(process->setup, sizeof process->setup, "%s/%zu.json", self->sockets, self->n);
            self->n++;
        }
    }
    return STATUS_OK;
}

/* Where a program of ours lies: beside this one, or where `cmake --install` puts stages. */
static status find_program(const char *name, char out[4096])
{
    char self[4096];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        return STATUS_IO;
    self[n] = '\0';
    const char *folder = dirname(self);

    for (int installed = 0; installed < 2; installed++) {
        snprintf(out, 4096, !installed ? "%.3000s/%s" : "%.3000s/../libexec/clusterscan/%s", folder,
                 name);
        if (access(out, X_OK) == 0)
            return STATUS_OK;
    }
    log_error("the stage program '%s' is neither in %s nor in its libexec folder", name, folder);
    return STATUS_BAD_INPUT;
}

/* Room for the words and three more. */
static char **copy_words(char *const words[])
{
    size_t n = 0;
    while (words[n] != NULL)
        n++;
    char **copy = calloc(n + 3, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < n; i++)
        copy[i] = strdup(words[i]);
    return copy;
}

static status make_command(struct plan_process *process, const struct topology_stage *stage)
{
    char program[4096];
    char *const ours[] = {program, NULL};
    if (stage->ours) {
        const status found = find_program(stage->run, program);
        if (found != STATUS_OK)
            return found;
    }
    process->argv = copy_words(stage->ours ? ours : stage->words);
    if (process->argv == NULL)
        return STATUS_NO_MEMORY;
    size_t n = 0;
    while (process->argv[n] != NULL)
        n++;
    process->argv[n] = strdup("--stage");
    process->argv[n + 1] = strdup(process->setup);
    return process->argv[n] != NULL && process->argv[n + 1] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
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

void plan_started_path(const struct plan_process *process, size_t size, char out[])
{
    snprintf(out, size, "%.*s.started",
             (int)strcspn(strrchr(process->setup, '/') + 1, ".") +
                 (int)(strrchr(process->setup, '/') + 1 - process->setup),
             process->setup);
}

static json_t *setup_of(const struct plan *self, const struct plan_process *process)
{
    const struct topology_stage *stage = topology_stage(self->flow, process->stage);
    const bool acked =
        stage->role == ROLE_SOURCE || (stage->role == ROLE_LOG && stage->n_inputs > 0);
    char *text = analysis_to_yaml(topology_analysis(self->flow));
    json_t *setup = json_pack("{s:s, s:i, s:i, s:s, s:s, s:o, s:o, s:s?, s:s, s:s, s:i, s:i, s:I, "
                              "s:s, s:o, s:s?, s:s?, s:s, s:O?}",
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
                              "contents", self->contents[process->stage]);
    free(text);
    if (setup != NULL && stage->role == ROLE_SOURCE)
        json_object_set_new(setup, "foreign", foreign_workers(self));
    if (setup != NULL && stage->role == ROLE_LOG && stage->n_inputs > 0)
        json_object_set_new(setup, "extents", source_extents(self->flow, self->contents));
    char started[PLAN_ENDPOINT_MAX + 16];
    plan_started_path(process, sizeof started, started);
    if (setup != NULL && stage->role == ROLE_WORKER)
        json_object_set_new(setup, "started", json_string(started));
    return setup;
}

static status write_setup(const struct plan *self, const struct plan_process *process)
{
    json_t *setup = setup_of(self, process);
    if (setup == NULL)
        return STATUS_NO_MEMORY;
    const int failed =
        json_dump_file(setup, process->setup, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(setup);
    if (failed == 0)
        return STATUS_OK;
    log_error("cannot write %s: %s", process->setup, strerror(errno));
    return STATUS_IO;
}

/* --- a folder that a cleaner has emptied ------------------------------------------------- */

bool plan_socket_is_there(const char *endpoint)
{
    static const char ipc[] = "ipc://";
    return strncmp(endpoint, ipc, sizeof ipc - 1) != 0 ||
           access(endpoint + sizeof ipc - 1, F_OK) == 0;
}

bool plan_has_sockets(const struct plan *self, const struct plan_process *process)
{
    const struct topology_stage *stage = topology_stage(self->flow, process->stage);
    const bool control = stage->role == ROLE_LOG && stage->n_inputs > 0;
    return plan_socket_is_there(process->output) &&
           (!control || plan_socket_is_there(self->control));
}

status plan_renew_folder(const struct plan *self)
{
    return access(self->sockets, F_OK) == 0 ? STATUS_OK : socket_folder_renew(self->sockets);
}

status plan_renew_setup(const struct plan *self, const struct plan_process *process)
{
    if (access(process->setup, F_OK) == 0)
        return STATUS_OK;
    const status there = plan_renew_folder(self);
    return there == STATUS_OK ? write_setup(self, process) : there;
}

void plan_keep_sockets(const struct plan *self)
{
    enum { EVERY_S = 3600 };
    struct stat about;
    if (stat(self->sockets, &about) == 0 && time(NULL) - about.st_mtime > EVERY_S)
        socket_folder_touch(self->sockets);
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

static status make_processes(struct plan *self)
{
    status done = list_processes(self);
    if (done == STATUS_OK)
        done = make_endpoints(self);
    for (size_t i = 0; i < self->n && done == STATUS_OK; i++)
        done = make_command(&self->process[i], topology_stage(self->flow, self->process[i].stage));
    for (size_t i = 0; i < self->n && done == STATUS_OK; i++)
        done = write_setup(self, &self->process[i]);
    return done;
}

/* The ids, and where everything lies. */
static status name_run(struct plan *self, const char *state)
{
    content_book *book = NULL;
    status done = make_folders(state);
    if (done == STATUS_OK)
        done = content_book_open(&book, state);
    if (done == STATUS_OK)
        done = run_ids_make(&self->ids, self->flow, self->files, book, self->contents);
    content_book_close(&book);
    self->sources = (uint32_t)sources_before(self, topology_n_stages(self->flow));
    snprintf(self->images, sizeof self->images, "%.4000s/%s", state, self->ids.log_id);
    snprintf(self->folder, sizeof self->folder, "%s", self->images);
    return done;
}

/* A replay leaves the folder of the log as it is: it may be shared, or not writable. */
static status name_replay(struct plan *self, const char *state)
{
    struct replay replay;
    status done = replay_find(&replay, self->flow, state);
    content_book *book = NULL;
    if (done == STATUS_OK)
        done = content_book_open(&book, state);
    if (done == STATUS_OK)
        done = run_ids_make_replay(&self->ids, self->flow, replay.log_id, book);
    content_book_close(&book);
    self->sources = replay.sources;
    snprintf(self->images, sizeof self->images, "%s", replay.folder);
    snprintf(self->folder, sizeof self->folder, "%.4000s/replay-%s", state, self->ids.run_id);
    return done;
}

status plan_make(struct plan *out, const topology *flow, const char *state)
{
    *out = (struct plan){.flow = flow, .sockets_lock = -1, .control_port_holder = -1};
    if (strlen(state) > STATE_NAME_MAX) {
        log_error("the name of the state folder has %zu bytes, at most %d are possible",
                  strlen(state), STATE_NAME_MAX);
        return STATUS_BAD_INPUT;
    }
    status done = sodium_init() >= 0 ? expand_files(out) : STATUS_IO;
    if (done == STATUS_OK)
        done = topology_replays(flow) ? name_replay(out, state) : name_run(out, state);
    if (done == STATUS_OK)
        done = make_folders(out->folder);
    if (done == STATUS_OK)
        done = make_sockets(out);
    if (done == STATUS_OK)
        done = make_processes(out);
    if (done != STATUS_OK)
        plan_fini(out);
    return done;
}

void plan_fini(struct plan *self)
{
    for (size_t i = 0; i < self->n; i++) {
        struct plan_process *process = &self->process[i];
        for (char **word = process->argv; word != NULL && *word != NULL; word++)
            free(*word);
        free(process->argv);
        if (process->port_holder >= 0)
            close(process->port_holder);
    }
    free(self->process);
    for (size_t s = 0; self->files != NULL && s < topology_n_stages(self->flow); s++)
        json_decref(self->files[s]);
    free(self->files);
    for (size_t s = 0; self->contents != NULL && s < topology_n_stages(self->flow); s++)
        json_decref(self->contents[s]);
    free(self->contents);
    if (self->control_port_holder >= 0)
        close(self->control_port_holder);
    if (self->sockets[0] != '\0')
        socket_folder_remove(self->sockets);
    if (self->sockets_lock >= 0)
        close(self->sockets_lock);
    *self = (struct plan){.sockets_lock = -1, .control_port_holder = -1};
}
