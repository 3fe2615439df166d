/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema: the one table of every key that a topology file may have. Checks, defaults, --help, the
 * canonical text and the reference page all come from it. */
#ifndef COMMON_TOPOLOGY_SCHEMA_SCHEMA_H
#define COMMON_TOPOLOGY_SCHEMA_SCHEMA_H

#include <stdbool.h>

#include "common/topology/schema/key.h"
#include "common/topology/topology.h"

/* What one of our stages consumes, produces and may be set. */
struct stage_kind {
    const char *name;
    const char *help; /* one sentence */
    enum stage_role role;
    enum message_type inputs[2]; /* required types; MESSAGE_NONE ends */
    bool many_inputs;            /* several producers of inputs[0] */
    enum message_type output;
    bool single_copy;
    const struct key *settings; /* ends with path == NULL; may be NULL */
};

extern const struct key schema_top[];      /* version, name, transport, ...; ends with NULL path */
extern const struct key schema_analysis[]; /* in canonical order; ends with NULL path */
extern const struct key schema_stage[];    /* run, from, replicas, ...; ends with NULL path */
extern const struct stage_kind schema_stages[]; /* ends with NULL name */

/* The kind of that name, NULL if it is none of ours. */
const struct stage_kind *schema_stage_find(const char *name);

#endif
