/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/set_options.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/array.h"
#include "common/base/status.h"

enum { OPTION_SET = 0x100 }; /* no short form */

static error_t take_option(int key, char *argument, struct argp_state *state)
{
    struct set_options *self = state->input;
    if (key != OPTION_SET)
        return ARGP_ERR_UNKNOWN;
    if (ARRAY_RESERVE(&self->item, &self->room, self->n + 1) != STATUS_OK)
        return ENOMEM;
    self->item[self->n++] = argument;
    return 0;
}

static const struct argp_option options[] = {
    {"set", OPTION_SET, "KEY.PATH=VALUE", 0,
     "Replace or add a value of the topology; VALUE is YAML, globs in quotes. May be repeated", 0},
    {0},
};

const struct argp set_options_argp = {.options = options, .parser = take_option};

void set_options_fini(struct set_options *self)
{
    free(self->item);
    *self = (struct set_options){0};
}
