/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/executors/local.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/disk/folder.h"
#include "tools/clusterscan/run/ports.h"
#include "tools/clusterscan/run/setup_file.h"

/* --- folders ----------------------------------------------------------------------------- */

/* A state folder that cannot be made is bad input. */
static status make_folders(const char *path)
{
    const status done = folder_make(path);
    if (done == STATUS_NO_SPACE)
        log_error("cannot make the state folder %s: no space left", path);
    return done == STATUS_OK || done == STATUS_NO_MEMORY ? done : STATUS_BAD_INPUT;
}

/* --- endpoints --------------------------------------------------------------------------- */

static status make_endpoint(const struct local *self, const char *name, uint32_t *next_port,
                            char out[PLAN_ENDPOINT_MAX], int *holder)
{
    if (topology_transport(self->plan->flow) == TRANSPORT_IPC) {
        snprintf(out, PLAN_ENDPOINT_MAX, "ipc://%.91s/%.7s", self->sockets, name);
        return STATUS_OK;
    }
    uint32_t first;
    uint32_t last;
    uint32_t port = 0;
    topology_ports(self->plan->flow, &first, &last);
    *holder = ports_hold(first, last, next_port, &port);
    if (*holder < 0) {
        log_error("ports: no free port of 127.0.0.1 is left in [%u, %u)", first, last);
        return STATUS_BAD_INPUT;
    }
    snprintf(out, PLAN_ENDPOINT_MAX, "tcp://127.0.0.1:%u", port);
    return STATUS_OK;
}

static status make_endpoints(struct local *self)
{
    struct plan *plan = self->plan;
    uint32_t next_port = 0;
    snprintf(plan->monitor, sizeof plan->monitor, "ipc://%s/monitor", self->sockets);
    snprintf(plan->watch, sizeof plan->watch, "ipc://%s/watch", self->sockets);
    status done = STATUS_OK;
    for (size_t k = 0; k < plan->n_logs && done == STATUS_OK; k++) {
        char name[24];
        snprintf(name, sizeof name, "log%zu", k);
        done = make_endpoint(self, k == 0 ? "control" : name, &next_port, plan->log[k].control,
                             &self->control_port_holder[k]);
    }
    for (size_t i = 0; i < plan->n && done == STATUS_OK; i++) {
        char name[24];
        if (plan->process[i].output[0] == '\0')
            continue;
        snprintf(name, sizeof name, "%zu", i);
        done = make_endpoint(self, name, &next_port, plan->process[i].output,
                             &self->process[i].port_holder);
    }
    return done;
}

/* --- commands ---------------------------------------------------------------------------- */

/* The path of a program of ours: beside this one, or in the folder of installed stages. */
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

static status make_command(struct local_process *process, const struct topology_stage *stage)
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

void local_started_path(const struct local_process *process, size_t size, char out[])
{
    snprintf(out, size, "%.*s.started",
             (int)strcspn(strrchr(process->setup, '/') + 1, ".") +
                 (int)(strrchr(process->setup, '/') + 1 - process->setup),
             process->setup);
}

static status write_setup(const struct local *self, size_t i)
{
    const struct local_process *process = &self->process[i];
    json_t *setup = setup_file_make(self->plan, &self->plan->process[i]);
    if (setup == NULL)
        return STATUS_NO_MEMORY;
    char started[SOCKET_FOLDER_MAX + 48];
    local_started_path(process, sizeof started, started);
    if (topology_stage(self->plan->flow, self->plan->process[i].stage)->role == ROLE_WORKER)
        json_object_set_new(setup, "started", json_string(started));
    const int failed =
        json_dump_file(setup, process->setup, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(setup);
    if (failed == 0)
        return STATUS_OK;
    log_error("cannot write %s: %s", process->setup, strerror(errno));
    return STATUS_IO;
}

/* --- a folder that a cleaner has emptied ------------------------------------------------- */

bool local_socket_is_there(const char *endpoint)
{
    static const char ipc[] = "ipc://";
    return strncmp(endpoint, ipc, sizeof ipc - 1) != 0 ||
           access(endpoint + sizeof ipc - 1, F_OK) == 0;
}

bool local_has_sockets(const struct local *self, size_t i)
{
    const struct plan *plan = self->plan;
    const struct topology_stage *stage = topology_stage(plan->flow, plan->process[i].stage);
    const bool control = stage->role == ROLE_LOG && stage->n_inputs > 0;
    const size_t log = topology_log_of(plan->flow, plan->process[i].stage);
    return local_socket_is_there(plan->process[i].output) &&
           (!control || local_socket_is_there(plan->log[log].control));
}

status local_renew_folder(const struct local *self)
{
    return access(self->sockets, F_OK) == 0 ? STATUS_OK : socket_folder_renew(self->sockets);
}

status local_renew_setup(const struct local *self, size_t i)
{
    if (access(self->process[i].setup, F_OK) == 0)
        return STATUS_OK;
    const status there = local_renew_folder(self);
    return there == STATUS_OK ? write_setup(self, i) : there;
}

void local_keep_sockets(const struct local *self)
{
    enum { EVERY_S = 3600 };
    struct stat about;
    if (stat(self->sockets, &about) == 0 && time(NULL) - about.st_mtime > EVERY_S)
        socket_folder_touch(self->sockets);
}

/* --- the whole --------------------------------------------------------------------------- */

static status make_processes(struct local *self)
{
    const struct plan *plan = self->plan;
    self->process = calloc(plan->n + 1, sizeof *self->process);
    self->control_port_holder = calloc(plan->n_logs, sizeof *self->control_port_holder);
    if (self->process == NULL || self->control_port_holder == NULL)
        return STATUS_NO_MEMORY;
    for (size_t k = 0; k < plan->n_logs; k++)
        self->control_port_holder[k] = -1;
    for (size_t i = 0; i < plan->n; i++) {
        self->process[i].port_holder = -1;
        snprintf(self->process[i].setup, sizeof self->process[i].setup, "%s/%zu.json",
                 self->sockets, i);
    }
    status done = make_endpoints(self);
    for (size_t i = 0; i < plan->n && done == STATUS_OK; i++)
        done = make_command(&self->process[i], topology_stage(plan->flow, plan->process[i].stage));
    for (size_t i = 0; i < plan->n && done == STATUS_OK; i++)
        done = write_setup(self, i);
    return done;
}

status local_prepare_state(const char *state)
{
    const status done = plan_check_state(state);
    return done == STATUS_OK ? make_folders(state) : done;
}

status local_prepare(struct local *out, struct plan *plan)
{
    *out = (struct local){.plan = plan, .sockets_lock = -1};
    status done = make_folders(plan->folder);
    for (size_t k = 0; k < plan->n_logs && !topology_replays(plan->flow) && done == STATUS_OK; k++)
        done = make_folders(plan->log[k].images);
    if (done == STATUS_OK)
        done = socket_folder_make(out->sockets, &out->sockets_lock);
    if (done == STATUS_OK)
        done = make_processes(out);
    if (done != STATUS_OK)
        local_fini(out);
    return done;
}

void local_fini(struct local *self)
{
    for (size_t i = 0; self->process != NULL && i < self->plan->n; i++) {
        struct local_process *process = &self->process[i];
        for (char **word = process->argv; word != NULL && *word != NULL; word++)
            free(*word);
        free(process->argv);
        if (process->port_holder >= 0)
            close(process->port_holder);
    }
    free(self->process);
    for (size_t k = 0; self->control_port_holder != NULL && k < self->plan->n_logs; k++)
        if (self->control_port_holder[k] >= 0)
            close(self->control_port_holder[k]);
    free(self->control_port_holder);
    if (self->sockets[0] != '\0')
        socket_folder_remove(self->sockets);
    if (self->sockets_lock >= 0)
        close(self->sockets_lock);
    *self = (struct local){.sockets_lock = -1};
}
