/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan graph: the picture of a topology as Mermaid or DOT text. Boxes are stages, with
 * their replicas; the cylinder is the log; a slanted box (Mermaid) or one with an ear (DOT) is a
 * file. Edges carry the type of the message. */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/status.h"
#include "common/topology/schema/schema.h"
#include "common/topology/topology.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"

enum { OPTION_DOT = 0x101 };

struct arguments {
    bool dot;
    struct topology_arguments topology;
};

/* Prints a text between quotes. */
static void print_text(const char *text, bool dot)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ')
            putchar(' ');
        else if (dot && (*text == '"' || *text == '\\'))
            printf("\\%c", *text);
        else if (!dot && strchr("\"#&<>`", *text) != NULL)
            printf("#%d;", *text); /* Mermaid's escape of a special character */
        else
            putchar(*text);
    }
}

static void print_stage(const struct topology_stage *stage, size_t index, bool dot)
{
    const bool log = stage->role == ROLE_LOG;
    printf(dot ? "    s%zu [label=\"" : log ? "    s%zu[(\"" : "    s%zu[\"", index);
    print_text(stage->name, dot);
    if (stage->replicas > 1)
        printf(" x %u", (unsigned)stage->replicas);
    fputs(dot ? "\\n" : "<br/>", stdout);
    print_text(stage->run, dot);
    if (dot)
        printf("\", shape=%s];\n", log ? "cylinder" : "box");
    else
        puts(log ? "\")]" : "\"]");
}

static void print_edge(const char *from, const char *to, const char *label, bool dot)
{
    if (dot)
        printf("    %s -> %s [label=\"%s\"];\n", from, to, label);
    else
        printf("    %s -->|%s| %s\n", from, label, to);
}

/* A file, and the edge between it and its stage: sources read, all others write. */
static void print_file(const struct topology_stage *stage, size_t index, size_t number,
                       const char *path, bool dot)
{
    char file[40], owner[24];
    snprintf(owner, sizeof owner, "s%zu", index);
    snprintf(file, sizeof file, "f%zu_%zu", index, number);
    printf(dot ? "    %s [label=\"" : "    %s[/\"", file);
    print_text(path, dot);
    puts(dot ? "\", shape=note];" : "\"/]");
    const bool read = stage->role == ROLE_SOURCE;
    const char *from = read ? file : owner, *to = read ? owner : file;
    if (dot)
        printf("    %s -> %s [style=dashed];\n", from, to);
    else
        printf("    %s -.-> %s\n", from, to);
}

/* All paths in the settings of a stage of ours. */
static void print_files(const struct topology_stage *stage, size_t index, bool dot)
{
    const struct stage_kind *kind = stage->ours ? schema_stage_find(stage->run) : NULL;
    if (kind == NULL || kind->settings == NULL)
        return;
    size_t number = 0;
    for (const struct key *key = kind->settings; key->path != NULL; key++) {
        if (key->type != KEY_PATH && !(key->type == KEY_TEXTS && key->file_name))
            continue;
        const json_t *value = json_object_get(stage->settings, key->path);
        if (json_is_string(value))
            print_file(stage, index, number++, json_string_value(value), dot);
        for (size_t i = 0; i < json_array_size(value); i++)
            print_file(stage, index, number++, json_string_value(json_array_get(value, i)), dot);
    }
}

static void print_inputs(const struct topology_stage *stage, size_t index, bool dot)
{
    char to[24], from[24];
    snprintf(to, sizeof to, "s%zu", index);
    for (size_t i = 0; i < stage->n_inputs; i++) {
        snprintf(from, sizeof from, "s%zu", stage->inputs[i].stage);
        print_edge(from, to, message_type_name(stage->inputs[i].type), dot);
    }
}

static void print_graph(const topology *flow, bool dot)
{
    if (dot) {
        fputs("digraph \"", stdout);
        print_text(topology_name(flow), dot);
        puts("\" {\n    rankdir=LR;\n    node [fontname=\"sans-serif\"];\n"
             "    edge [fontname=\"sans-serif\", fontsize=10];");
    } else {
        puts("flowchart LR");
    }
    for (size_t i = 0; i < topology_n_stages(flow); i++)
        print_stage(topology_stage(flow, i), i, dot);
    for (size_t i = 0; i < topology_n_stages(flow); i++)
        print_inputs(topology_stage(flow, i), i, dot);
    for (size_t i = 0; i < topology_n_stages(flow); i++)
        print_files(topology_stage(flow, i), i, dot);
    if (dot)
        puts("}");
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
    struct arguments *self = state->input;
    (void)argument;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &self->topology;
        return 0;
    case OPTION_DOT:
        self->dot = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"dot", OPTION_DOT, NULL, 0, "Print DOT, for graphviz, in place of Mermaid", 0},
    {0},
};
static const struct argp_child children[] = {{&topology_argp, 0, NULL, 0}, {0}};
static const struct argp parser = {
    .options = options,
    .parser = take_option,
    .args_doc = "TOPOLOGY",
    .doc = "Draw a topology as text: Mermaid, which many wikis and code hosts show as a picture, "
           "or DOT. Boxes are stages with their replicas, the cylinder is the log, edges carry the "
           "type of the message, dashed ones lead from and to files.\v"
           "Examples:\n"
           "  clusterscan graph topology/lhco.yaml\n"
           "  clusterscan graph topology/lhco.yaml --dot | dot -Tsvg -o lhco.svg\n"
           "  clusterscan graph topology/lhco.yaml --set stages.images.replicas=8",
    .children = children,
};

int command_graph(int argc, char **argv)
{
    struct arguments arguments = {0};
    status done = STATUS_BAD_INPUT;
    if (arguments_parse(&parser, argc, argv, &arguments)) {
        topology *flow;
        done = topology_arguments_load(&arguments.topology, &flow);
        if (done == STATUS_OK)
            print_graph(flow, arguments.dot);
        topology_destroy(&flow);
    }
    return status_exit_code(done);
}
