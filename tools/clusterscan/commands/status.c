/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan status: shows in another terminal what the runs on a state folder are doing. */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/status.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"
#include "tools/clusterscan/watch/human_text.h"
#include "tools/clusterscan/watch/run_lock.h"
#include "tools/clusterscan/watch/status_file.h"

struct arguments {
    const char *state;
    bool json;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case 's':
        arguments->state = value;
        return 0;
    case 'j':
        arguments->json = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "what is '%s'? The state folder goes behind --state", value);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* --- reading ----------------------------------------------------------------------------- */

/* Adds the content of a folder's status file, if it has one. */
static void add_run(json_t *runs, const char *state, const char *name)
{
    char folder[4200];
    char path[4300];
    snprintf(folder, sizeof folder, "%.3000s/%s", state, name);
    snprintf(path, sizeof path, "%s/" STATUS_FILE_NAME, folder);
    const bool at_work =
        run_lock_is_held(folder); /* before the file is read: it is not older then */
    json_t *run = json_load_file(path, 0, NULL);
    if ((run == NULL && !at_work) || json_object_get(run, "part_of") != NULL) {
        json_decref(run); /* what a run with several logs does stands in the folder of the first */
        return;
    }
    /* A run that has just been started has written none yet, or an older one's is there. */
    if (run == NULL)
        run = json_pack("{s:s, s:[]}", "log_id", name, "stages");
    if (at_work)
        json_object_del(run, "exit_code");
    json_object_set_new(run, "at_work", json_boolean(at_work));
    json_array_append_new(runs, run);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* All runs of a state folder in the order of their log ids; NULL, logged, if there is none. */
static json_t *read_runs(const char *state)
{
    struct dirent **entry = NULL;
    const int n = scandir(state, &entry, NULL, by_name);
    if (n < 0) {
        log_error("%s: cannot look into the state folder: %s", state, strerror(errno));
        return NULL;
    }
    json_t *runs = json_array();
    for (int i = 0; i < n; i++) {
        if (entry[i]->d_name[0] != '.')
            add_run(runs, state, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    return runs;
}

/* --- telling ----------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static uint64_t number_of(const json_t *object, const char *key)
{
    const double value = json_number_value(json_object_get(object, key));
    return value > 0 ? (uint64_t)value : 0;
}

static void print_stage(const json_t *stage)
{
    char name[64];
    char rate[NUMBER_TEXT_SIZE];
    char number[NUMBER_TEXT_SIZE];
    char credits[48] = "-";
    const json_t *credit = json_object_get(stage, "credits");
    const json_t *lag = json_object_get(stage, "lag");
    const uint64_t replicas = number_of(stage, "replicas");
    if (replicas > 1)
        snprintf(name, sizeof name, "%s x%u", text_of(stage, "stage"), (unsigned)replicas);
    else
        snprintf(name, sizeof name, "%s", text_of(stage, "stage"));
    if (number_of(credit, "of") > 0)
        snprintf(credits, sizeof credits, "%u/%u", (unsigned)number_of(credit, "used"),
                 (unsigned)number_of(credit, "of"));
    printf("  %-14s %-10s %10s %5u %9s %8s %8u %8u  %-18s %s\n", name, text_of(stage, "state"),
           number_text(number_of(stage, "events_per_second"), rate),
           (unsigned)number_of(stage, "busy_percent"), credits,
           json_is_integer(lag) ? number_text(number_of(stage, "lag"), number) : "-",
           (unsigned)number_of(stage, "restarts"), (unsigned)number_of(stage, "refused"),
           text_of(stage, "waits_for"), text_of(stage, "text"));
}

static void print_run(const json_t *run)
{
    char text[5][NUMBER_TEXT_SIZE];
    printf("%s (images %s), at work for %s: %s of %s events read%s, %s counted, %s dropped\n",
           text_of(run, "topology"), text_of(run, "log_id"),
           duration_text(number_of(run, "seconds"), text[0]),
           number_text(number_of(run, "events_read"), text[1]),
           number_text(number_of(run, "events_known"), text[2]),
           json_is_true(json_object_get(run, "more_to_come")) ? " so far" : "",
           number_text(number_of(run, "events_counted"), text[3]),
           number_text(number_of(run, "events_dropped"), text[4]));
    if (text_of(run, "score")[0] != '\0')
        printf("%s\n", text_of(run, "score"));
    printf("  %-14s %-10s %10s %5s %9s %8s %8s %8s  %-18s %s\n", "stage", "state", "events/s",
           "busy%", "credits", "lag", "restarts", "refused", "waits for", "says");
    size_t i;
    json_t *stage;
    json_array_foreach(json_object_get(run, "stages"), i, stage) print_stage(stage);
}

/* What became of a run that is not at work. */
static void print_past(const json_t *run)
{
    const json_t *code = json_object_get(run, "exit_code");
    printf("%s (images %s): ", text_of(run, "topology"), text_of(run, "log_id"));
    if (code != NULL)
        printf("ended with exit code %d\n", (int)json_integer_value(code));
    else
        puts("was killed; the same command goes on from what is sealed");
}

static size_t count_at_work(const json_t *runs)
{
    size_t n = 0;
    size_t i;
    json_t *run;
    json_array_foreach(runs, i, run) n += json_is_true(json_object_get(run, "at_work"));
    return n;
}

static void print_all(const struct arguments *arguments, json_t *runs)
{
    size_t i;
    json_t *run;
    if (arguments->json) {
        json_t *all = json_pack("{s:s, s:O}", "state", arguments->state, "runs", runs);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
        return;
    }
    if (count_at_work(runs) == 0)
        printf("no run is at work in %s\n", arguments->state);
    json_array_foreach(runs, i, run)
    {
        if (json_is_true(json_object_get(run, "at_work")))
            print_run(run);
        else
            print_past(run);
    }
}

int command_status(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"state", 's', "DIR", 0, "State folder (default: CLUSTERSCAN_STATE, else ./state)", 0},
        {"json", 'j', NULL, 0, "Print one JSON object", 0},
        {0},
    };
    static const struct argp help = {
        .options = options,
        .parser = parse,
        .doc = "Tell what every stage of the runs on a state folder is doing: its state (starting, "
               "running, restarting, finished), its rate, how much of its time it is busy, the "
               "credits in use of those its consumers gave it (batches on their way), its lag "
               "(a reader: batches not on the log's disk; right of the log: items that are there "
               "and not taken yet), restarts, messages refused, and whom it waits for. Ends with 0 "
               "if a run is at "
               "work, with 1 if none is, with 2 if there is no such folder. The figures are at "
               "most two seconds old."
               "\vExamples:\n"
               "  clusterscan status\n"
               "  clusterscan status --state /data/state --json | jq '.runs[].stages[].lag'\n",
    };
    struct arguments arguments = {0};
    if (!arguments_parse(&help, argc, argv, &arguments))
        return EXIT_BAD_INPUT;
    arguments.state = state_argument(arguments.state);
    json_t *runs = read_runs(arguments.state);
    if (runs == NULL)
        return EXIT_BAD_INPUT;
    print_all(&arguments, runs);
    const size_t at_work = count_at_work(runs);
    json_decref(runs);
    return at_work > 0 ? EXIT_DONE : EXIT_RUN_FAILED;
}
