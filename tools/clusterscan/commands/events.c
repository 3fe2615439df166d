/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan events: the events behind the excess of a result. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "common/kernels/statistics/verdicts.h"
#include "common/store/log/log_folder.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"
#include "tools/clusterscan/events/event_list.h"

enum { BIN_MOST_NAMED = -1, OPTION_BIN = 256, OPTION_ALL, OPTION_TOP };

struct arguments {
    const char *path;
    const char *state;
    const char *out; /* NULL: standard output */
    bool hdf5;
    bool all;
    long bin;
    size_t top;
};

static void parse_format(const char *text, struct arguments *self, struct argp_state *state)
{
    self->hdf5 = strcmp(text, "hdf5") == 0;
    if (!self->hdf5 && strcmp(text, "csv") != 0)
        argp_error(state, "--format must be csv or hdf5, not '%s'", text);
}

static void check(const struct arguments *self, struct argp_state *state)
{
    results_argument_check(self->path, state);
    if (self->all && self->bin != BIN_MOST_NAMED)
        argp_error(state, "--all takes every bin: give it or --bin");
    if (self->hdf5 && self->out == NULL)
        argp_error(state, "--format hdf5 needs --out FILE");
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct arguments *self = state->input;
    switch (key) {
    case 's':
        self->state = value;
        return 0;
    case 'o':
        self->out = value;
        return 0;
    case 'f':
        parse_format(value, self, state);
        return 0;
    case OPTION_BIN:
        self->bin = (long)number_argument("bin", value, 0, UINT32_MAX, state);
        return 0;
    case OPTION_ALL:
        self->all = true;
        return 0;
    case OPTION_TOP:
        self->top = (size_t)number_argument("top", value, 1, SIZE_MAX, state);
        return 0;
    case ARGP_KEY_ARG:
        results_argument(&self->path, value, state);
        return 0;
    case ARGP_KEY_END:
        check(self, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static status read_result(const char *path, struct result_tables *tables, struct analysis *analysis)
{
    json_t *block = NULL;
    status done = result_tables_read(tables, path);
    if (done == STATUS_OK)
        done = analysis_block_from_yaml(&block, path, tables->summary.analysis);
    if (done == STATUS_OK) {
        done = analysis_from_json(analysis, block);
        if (done == STATUS_BAD_INPUT)
            log_error("%s: its attribute analysis is not what this version writes", path);
    }
    json_decref(block);
    return done;
}

/* Whether the centres are those of the images that the analysis speaks of. */
static status check_shapes(const char *path, const struct result_tables *tables,
                           const struct analysis *analysis)
{
    const struct result_summary *summary = &tables->summary;
    const size_t pixels = (size_t)analysis->image.pixels * analysis->image.pixels;
    if (tables->pixels == pixels && summary->members == analysis->training.ensemble &&
        summary->clusters == analysis->training.clusters && summary->bins == analysis->spectra.bins)
        return STATUS_OK;
    log_error("%s: holds %zu members, %zu clusters, %zu pixels, %u bins, but its analysis says %u, "
              "%u, %zu, %u",
              path, summary->members, summary->clusters, tables->pixels, summary->bins,
              analysis->training.ensemble, analysis->training.clusters, pixels,
              analysis->spectra.bins);
    return STATUS_BAD_INPUT;
}

static status choose_window(const struct arguments *arguments, const struct result_summary *summary,
                            struct event_wish *wish)
{
    size_t named = 0;
    const long bin = arguments->bin != BIN_MOST_NAMED
                         ? arguments->bin
                         : most_named_bin(summary->members, summary->bin, &named);
    const char *path = arguments->path;
    if (arguments->all) {
        wish->window[0] = summary->edges[0];
        wish->window[1] = summary->edges[summary->bins];
        return STATUS_OK;
    }
    if (bin < 0) {
        log_error("%s: no member finds an excess in any mass bin; name one with --bin, or ask for "
                  "--all",
                  path);
        return STATUS_BAD_INPUT;
    }
    if (bin >= (long)summary->bins) {
        log_error("--bin %ld: %s has mass bins 0 to %u", bin, path, summary->bins - 1);
        return STATUS_BAD_INPUT;
    }
    wish->window[0] = summary->edges[bin];
    wish->window[1] = summary->edges[bin + 1];
    return STATUS_OK;
}

/* *out is to be given to result_logs_fini. */
static status find_logs(const struct arguments *arguments, const char *log_ids,
                        struct result_logs *out)
{
    struct stat about;
    if (log_ids == NULL) {
        log_error("%s: does not tell its image log; run the topology again", arguments->path);
        return STATUS_BAD_INPUT;
    }
    const status listed = result_logs_list(out, arguments->state, log_ids);
    for (size_t k = 0; k < out->n; k++) {
        if (stat(out->folder[k], &about) == 0)
            continue;
        log_error("%s: %s; name the state folder of the run with --state", out->folder[k],
                  strerror(errno));
        return STATUS_BAD_INPUT;
    }
    return listed;
}

static status write_list(const struct arguments *arguments, const struct event_list *list)
{
    if (arguments->out == NULL) {
        event_list_print(list, stdout);
        return STATUS_OK;
    }
    const status done =
        (arguments->hdf5 ? event_list_write_hdf5 : event_list_write_csv)(list, arguments->out);
    if (done == STATUS_OK)
        log_info("%s: %zu events", arguments->out, list->events->n);
    return done;
}

static status list_events(const struct arguments *arguments, const struct result_logs *logs,
                          const struct result_tables *tables, const struct analysis *analysis,
                          const struct event_wish *wish)
{
    struct anomalous_events events;
    status done = anomalous_events_find(&events, logs, tables, analysis, wish);
    if (done != STATUS_OK)
        return done;
    struct event_names names;
    done = event_names_read(&names, logs, events.sources);
    if (done == STATUS_OK) {
        const struct event_list list = {&events, &names, tables->summary.members};
        done = write_list(arguments, &list);
        event_names_fini(&names);
    }
    anomalous_events_fini(&events);
    return done;
}

static status run(const struct arguments *arguments)
{
    struct result_tables tables = {0};
    struct analysis analysis;
    struct event_wish wish = {.all = arguments->all, .top = arguments->top};
    struct result_logs logs = {0};
    status done = read_result(arguments->path, &tables, &analysis);
    if (done == STATUS_OK)
        done = check_shapes(arguments->path, &tables, &analysis);
    if (done == STATUS_OK)
        done = choose_window(arguments, &tables.summary, &wish);
    if (done == STATUS_OK)
        done = find_logs(arguments, tables.summary.log_id, &logs);
    if (done == STATUS_OK)
        done = list_events(arguments, &logs, &tables, &analysis, &wish);
    if (done == STATUS_NO_MEMORY)
        log_error("%s: out of memory", arguments->path);
    result_logs_fini(&logs);
    result_tables_fini(&tables);
    return done;
}

int command_events(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"state", 's', "DIR", 0,
         "State folder of the run (default: CLUSTERSCAN_STATE, else ./state)", 0},
        {"format", 'f', "FORMAT", 0, "`csv' (default) or `hdf5'", 0},
        {"out", 'o', "FILE", 0, "Where the list goes (default: standard output)", 0},
        {"bin", OPTION_BIN, "N", 0, "Events of this mass bin, counted from 0", 0},
        {"all", OPTION_ALL, NULL, 0, "Every event inside the spectrum, anomalous or not", 0},
        {"top", OPTION_TOP, "N", 0, "The N most anomalous ones only", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "RESULTS",
        .doc = "List the events behind the excess of a result: those in the mass bin that most "
               "members name with a jet in a signal-rich cluster. Each with its source, file and "
               "row in that file (from 0), dijet mass, label if it is known, how many members find "
               "a jet of it in a signal-rich cluster, and how many of its two jets each member "
               "does. Most anomalous first: by members, then by jets, then as in the image log.\v"
               "Examples:\n"
               "  clusterscan events results.h5 --top 20\n"
               "  clusterscan events results.h5 --state demo/state --out excess.csv\n"
               "  clusterscan events results.h5 --all --format hdf5 --out events.h5\n",
    };
    struct arguments arguments = {.bin = BIN_MOST_NAMED};
    if (!arguments_parse(&argp, argc, argv, &arguments))
        return EXIT_BAD_INPUT;
    arguments.state = state_argument(arguments.state);
    return (int)status_exit_code(run(&arguments));
}
