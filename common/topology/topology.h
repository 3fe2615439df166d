/* SPDX-License-Identifier: GPL-3.0-or-later */
/* topology: which stages run, what flows between them, and the physics they share.
 * Reads the YAML topology file with libfyaml, applies --set overrides, checks everything
 * against the schema table and reports each mistake as file:line:column with a caret. */
#ifndef COMMON_TOPOLOGY_TOPOLOGY_H
#define COMMON_TOPOLOGY_TOPOLOGY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/records/message_type.h"
#include "common/topology/schema/analysis.h"

enum { TOPOLOGY_STAGES_MAX = 256 };

/* How a stage moves data (docs/design.md, section 5). */
enum stage_role {
    ROLE_SOURCE, /* hands out event batches */
    ROLE_WORKER, /* intake in, intake out, no state */
    ROLE_LOG,    /* intake in, feed out, durable */
    ROLE_FEED    /* feed in, feed out */
};

enum transport { TRANSPORT_IPC, TRANSPORT_TCP };

struct topology_input {
    size_t stage;           /* index of the producer */
    enum message_type type; /* of the records on this edge */
};

/* The role of a stage that is none of ours follows from its inputs:
 *   none           a source; its output is event batches
 *   event batches  a worker; its output is image batches
 *   anything else  a feed. It has no output if it has no consumer. Otherwise its output is the one
 *                  type that a consumer of ours still lacks or, where none or two are lacking, the
 *                  output of our stage with the same inputs.
 * An image_log without inputs, in a topology in which no stage hands out work, is a replay.
 * There may be several logs, each with a part of the sources; their order is that of the file.
 * Its command is a list of words, or a text that is split at blanks; the first word is looked up
 * as execvp(3) does. */
struct topology_stage {
    const char *name; /* [a-z][a-z0-9_-]*, at most 32 characters */
    const char *run;  /* a stage of ours, or a command: its words, those with blanks quoted */
    char **words;     /* of the command, ends with NULL; NULL: a stage of ours */
    bool ours;        /* run names one of our stages */
    enum stage_role role;
    enum message_type output;
    uint32_t replicas;
    bool wait;               /* the run ends when it has; false only for a sink */
    const char *compression; /* of its output: "none" or "lz4" */
    size_t n_inputs;
    const struct topology_input *inputs;
    json_t *settings; /* object; ours: every key of its table, defaults filled in, in order */
    int line;         /* in the file, from 1; 0 if --set made it */
};

struct topology;
typedef struct topology topology;

/* Reads and checks a file. overrides: n texts `key.path=value` (value is YAML flow syntax), applied
 * before the check in this order; one that names an unknown key, or is no key=value, is an error.
 * Writes every mistake to standard error (file, line, column, caret, what was expected; or the
 * --set it came with) and returns STATUS_BAD_INPUT. On STATUS_OK *out is the caller's, else NULL.
 */
MUST_CHECK status topology_load(topology **out, const char *path, size_t n,
                                const char *const overrides[]);
void topology_destroy(topology **self);

/* All below are borrowed from the topology. */
const char *topology_name(const topology *self);
const char *topology_path(const topology *self);
enum transport topology_transport(const topology *self);
/* First and one past the last port (tcp). */
void topology_ports(const topology *self, uint32_t *first, uint32_t *last);
const struct analysis *topology_analysis(const topology *self);
/* Stages in the order of the file. */
size_t topology_n_stages(const topology *self);
const struct topology_stage *topology_stage(const topology *self, size_t index);
/* Index of the stage of that name; topology_n_stages() if there is none. */
size_t topology_find(const topology *self, const char *name);
/* How many logs there are, and the stage that is log k < that. */
size_t topology_n_logs(const topology *self);
size_t topology_log(const topology *self, size_t k);
/* Which of the logs keeps the records of a source or a worker, or is that log itself;
 * topology_n_logs() of any other stage, and of one whose batches reach none. */
size_t topology_log_of(const topology *self, size_t index);
/* Whether events of log k reach a stage right of the logs, models apart, and so count in its
 * results. */
bool topology_reaches(const topology *self, size_t k, size_t index);
/* True if its logs have no inputs: they read folders that earlier runs have filled. */
bool topology_replays(const topology *self);
/* Whether a cluster can be picked at all: with few clusters, or few of them kept by the estimators,
 * no deviation can exceed the threshold, and the answer to any signal is "nothing". True too where
 * no selector of ours is there. why[size]: for people, where the answer is no. */
bool topology_can_select(const topology *self, size_t size, char why[]);
/* True if no other stage consumes its output. */
bool topology_is_sink(const topology *self, size_t index);

#endif
