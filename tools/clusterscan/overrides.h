/* SPDX-License-Identifier: GPL-3.0-or-later */
/* overrides: the option --set key.path=value, shared by the subcommands that read a topology. */
#ifndef TOOLS_CLUSTERSCAN_OVERRIDES_H
#define TOOLS_CLUSTERSCAN_OVERRIDES_H

#include <argp.h>
#include <stddef.h>

/* All zero is empty. The texts are borrowed from argv; topology_load checks them. */
struct overrides {
    const char **item;
    size_t n;
};
void overrides_fini(struct overrides *self);

/* A child for a parser: put it into its argp_child list and set state->child_inputs[0] (its place
 * in that list) to a struct overrides on ARGP_KEY_INIT. */
extern const struct argp overrides_argp;

#endif
