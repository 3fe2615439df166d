/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stage/stage.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/stage/loop.h"
#include "common/topology/schema/schema.h"

enum stage_role stage_role_of(const struct stage *stage)
{
    assert(stage->create != NULL && stage->destroy != NULL);
    assert(stage->descriptors == NULL || stage->descriptors->wanted != NULL);
    assert((stage->source != NULL) + (stage->worker != NULL) + (stage->feed != NULL) +
               (stage->log != NULL) ==
           1);
    if (stage->source != NULL) {
        assert(stage->source->extent != NULL && stage->source->read != NULL);
        return ROLE_SOURCE;
    }
    if (stage->worker != NULL) {
        assert(stage->worker->process != NULL);
        return ROLE_WORKER;
    }
    if (stage->feed != NULL) {
        assert(stage->feed->process != NULL);
        return ROLE_FEED;
    }
    const struct stage_log *log = stage->log;
    assert(log->process != NULL && log->fault != NULL && log->give_up != NULL &&
           log->source_end != NULL && log->state != NULL && log->seal != NULL &&
           log->complete != NULL && log->tally != NULL && log->item != NULL);
    return ROLE_LOG;
}

/* SIGTERM and SIGINT as a descriptor, blocked before any thread of ZeroMQ exists. */
static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of the call that writes it */
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int usage(const struct stage *stage, int argc, char **argv)
{
    const bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    fprintf(help ? stdout : stderr,
            "Usage: %s --stage FILE\n%s\n\nA stage of clusterscan; `clusterscan run` writes FILE "
            "and starts it.\n",
            stage->name, stage->help);
    return help ? EXIT_DONE : EXIT_BAD_INPUT;
}

/* Help and output of a stage of ours stand in the schema table alone. */
static struct stage completed(const struct stage *stage)
{
    struct stage own = *stage;
    const struct stage_kind *kind = stage->help == NULL ? schema_stage_find(stage->name) : NULL;
    assert(stage->help != NULL || (kind != NULL && kind->role == stage_role_of(stage)));
    if (kind != NULL) {
        own.help = kind->help;
        own.output = kind->output;
    }
    return own;
}

int stage_main(const struct stage *table, int argc, char **argv)
{
    const struct stage own = completed(table);
    const struct stage *stage = &own;
    if (argc != 3 || strcmp(argv[1], "--stage") != 0)
        return usage(stage, argc, argv);
    log_init(stage->name, LOG_INFO);
    struct runtime runtime = {.stage = stage};
    status done = process_setup_load(&runtime.given, argv[2]);
    if (done != STATUS_OK)
        return (int)status_exit_code(done);
    char name[2 * WIRE_TEXT_SIZE];
    snprintf(name, sizeof name, "%s.%u", runtime.given.setup.name, runtime.given.setup.replica);
    log_init(name, LOG_INFO);
    const int signals = open_signals();
    if (signals < 0) {
        log_error("cannot listen for signals: %s", strerror(errno));
        done = STATUS_IO;
    } else {
        done = loop_run(&runtime, signals);
        close(signals);
    }
    process_setup_fini(&runtime.given);
    return (int)status_exit_code(done);
}
