/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan: the one command a physicist types; each subcommand is a file beside this one. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/status.h"
#include "tools/clusterscan/command.h"

static const struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} subcommands[] = {
    {"run", command_run, "run a topology to its result"},
    {"validate", command_validate, "check a topology file and say what it would need"},
    {"plan", command_plan, "print what a run would start, without starting it"},
    {"graph", command_graph, "draw a topology as Mermaid or DOT text"},
    {"inspect", command_inspect, "tell what an event file holds"},
    {"generate", command_generate, "make a toy sample of events"},
    {"status", command_status, "tell what the stages of a run are doing"},
    {"feed", command_feed, "drop events into a folder at a given rate"},
    {"report", command_report, "tell a result file in plain words"},
    {"plot", command_plot, "draw the figures of a result file"},
    {"compare", command_compare, "tell what differs between two result files"},
    {"events", command_events, "list the events behind the excess of a result file"},
    {"states", command_states, "list and clean the folders of earlier runs"},
    {"reference", command_reference, "print topology keys, messages, JSON Schema"},
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof *subcommands };

static void print_help(FILE *to)
{
    fputs("Usage: clusterscan COMMAND [ARGUMENT...]\n"
          "Search streams of collider events for new resonances by Cluster Scanning.\n\n",
          to);
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        fprintf(to, "  %-10s %s\n", subcommands[i].name, subcommands[i].help);
    fputs("\nclusterscan COMMAND --help tells more; clusterscan --version the version.\n"
          "Exit codes: 0 done, 1 the run failed, 2 the command, the topology or an input file\n"
          "is wrong, 3 done, but some of the input was refused or quarantined, 130 interrupted.\n\n"
          "Example:\n"
          "  clusterscan generate --events 20000 --signal 500 --seed 1 --out toy.h5\n"
          "  clusterscan run topology/lhco.yaml --set 'stages.reader.settings.files=[toy.h5]'\n"
          "  clusterscan report results.h5\n",
          to);
}

/* So that no file gets the number of a standard stream that was closed. Writing to a standard
 * output that was closed fails then, as it should. */
static void open_standard_streams(void)
{
    static const int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY};
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
            _exit(EXIT_RUN_FAILED);
}

/* At exit: an answer that could not be written is no answer. A reader that has gone, as head(1)
 * does, knows that. */
static void close_output(int code, void *nothing)
{
    (void)nothing;
    const bool failed = ferror(stdout) != 0;
    if (fclose(stdout) == 0 && !failed)
        return;
    if (errno != EPIPE)
        log_error("standard output cannot be written: %s", strerror(errno));
    _exit(code != EXIT_DONE ? code : EXIT_RUN_FAILED);
}

int main(int argc, char **argv)
{
    open_standard_streams();
    log_init(NULL, LOG_INFO);
    on_exit(close_output, NULL);
    signal(SIGPIPE, SIG_IGN); /* an error of the call that writes */
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of the call that writes it */
    if (argc < 2) {
        print_help(stderr);
        return EXIT_BAD_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("clusterscan " CLUSTERSCAN_VERSION);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        if (strcmp(argv[1], subcommands[i].name) != 0)
            continue;
        char name[64];
        snprintf(name, sizeof name, "clusterscan %s", subcommands[i].name);
        program_invocation_name = name; /* what argp prints in its messages */
        argv[1] = name;
        return subcommands[i].run(argc - 1, argv + 1);
    }
    log_error("clusterscan has no command '%s'; see clusterscan --help", argv[1]);
    return EXIT_BAD_INPUT;
}
