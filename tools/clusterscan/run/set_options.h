/* SPDX-License-Identifier: GPL-3.0-or-later */
/* overrides: the option --set key.path=value, shared by the subcommands that read a topology. */
#ifndef TOOLS_CLUSTERSCAN_RUN_SET_OPTIONS_H
#define TOOLS_CLUSTERSCAN_RUN_SET_OPTIONS_H

#include <argp.h>
#include <stddef.h>

/* All zero is empty. The texts are borrowed from argv; topology_load checks them. */
struct set_options {
    const char **item;
    size_t n;
    size_t room;
};
void set_options_fini(struct set_options *self);

/* A child for a parser: put it into its argp_child list and set state->child_inputs[0] (its place
 * in that list) to a struct set_options on ARGP_KEY_INIT. */
extern const struct argp set_options_argp;

#endif
