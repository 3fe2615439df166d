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

uint32_t plan_sources_before(const struct plan *self, size_t k, size_t stage)
{
    uint32_t n = 0;
    for (size_t s = 0; s < stage; s++)
        n += topology_stage(self->flow, s)->role == ROLE_SOURCE &&
             topology_log_of(self->flow, s) == k;
    return n;
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

/* The ids and the folders. */
static status name_run(struct plan *self, const char *state, bool remember)
{
    content_book *book = NULL;
    status done = content_book_open(&book, state, remember);
    if (done == STATUS_OK)
        done = run_ids_make(&self->ids, self->flow, self->files, book, self->contents);
    content_book_close(&book);
    for (size_t k = 0; k < self->n_logs; k++) {
        self->log[k].sources = plan_sources_before(self, k, topology_n_stages(self->flow));
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
    assert(self->n_logs > 0); /* no other stage serves a feed or keeps batches */
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
