/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/commands/arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/array.h"

enum { OPTION_SET = 0x100 }; /* no short form */

static error_t take_option(int key, char *argument, struct argp_state *state)
{
    struct topology_arguments *self = state->input;
    switch (key) {
    case OPTION_SET:
        if (ARRAY_RESERVE(&self->set, &self->room, self->n + 1) != STATUS_OK)
            return ENOMEM;
        self->set[self->n++] = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (self->path != NULL)
            argp_error(state, "one topology at a time; '%s' is too many", argument);
        self->path = argument;
        return 0;
    case ARGP_KEY_END:
        if (self->path == NULL)
            argp_error(state, "which topology? Name its file");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"set", OPTION_SET, "KEY.PATH=VALUE", 0,
     "Replace or add a value of the topology; VALUE is YAML, globs in quotes. May be repeated", 0},
    {0},
};

const struct argp topology_argp = {.options = options, .parser = take_option};

status topology_arguments_load(struct topology_arguments *self, topology **out)
{
    const status done = topology_load(out, self->path, self->n, self->set);
    free(self->set);
    *self = (struct topology_arguments){0};
    return done;
}

bool arguments_parse(const struct argp *parser, int argc, char **argv, void *input)
{
    argp_err_exit_status = EXIT_BAD_INPUT;
    return argp_parse(parser, argc, argv, 0, NULL, input) == 0;
}

void results_argument(const char **path, const char *value, struct argp_state *state)
{
    if (*path != NULL)
        argp_error(state, "one RESULTS file at a time, found also '%s'", value);
    *path = value;
}

void results_argument_check(const char *path, struct argp_state *state)
{
    if (path == NULL)
        argp_error(state, "which RESULTS file?");
}

const char *state_argument(const char *given)
{
    const char *state = given != NULL && given[0] != '\0' ? given : getenv("CLUSTERSCAN_STATE");
    return state != NULL && state[0] != '\0' ? state : "state";
}

uint64_t number_argument(const char *option, const char *value, uint64_t least, uint64_t most,
                         struct argp_state *state)
{
    char *end;
    errno = 0;
    const unsigned long long number = strtoull(value, &end, 10);
    /* strtoull takes a sign and turns -1 into a very large number. */
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || number < least ||
        number > most)
        argp_error(state, "--%s is '%s', expected a whole number from %" PRIu64 " to %" PRIu64,
                   option, value, least, most);
    return number;
}
