/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan plan: prints what a run would consist of, without starting or making anything. */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/status.h"
#include "common/topology/topology.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"
#include "tools/clusterscan/run/plan.h"
#include "tools/clusterscan/run/plan_json.h"

struct arguments {
    const char *state;
    bool json;
    struct topology_arguments topology;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *self = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &self->topology;
        return 0;
    case 's':
        self->state = argument;
        return 0;
    case 'j':
        self->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_words(const json_t *words)
{
    size_t i;
    const json_t *word;
    json_array_foreach(words, i, word) printf(" %s", json_string_value(word));
}

static void print_inputs(const json_t *setup)
{
    size_t i;
    const json_t *input;
    json_array_foreach(json_object_get(setup, "inputs"), i, input)
    {
        size_t e;
        const json_t *endpoint;
        json_array_foreach(json_object_get(input, "endpoints"), e, endpoint)
            printf("    takes %s from %s\n", json_string_value(json_object_get(input, "type")),
                   json_string_value(endpoint));
    }
}

/* One folder, or a list of them. */
static void print_images(const json_t *images)
{
    size_t i;
    const json_t *folder;
    if (json_is_string(images))
        printf("images in %s\n", json_string_value(images));
    json_array_foreach(images, i, folder) printf("images in %s\n", json_string_value(folder));
}

static void print_text(const json_t *plan)
{
    size_t i;
    const json_t *process;
    printf("run %s of %s\n", json_string_value(json_object_get(plan, "run_id")),
           json_string_value(json_object_get(plan, "topology")));
    print_images(json_object_get(plan, "images"));
    json_array_foreach(json_object_get(plan, "processes"), i, process)
    {
        const json_t *output = json_object_get(process, "output");
        printf("\n%s on host %s\n    runs", json_string_value(json_object_get(process, "process")),
               json_string_value(json_object_get(process, "host")));
        print_words(json_object_get(process, "command"));
        putchar('\n');
        print_inputs(json_object_get(process, "setup"));
        if (json_is_string(output))
            printf("    gives at %s\n", json_string_value(output));
    }
}

static status print_plan(const struct arguments *arguments, const topology *flow)
{
    struct plan plan;
    status done = plan_make(&plan, flow, arguments->state, false);
    if (done != STATUS_OK)
        return done;
    json_t *object = plan_json(&plan);
    plan_fini(&plan);
    if (object == NULL)
        return STATUS_NO_MEMORY;
    if (arguments->json) {
        json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
        putchar('\n');
    } else {
        print_text(object);
    }
    json_decref(object);
    return STATUS_OK;
}

int command_plan(int argc, char **argv)
{
    static const struct argp_child children[] = {{&topology_argp, 0, NULL, 0}, {0}};
    static const struct argp_option options[] = {
        {"state", 's', "DIR", 0, "State folder (default: CLUSTERSCAN_STATE, else ./state)", 0},
        {"json", 'j', NULL, 0, "Print one JSON object, with what every process is told", 0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        "TOPOLOGY",
        "Print what `clusterscan run` would start: every process with its host, command and the "
        "endpoints where it meets others. Input files are read for the ids; nothing is started or "
        "made. What only a run knows stands in braces.\v"
        "Examples:\n"
        "  clusterscan plan topology/demo.yaml\n"
        "  clusterscan plan topology/demo.yaml --json | jq '.processes[].command'\n",
        children,
        NULL,
        NULL};
    struct arguments arguments = {0};
    if (!arguments_parse(&argp, argc, argv, &arguments))
        return EXIT_BAD_INPUT;
    arguments.state = state_argument(arguments.state);
    topology *flow = NULL;
    status done = topology_arguments_load(&arguments.topology, &flow);
    if (done == STATUS_OK)
        done = print_plan(&arguments, flow);
    topology_destroy(&flow);
    return (int)status_exit_code(done);
}
