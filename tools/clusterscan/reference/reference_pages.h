/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reference_pages: the pages that are made of the schema tables, so that they cannot differ from
 * what the programs do. docs/ holds them between markers; tools/docs puts them there. */
#ifndef TOOLS_CLUSTERSCAN_REFERENCE_REFERENCE_PAGES_H
#define TOOLS_CLUSTERSCAN_REFERENCE_REFERENCE_PAGES_H

#include <stddef.h>
#include <stdio.h>

#include "common/topology/schema/schema.h"
#include "common/topology/topology.h"

/* Every key of a topology file, for operating.md. */
void reference_topology(FILE *to);
/* The same as roff, for clusterscan-topology(5). */
void reference_man(FILE *to);
/* Every message and control, for wire-format.md. */
void reference_messages(FILE *to);
/* Every dataset of a result file, for physics.md. */
void reference_results(FILE *to);
/* The fields of a heartbeat, for wire-format.md. */
void reference_heartbeat(FILE *to);
/* What --set may name, one key a line; of the stages only with a topology (may be NULL). */
void reference_keys(FILE *to, const topology *flow);
/* What the key that --set names may be, one value a line: choices, true and false, stages of ours,
 * the stages of the topology, else the default; nothing if there is no such key or it could be
 * anything. */
void reference_values(FILE *to, const char *key, const topology *flow);
/* What a value must be, for people, without its unit. */
void reference_value(const struct key *key, size_t size, char out[]);
/* The default as YAML; "must be given" or "not given" where there is none. */
void reference_default(const struct key *key, size_t size, char out[]);

#endif
