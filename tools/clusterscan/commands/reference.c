/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reference: prints the schema tables, for documents, editors and completion. */

#include <argp.h>
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/status.h"
#include "common/topology/topology.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"
#include "tools/clusterscan/reference/reference_example.h"
#include "tools/clusterscan/reference/reference_pages.h"
#include "tools/clusterscan/reference/reference_schema.h"

struct arguments {
    const char *what;
    const char *key;  /* of `values` */
    const char *path; /* of a topology */
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *self = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (self->what == NULL)
            self->what = argument;
        else if (self->key == NULL && strcmp(self->what, "values") == 0)
            self->key = argument;
        else if (self->path == NULL &&
                 (strcmp(self->what, "keys") == 0 || strcmp(self->what, "values") == 0))
            self->path = argument;
        else
            argp_error(state, "'%s' is one argument too many", argument);
        return 0;
    case ARGP_KEY_END:
        if (self->what == NULL)
            argp_error(state, "what? One of topology, messages, heartbeat, results, example, "
                              "schema, man, keys, values");
        if (strcmp(self->what, "values") == 0 && self->key == NULL)
            argp_error(state, "values of which key?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static status print_schema(void)
{
    json_t *schema = reference_schema();
    if (schema == NULL)
        return STATUS_NO_MEMORY;
    const bool good = json_dumpf(schema, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) == 0;
    json_decref(schema);
    putchar('\n');
    return good ? STATUS_OK : STATUS_IO;
}

/* Of one key its values, else all keys. */
static status print_keys(const char *path, const char *key)
{
    topology *flow = NULL;
    const status done = path != NULL ? topology_load(&flow, path, 0, NULL) : STATUS_OK;
    if (done == STATUS_OK && key != NULL)
        reference_values(stdout, key, flow);
    else if (done == STATUS_OK)
        reference_keys(stdout, flow);
    topology_destroy(&flow);
    return done;
}

static status print_page(const struct arguments *arguments)
{
    static const struct {
        const char *name;
        void (*print)(FILE *to);
    } pages[] = {{"topology", reference_topology},
                 {"messages", reference_messages},
                 {"heartbeat", reference_heartbeat},
                 {"results", reference_results},
                 {"man", reference_man}};
    if (strcmp(arguments->what, "schema") == 0)
        return print_schema();
    if (strcmp(arguments->what, "keys") == 0 || strcmp(arguments->what, "values") == 0)
        return print_keys(arguments->path, arguments->key);
    if (strcmp(arguments->what, "example") == 0)
        return reference_example(stdout);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        if (strcmp(arguments->what, pages[i].name) != 0)
            continue;
        pages[i].print(stdout);
        return STATUS_OK;
    }
    log_error(
        "there is no reference of '%s'; there are topology, messages, heartbeat, results, example, "
        "schema, man, keys and values",
        arguments->what);
    return STATUS_BAD_INPUT;
}

int command_reference(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "topology|messages|example|schema|man\nkeys [TOPOLOGY]\nvalues KEY [TOPOLOGY]",
        .doc = "Print what this program knows of its own formats: every topology key (as Markdown, "
               "as a JSON Schema for editors, or as a man page), every message of the wire format, "
               "or the keys that --set takes and the values of one of them, one a line.\v"
               "Examples:\n"
               "  clusterscan reference topology\n"
               "  clusterscan reference schema > topology.schema.json\n"
               "  clusterscan reference keys topology/lhco.yaml\n"
               "  clusterscan reference values analysis.score.approximation",
    };
    struct arguments arguments = {.what = NULL};
    if (!arguments_parse(&argp, argc, argv, &arguments))
        return EXIT_BAD_INPUT;
    return (int)status_exit_code(print_page(&arguments));
}
