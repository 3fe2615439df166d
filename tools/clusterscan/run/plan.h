/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan: which processes a run consists of, where their sockets are, and the file that tells each
 * its place (common/stage/setup.h). */
#ifndef TOOLS_CLUSTERSCAN_RUN_PLAN_H
#define TOOLS_CLUSTERSCAN_RUN_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/topology/topology.h"
#include "tools/clusterscan/run/run_ids.h"
#include "tools/clusterscan/run/socket_folder.h"

enum { PLAN_ENDPOINT_MAX = 108 };

struct plan_process {
    size_t stage;
    uint32_t replica;
    char name[64];                  /* "images.1" */
    char output[PLAN_ENDPOINT_MAX]; /* "": nobody takes it */
    char setup[PLAN_ENDPOINT_MAX];  /* path of its file */
    char **argv;                    /* ends with NULL */
    int port_holder;                /* keeps a tcp port ours until the process has it; -1: none */
};

struct plan {
    const topology *flow;
    struct run_ids ids;
    char folder[4096]; /* of this run's lock and logs: STATE/LOG_ID, STATE/replay-RUN_ID */
    char images[4096]; /* of the image log: STATE/LOG_ID */
    uint32_t sources;
    char sockets[SOCKET_FOLDER_MAX];
    int sockets_lock; /* held while the folder is in use */
    char monitor[PLAN_ENDPOINT_MAX];
    char control[PLAN_ENDPOINT_MAX]; /* of the log */
    int control_port_holder;
    json_t **files; /* [stages] expanded lists, NULL: no reader of ours */
    json_t *
        *contents; /* [stages] what is in those files, NULL: not known, as in a followed folder */
    size_t n;
    struct plan_process *process;
};

/* Finds the log of a replay, expands globs, opens event files, makes ids, the state folder, the
 * socket folder and the files of all processes. STATUS_BAD_INPUT, logged, if any of these cannot
 * be; nothing is left then but the state folder. */
MUST_CHECK status plan_make(struct plan *out, const topology *flow, const char *state);
/* The file in which a worker notes what it has begun, beside its setup file. */
void plan_started_path(const struct plan_process *process, size_t size, char out[]);
/* Whether the socket file of an endpoint is there; true for one of another kind. */
bool plan_socket_is_there(const char *endpoint);
/* Whether all that the process has bound is there. */
bool plan_has_sockets(const struct plan *self, const struct plan_process *process);
/* Makes the socket folder, or the setup file of a process, again if it is not there. STATUS_IO,
 * logged. */
MUST_CHECK status plan_renew_folder(const struct plan *self);
MUST_CHECK status plan_renew_setup(const struct plan *self, const struct plan_process *process);
/* Keeps cleaners of temporary files from taking the socket folder for an old one. */
void plan_keep_sockets(const struct plan *self);
/* Removes the socket folder and frees what is in *self. */
void plan_fini(struct plan *self);

#endif
