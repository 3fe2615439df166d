/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan feed: drops the events of a file into a folder at a given rate, as a detector would,
 * to try a reader that follows it. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/disk/atomic_file.h"
#include "common/store/events/event_file.h"
#include "common/store/events/event_writer.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"
#include "tools/clusterscan/run/interrupts.h"

enum { READ_ROWS = 512, BATCH_MAX = 1000000, RATE_MAX = 1000000000 };

struct arguments {
    const char *file;
    const char *folder;
    const char *prefix;
    const char *end;
    uint64_t rate;  /* events a second */
    uint64_t batch; /* events a file */
    bool no_end;
};

static const char *parse_name(const char *name, const char *value, struct argp_state *state)
{
    if (value[0] == '\0' || value[0] == '.' || strchr(value, '/') != NULL || strlen(value) > 200)
        argp_error(state, "--%s is '%s', expected a file name without '/' and leading dot", name,
                   value);
    return value;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case 'r':
        arguments->rate = number_argument("rate", value, 1, RATE_MAX, state);
        return 0;
    case 'b':
        arguments->batch = number_argument("batch", value, 1, BATCH_MAX, state);
        return 0;
    case 'p':
        arguments->prefix = parse_name("prefix", value, state);
        return 0;
    case 'e':
        arguments->end = parse_name("end", value, state);
        return 0;
    case 'n':
        arguments->no_end = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0)
            arguments->file = value;
        else if (state->arg_num == 1)
            arguments->folder = value;
        else
            argp_error(state, "one FILE and one DIR; '%s' is too many", value);
        return 0;
    case ARGP_KEY_END:
        if (arguments->folder == NULL || arguments->rate == 0)
            argp_error(state, "FILE, DIR and --rate must be given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* A line on a terminal that is written over after every file. */
static void show_progress(uint64_t fed, uint64_t all, bool last)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " events dropped%s", fed, all,
                last ? "\n" : "");
}

/* Waits until so many events are due. */
static void wait_until_due(const struct timespec *start, uint64_t events, uint64_t rate)
{
    const uint64_t nanoseconds = (uint64_t)start->tv_nsec + events % rate * 1000000000 / rate;
    const struct timespec due = {.tv_sec = start->tv_sec +
                                           (time_t)(events / rate + nanoseconds / 1000000000),
                                 .tv_nsec = (long)(nanoseconds % 1000000000)};
    while (!interrupts_noted() &&
           clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
        ;
}

/* Copies rows first .. last - 1 into a file that appears whole. */
static status drop_file(event_file *from, uint64_t first, uint64_t last, const char *path)
{
    event_writer *writer = NULL;
    status done = event_writer_create(&writer, path);
    while (done == STATUS_OK && first < last) {
        struct event_batch rows;
        const uint32_t n = last - first < READ_ROWS ? (uint32_t)(last - first) : READ_ROWS;
        done = interrupts_noted() ? STATUS_INTERRUPTED : event_file_read(from, first, n, &rows);
        if (done == STATUS_OK)
            done = event_writer_add(writer, &rows);
        first += n;
    }
    if (done == STATUS_OK)
        done = event_writer_commit(&writer);
    event_writer_destroy(&writer);
    return done;
}

static status refuse_if_there(const char *path)
{
    if (access(path, F_OK) != 0)
        return STATUS_OK;
    log_error("%s is there already: feed another folder, or with another --prefix", path);
    return STATUS_BAD_INPUT;
}

static char *path_in(const struct arguments *arguments, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", arguments->folder, name) >= 0 ? path : NULL;
}

/* The file that holds row `first`; numbered, so that names sort as rows do. */
static status drop_next(const struct arguments *arguments, event_file *from, uint64_t first,
                        uint64_t last)
{
    char name[256];
    snprintf(name, sizeof name, "%s-%08" PRIu64 ".h5", arguments->prefix, first / arguments->batch);
    char *path = path_in(arguments, name);
    status done = path != NULL ? refuse_if_there(path) : STATUS_NO_MEMORY;
    if (done == STATUS_OK)
        done = drop_file(from, first, last, path);
    free(path);
    return done;
}

static status end_input(const struct arguments *arguments)
{
    char *path = path_in(arguments, arguments->end);
    const status done = path != NULL ? atomic_file_replace(path, 0, "") : STATUS_NO_MEMORY;
    free(path);
    return done;
}

static status feed(const struct arguments *arguments, event_file *from, uint64_t *fed)
{
    const uint64_t events = event_file_events(from);
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    status done = STATUS_OK;
    while (done == STATUS_OK && *fed < events) {
        const uint64_t left = events - *fed;
        const uint64_t last = *fed + (left < arguments->batch ? left : arguments->batch);
        wait_until_due(&start, last, arguments->rate); /* when its last event has happened */
        done = interrupts_noted() ? STATUS_INTERRUPTED : drop_next(arguments, from, *fed, last);
        if (done == STATUS_OK)
            *fed = last;
        show_progress(*fed, events, done != STATUS_OK || *fed == events);
    }
    return done == STATUS_OK && !arguments->no_end ? end_input(arguments) : done;
}

static status prepare_folder(const struct arguments *arguments)
{
    if (mkdir(arguments->folder, 0777) == 0) {
        printf("made the folder %s\n", arguments->folder);
        fflush(stdout);
    } else if (errno != EEXIST) {
        log_error("cannot make the folder %s: %s", arguments->folder, strerror(errno));
        return STATUS_BAD_INPUT;
    }
    char *end = path_in(arguments, arguments->end);
    const status done = end != NULL ? refuse_if_there(end) : STATUS_NO_MEMORY;
    free(end);
    return done;
}

int command_feed(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"rate", 'r', "N", 0, "events a second", 0},
        {"batch", 'b', "ROWS", 0, "events in each file (512 by default)", 0},
        {"prefix", 'p', "TEXT", 0, "what the files' names begin with (\"events\" by default)", 0},
        {"end", 'e', "NAME", 0, "file that says that no more will come (\"end-of-run\")", 0},
        {"no-end", 'n', NULL, 0, "leave that file out: more will be fed later", 0},
        {0},
    };
    static const struct argp help = {
        .options = options,
        .parser = parse,
        .args_doc = "FILE DIR",
        .doc = "Drop the events of FILE into the folder DIR at a given rate, in files of ROWS "
               "events that appear whole, in the order of their names, as data taking would; to "
               "try a reader with follow: true."
               "\vExamples:\n"
               "  clusterscan feed toy.h5 --rate 2000 incoming\n"
               "  clusterscan run topology/lhco.yaml \\\n"
               "      --set stages.reader.settings.follow=true \\\n"
               "      --set 'stages.reader.settings.files=[incoming]'\n",
    };
    struct arguments arguments = {.prefix = "events", .end = "end-of-run", .batch = 512};
    if (!arguments_parse(&help, argc, argv, &arguments))
        return EXIT_BAD_INPUT;
    interrupts_note(0); /* without SA_RESTART: a signal ends a wait */
    event_file *from = NULL;
    uint64_t fed = 0;
    status done = event_file_open(&from, arguments.file, NULL);
    if (done == STATUS_OK)
        done = prepare_folder(&arguments);
    if (done == STATUS_OK)
        done = feed(&arguments, from, &fed);
    event_file_close(&from);
    if (done == STATUS_OK)
        printf("%" PRIu64 " events are in %s, in files of %" PRIu64 "%s%s\n", fed, arguments.folder,
               arguments.batch, arguments.no_end ? "; no end yet" : ", and their end: ",
               arguments.no_end ? "" : arguments.end);
    if (done == STATUS_INTERRUPTED)
        log_warning("interrupted: %" PRIu64 " events are in %s, and no end", fed, arguments.folder);
    return (int)status_exit_code(done);
}
