/* SPDX-License-Identifier: GPL-3.0-or-later */
/* arguments: what several subcommands share: TOPOLOGY with --set, RESULTS, the state folder,
 * numbers. */
#ifndef TOOLS_CLUSTERSCAN_COMMANDS_ARGUMENTS_H
#define TOOLS_CLUSTERSCAN_COMMANDS_ARGUMENTS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/topology/topology.h"

/* All zero is empty. The texts are borrowed from argv. */
struct topology_arguments {
    const char *path;
    const char **set; /* key.path=value */
    size_t n;
    size_t room;
};
/* A child for a parser, with which it takes TOPOLOGY and --set: put it into its argp_child list and
 * set state->child_inputs[0] (its index in that list) to a struct topology_arguments on
 * ARGP_KEY_INIT. */
extern const struct argp topology_argp;
/* Loads what they name, and frees *self. */
MUST_CHECK status topology_arguments_load(struct topology_arguments *self, topology **out);

/* Parses the command line into *input with argp: --help ends the program with 0, a wrong argument
 * with 2. False if memory ran out. */
bool arguments_parse(const struct argp *parser, int argc, char **argv, void *input);

/* Takes RESULTS into *path; a second one ends the program with 2. */
void results_argument(const char **path, const char *value, struct argp_state *state);
/* Ends the program with 2 if no RESULTS was given. */
void results_argument_check(const char *path, struct argp_state *state);

/* The state folder: what --state gave, else CLUSTERSCAN_STATE, else "state". */
const char *state_argument(const char *given);

/* The whole number of an option; one that is none from least to most ends the program with 2. */
uint64_t number_argument(const char *option, const char *value, uint64_t least, uint64_t most,
                         struct argp_state *state);

#endif
