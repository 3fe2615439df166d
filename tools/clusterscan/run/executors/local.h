/* SPDX-License-Identifier: GPL-3.0-or-later */
/* local: carries a plan out on this machine: makes the state folder and a folder of sockets and
 * setup files, finds the programs and holds the ports. */
#ifndef TOOLS_CLUSTERSCAN_RUN_EXECUTORS_LOCAL_H
#define TOOLS_CLUSTERSCAN_RUN_EXECUTORS_LOCAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "tools/clusterscan/run/plan.h"
#include "tools/clusterscan/run/socket_folder.h"

struct local_process {
    char setup[SOCKET_FOLDER_MAX + 32]; /* path of its file */
    char **argv;                        /* ends with NULL */
    int port_holder; /* keeps a tcp port ours until the process has it; -1: none */
};

struct local {
    struct plan *plan; /* whose endpoints are filled in */
    char sockets[SOCKET_FOLDER_MAX];
    int sockets_lock;              /* held while the folder is in use */
    int *control_port_holder;      /* [plan->n_logs], -1: none */
    struct local_process *process; /* [plan->n] */
};

/* Makes the state folder, so that the plan can record the input files in it. STATUS_BAD_INPUT,
 * logged. */
MUST_CHECK status local_prepare_state(const char *state);
/* Makes everything that the processes need to be started. STATUS_BAD_INPUT, logged, if something
 * cannot be; nothing is left then but the state folder. */
MUST_CHECK status local_prepare(struct local *out, struct plan *plan);
/* The file in which a worker records the batch that it has begun, beside its setup file. */
void local_started_path(const struct local_process *process, size_t size, char out[]);
/* Whether the socket file of an endpoint is there; true for one of another kind. */
bool local_socket_is_there(const char *endpoint);
/* Whether all that process i has bound is there. */
bool local_has_sockets(const struct local *self, size_t i);
/* Makes the socket folder, or the setup file of process i, again if it is not there. STATUS_IO,
 * logged. */
MUST_CHECK status local_renew_folder(const struct local *self);
MUST_CHECK status local_renew_setup(const struct local *self, size_t i);
/* Keeps cleaners of temporary files from taking the socket folder for an old one. */
void local_keep_sockets(const struct local *self);
/* Removes the socket folder and frees the arrays of *self. */
void local_fini(struct local *self);

#endif
