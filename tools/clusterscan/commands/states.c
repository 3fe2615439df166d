/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan states: the folders that earlier runs have left in a state folder. */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/array.h"
#include "common/base/log.h"
#include "common/base/printable.h"
#include "common/store/log/log_folder.h"
#include "common/store/log/segment_images.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"
#include "tools/clusterscan/run/input_record.h"
#include "tools/clusterscan/run/state_folder.h"
#include "tools/clusterscan/watch/human_text.h"
#include "tools/clusterscan/watch/status_file.h"

enum { OPTION_REMOVE = 256, OPTION_OLDER, DAY_S = 86400, DAYS_MAX = 1000000, NAMED_INPUTS = 3 };

struct arguments {
    const char *state;
    bool json;
    bool remove;
    bool yes;
    long days; /* -1: not asked for */
    size_t n;
    char **id; /* [n] to remove */
};

static void check(const struct arguments *self, struct argp_state *state)
{
    if (self->remove && self->days >= 0)
        argp_error(state, "--remove names folders, --older-than finds them: give one of them");
    if (self->remove && self->n == 0)
        argp_error(state, "--remove which ID?");
    if (!self->remove && self->n > 0)
        argp_error(state, "what is '%s'? An ID goes behind --remove", self->id[0]);
    if (self->yes && self->days < 0)
        argp_error(state, "--yes goes with --older-than");
    if (self->json && (self->remove || self->days >= 0))
        argp_error(state, "--json goes with the list only");
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct arguments *self = state->input;
    switch (key) {
    case 's':
        self->state = value;
        return 0;
    case 'j':
        self->json = true;
        return 0;
    case 'y':
        self->yes = true;
        return 0;
    case OPTION_REMOVE:
        self->remove = true;
        return 0;
    case OPTION_OLDER:
        self->days = (long)number_argument("older-than", value, 0, DAYS_MAX, state);
        return 0;
    case ARGP_KEY_ARGS:
        self->id = state->argv + state->next;
        self->n = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_SUCCESS:
        check(self, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* --- the list ---------------------------------------------------------------------------- */

/* Names of folders that may be ours. */
struct names {
    size_t n;
    size_t room;
    char (*name)[STATE_NAME_SIZE];
};

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static status add_name(struct names *self, const char *name)
{
    const status done = ARRAY_RESERVE(&self->name, &self->room, self->n + 1);
    if (done != STATUS_OK)
        return done;
    snprintf(self->name[self->n++], STATE_NAME_SIZE, "%.63s", name);
    return STATUS_OK;
}

static status find_names(struct names *out, const char *path)
{
    *out = (struct names){0};
    DIR *entries = opendir(path);
    if (entries == NULL) {
        log_error("%s: the state folder cannot be read: %s", path, strerror(errno));
        return STATUS_BAD_INPUT;
    }
    status done = STATUS_OK;
    for (const struct dirent *entry; done == STATUS_OK && (entry = readdir(entries)) != NULL;)
        if (state_folder_is_name(entry->d_name))
            done = add_name(out, entry->d_name);
    closedir(entries);
    if (out->n > 0)
        qsort(out->name, out->n, sizeof *out->name, by_name);
    return done;
}

/* Adds the numbers of the manifest; nothing where there is none, or a run has it. */
static void add_log(json_t *entry, const struct state_folder *folder, const char *path)
{
    char manifest[4300];
    snprintf(manifest, sizeof manifest, "%.4200s/manifest.jsonl", path);
    log_folder *log = NULL;
    if (folder->in_use || access(manifest, F_OK) != 0 ||
        log_folder_read(&log, &segment_images, path) != STATUS_OK)
        return;
    uint64_t events = 0;
    for (uint32_t s = 0; s < log_folder_sources(log); s++)
        events += log_folder_rows(log, s);
    json_object_set_new(entry, "events", json_integer((json_int_t)events));
    json_object_set_new(entry, "complete", json_boolean(log_folder_complete(log)));
    log_folder_close(&log);
}

static void add_inputs(json_t *entry, const char *path)
{
    json_t *record = input_record_read(path);
    const json_t *sources = json_object_get(record, "sources");
    json_t *named = json_object_get(record, "topology");
    json_t *inputs = json_array();
    if (json_is_string(named))
        json_object_set(entry, "topology", named);
    for (size_t s = 0; s < json_array_size(sources); s++) {
        const json_t *source = json_array_get(sources, s);
        const json_t *files = json_object_get(source, "files");
        json_t *followed = json_object_get(source, "folder");
        if (json_is_string(followed))
            json_array_append(inputs, followed);
        for (size_t i = 0; i < json_array_size(files); i++) {
            json_t *file = json_object_get(json_array_get(files, i), "path");
            if (json_is_string(file))
                json_array_append(inputs, file);
        }
    }
    json_object_set_new(entry, "inputs", inputs);
    json_decref(record);
}

/* A replay, whose input is a log, has left its status file at least. */
static void add_topology(json_t *entry, const char *path)
{
    char file[4300];
    snprintf(file, sizeof file, "%.4200s/" STATUS_FILE_NAME, path);
    json_t *told = json_load_file(file, 0, NULL);
    json_t *named = json_object_get(told, "topology");
    if (json_is_string(named))
        json_object_set(entry, "topology", named);
    json_decref(told);
}

static json_t *entry_of(const struct state_folder *folder, const char *state)
{
    char path[4200];
    snprintf(path, sizeof path, "%.4000s/%s", state, folder->name);
    json_t *entry =
        json_pack("{s:s, s:n, s:I, s:I, s:n, s:n, s:b, s:[]}", "id", folder->name, "topology",
                  "last_used", (json_int_t)folder->last_used, "bytes", (json_int_t)folder->bytes,
                  "events", "complete", "in_use", folder->in_use, "inputs");
    if (folder->stranger[0] != '\0') {
        json_object_set_new(entry, "not_ours", json_string(folder->stranger));
        return entry; /* it may hold any file */
    }
    if (state_folder_is_log(folder->name))
        add_log(entry, folder, path);
    add_topology(entry, path);
    add_inputs(entry, path);
    return entry;
}

static void print_text(const char *label, const json_t *text)
{
    char safe[1000];
    text_printable(json_string_value(text), sizeof safe, safe);
    printf("  %s %s\n", label, safe);
}

static void print_inputs(const json_t *inputs)
{
    const size_t n = json_array_size(inputs);
    for (size_t i = 0; i < n && i < NAMED_INPUTS; i++)
        print_text("reads    ", json_array_get(inputs, i));
    if (n > NAMED_INPUTS)
        printf("            and %zu more\n", n - NAMED_INPUTS);
}

static void print_entry(const json_t *entry)
{
    char number[NUMBER_TEXT_SIZE], when[32] = "?";
    const time_t used = (time_t)json_integer_value(json_object_get(entry, "last_used"));
    struct tm date;
    if (localtime_r(&used, &date) != NULL)
        strftime(when, sizeof when, "%Y-%m-%d %H:%M", &date);
    const json_t *events = json_object_get(entry, "events");
    const json_t *not_ours = json_object_get(entry, "not_ours");
    printf("%s%s\n", json_string_value(json_object_get(entry, "id")),
           json_is_true(json_object_get(entry, "in_use")) ? "  in use" : "");
    if (json_is_string(json_object_get(entry, "topology")))
        print_text("topology ", json_object_get(entry, "topology"));
    printf("  last used %s\n", when);
    printf("  size      %s bytes\n",
           number_text((uint64_t)json_integer_value(json_object_get(entry, "bytes")), number));
    if (json_is_integer(events))
        printf("  events    %s%s\n", number_text((uint64_t)json_integer_value(events), number),
               json_is_true(json_object_get(entry, "complete")) ? "" : ", not complete");
    print_inputs(json_object_get(entry, "inputs"));
    if (json_is_string(not_ours))
        print_text("not ours:", not_ours);
}

static status list_all(const struct arguments *arguments, int state, const struct names *names)
{
    json_t *all = json_array();
    for (size_t i = 0; i < names->n; i++) {
        struct state_folder folder;
        if (state_folder_look(&folder, state, names->name[i]) == STATUS_OK)
            json_array_append_new(all, entry_of(&folder, arguments->state));
    }
    if (arguments->json) {
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    for (size_t i = 0; !arguments->json && i < json_array_size(all); i++)
        print_entry(json_array_get(all, i));
    json_decref(all);
    return STATUS_OK;
}

/* --- removing ---------------------------------------------------------------------------- */

static status remove_one(int state, const char *name)
{
    uint64_t freed;
    char number[NUMBER_TEXT_SIZE];
    const status done = state_folder_remove(state, name, &freed);
    if (done == STATUS_OK)
        printf("%s removed: %s bytes freed\n", name, number_text(freed, number));
    return done;
}

static status remove_named(const struct arguments *arguments, int state)
{
    status worst = STATUS_OK;
    for (size_t i = 0; i < arguments->n; i++) {
        const status done = remove_one(state, arguments->id[i]);
        worst = worst == STATUS_OK ? done : worst;
    }
    return worst;
}

static status remove_old(const struct arguments *arguments, int state, const struct names *names)
{
    const time_t before = time(NULL) - (time_t)arguments->days * DAY_S;
    status worst = STATUS_OK;
    size_t would = 0;
    for (size_t i = 0; i < names->n; i++) {
        struct state_folder folder;
        if (state_folder_look(&folder, state, names->name[i]) != STATUS_OK ||
            folder.last_used > before)
            continue;
        char number[NUMBER_TEXT_SIZE];
        if (folder.in_use || folder.stranger[0] != '\0')
            log_info("%s stays: %s", folder.name, folder.in_use ? "in use" : folder.stranger);
        else if (arguments->yes) {
            const status done = remove_one(state, folder.name);
            worst = worst == STATUS_OK ? done : worst;
        } else {
            printf("%s would be removed: %s bytes\n", folder.name,
                   number_text(folder.bytes, number));
            would++;
        }
    }
    if (would > 0)
        puts("Nothing was removed; add --yes to remove them.");
    return worst;
}

static status run(const struct arguments *arguments)
{
    int state;
    struct names names = {0};
    status done = state_open(&state, arguments->state);
    if (done != STATUS_OK)
        return done;
    if (arguments->remove)
        done = remove_named(arguments, state);
    else
        done = find_names(&names, arguments->state);
    if (done == STATUS_OK && !arguments->remove)
        done = (arguments->days >= 0 ? remove_old : list_all)(arguments, state, &names);
    free(names.name);
    close(state);
    return done;
}

int command_states(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"state", 's', "DIR", 0, "State folder (default: CLUSTERSCAN_STATE, else ./state)", 0},
        {"json", 'j', NULL, 0, "Print the list as JSON", 0},
        {"remove", OPTION_REMOVE, NULL, 0, "Remove the folders of these IDs", 0},
        {"older-than", OPTION_OLDER, "DAYS", 0,
         "Remove those that no run has written to for so long; says which, unless --yes is given",
         0},
        {"yes", 'y', NULL, 0, "Do it", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "[--remove ID...]",
        .doc = "List the folders that runs have left in the state folder, image logs by their id "
               "and replays: size, when it was last used, events, whether that is the whole input, "
               "and what was read. Removing one costs no answer: the next run reads the events "
               "again. A folder in use is never removed, nor one that holds anything that no run "
               "has written.\v"
               "Examples:\n"
               "  clusterscan states --state demo/state\n"
               "  clusterscan states --remove 5f3c0e9d8a7b6c5d4e3f2a1b0c9d8e7f\n"
               "  clusterscan states --older-than 30 --yes\n",
    };
    struct arguments arguments = {.days = -1};
    if (!arguments_parse(&argp, argc, argv, &arguments))
        return EXIT_BAD_INPUT;
    arguments.state = state_argument(arguments.state);
    return (int)status_exit_code(run(&arguments));
}
