/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stage/stage.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/printable.h"
#include "common/flow/heartbeat/heartbeat.h"
#include "common/flow/heartbeat/heartbeat_socket.h"
#include "common/stage/roles/role.h"

enum { WAIT_MS = 200, BEAT_MS = 500, ROOM_RETRY_MS = 2000 };

static const struct role *role_of(enum stage_role role)
{
    static const struct role *const roles[] = {[ROLE_SOURCE] = &role_source,
                                               [ROLE_WORKER] = &role_worker,
                                               [ROLE_LOG] = &role_log,
                                               [ROLE_FEED] = &role_feed};
    return roles[role];
}

const char *runtime_fault(const struct runtime *runtime, size_t input,
                          const struct wire_header *header, const union record *record)
{
    const struct analysis *analysis = &runtime->given.setup.analysis;
    const struct wire_limits limits = {.batch = analysis->stream.batch,
                                       .pixels = analysis->image.pixels * analysis->image.pixels};
    if (header->type != runtime->given.setup.inputs[input].type)
        return "this edge carries another type";
    return wire_record_fault(header->type, record, &limits);
}

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

/* When heartbeats were, and how much of the time since was spent waiting. */
struct pace {
    uint64_t beat_ms;
    uint64_t idle_ms;
    unsigned idle; /* percent, over the last full interval */
};

static void take_name(const char *name, size_t size, char out[])
{
    snprintf(out, size, "%s", name);
}

/* Each input of a feed and the next item wanted of it. */
static void tell_inputs(const struct runtime *runtime, const struct role *role,
                        struct heartbeat *out)
{
    const struct stage_setup *setup = &runtime->given.setup;
    if (role->next == NULL || runtime->role == NULL)
        return;
    for (; out->n_inputs < setup->n_inputs && out->n_inputs < HEARTBEAT_INPUTS_MAX;
         out->n_inputs++) {
        struct heartbeat_input *input = &out->input[out->n_inputs];
        take_name(setup->inputs[out->n_inputs].stage, sizeof input->stage, input->stage);
        input->next = role->next(runtime, out->n_inputs);
    }
}

/* What a heartbeat says of the way between the stages. */
static void tell_flow(const struct runtime *runtime, const struct role *role, struct heartbeat *out)
{
    static const char *const waits[] = {[WAIT_FOR_INPUT] = "input",
                                        [WAIT_FOR_OUTPUT] = "output",
                                        [WAIT_FOR_LOG] = "log",
                                        [WAIT_FOR_FILES] = "files",
                                        [WAIT_FOR_DISK] = "disk"};
    struct role_news news = {.wait = WAIT_FOR_DISK}; /* what there is before a role is open */
    if (runtime->role != NULL)
        role->tell(runtime, &news);
    const struct stage_setup *setup = &runtime->given.setup;
    take_name(waits[news.wait], sizeof out->waits, out->waits);
    if (news.wait == WAIT_FOR_INPUT && news.waits_input < setup->n_inputs)
        take_name(setup->inputs[news.waits_input].stage, sizeof out->waits_for, out->waits_for);
    out->credits = news.credits;
    out->used = news.used;
    out->lag = news.lag;
    tell_inputs(runtime, role, out);
}

/* One heartbeat for whoever watches. */
static void beat(struct runtime *runtime, const struct role *role, const struct pace *pace,
                 void *monitor)
{
    const struct tally *tally = &runtime->tally;
    struct heartbeat heartbeat = {.replica = runtime->given.setup.replica,
                                  .pid = (uint64_t)getpid(),
                                  .finished = runtime->finished,
                                  .items = runtime->items,
                                  .events = runtime->events,
                                  .refused = runtime->flow.refused,
                                  .rows = runtime->total_rows,
                                  .read = tally->read,
                                  .counted = tally->counted,
                                  .dropped = tally_dropped(tally),
                                  .growing = runtime->growing,
                                  .idle = pace->idle};
    take_name(runtime->given.setup.name, sizeof heartbeat.stage, heartbeat.stage);
    char said[HEARTBEAT_TEXT_SIZE] = ""; /* a name in it may be no UTF-8, or cut */
    if (runtime->stage->describe != NULL && runtime->self != NULL)
        runtime->stage->describe(runtime->self, sizeof said, said);
    text_printable(said, sizeof heartbeat.text, heartbeat.text);
    tell_flow(runtime, role, &heartbeat);
    char text[HEARTBEAT_BYTES_MAX];
    if (heartbeat_pack(&heartbeat, sizeof text, text) > 0)
        heartbeat_socket_send(monitor, text);
}

/* Adds the stage's own descriptors to items[n]; returns how many there are then. */
static size_t add_descriptors(const struct runtime *runtime, size_t n, zmq_pollitem_t items[],
                              long *wait_ms)
{
    struct stage_descriptor watch[STAGE_DESCRIPTORS_MAX];
    const size_t more = runtime->stage->descriptors->wanted(runtime->self, watch, wait_ms);
    assert(more <= STAGE_DESCRIPTORS_MAX && *wait_ms >= 0 && *wait_ms <= WAIT_MS);
    for (size_t i = 0; i < more; i++) {
        const short events = (short)((watch[i].events & POLLIN ? ZMQ_POLLIN : 0) |
                                     (watch[i].events & POLLOUT ? ZMQ_POLLOUT : 0));
        items[n++] = (zmq_pollitem_t){.fd = watch[i].fd, .events = events};
    }
    return n;
}

/* Waits until a socket, a signal or a descriptor of the stage is ready, at most wait_ms, and lets
 * the stage serve its descriptors. */
static status wait_for_news(const struct runtime *runtime, const struct role *role, int signals,
                            long wait_ms)
{
    static void *sockets[RUNTIME_SOCKETS_MAX];
    static zmq_pollitem_t items[RUNTIME_SOCKETS_MAX + 1 + STAGE_DESCRIPTORS_MAX];
    const struct stage_descriptors *own = runtime->stage->descriptors;
    size_t n = role->sockets(runtime, sockets);
    for (size_t i = 0; i < n; i++)
        items[i] = (zmq_pollitem_t){.socket = sockets[i], .events = ZMQ_POLLIN};
    items[n++] = (zmq_pollitem_t){.fd = signals, .events = ZMQ_POLLIN};
    if (own != NULL)
        n = add_descriptors(runtime, n, items, &wait_ms);
    zmq_poll(items, (int)n, wait_ms);
    return own != NULL && own->serve != NULL ? own->serve(runtime->self) : STATUS_OK;
}

static bool asked_to_stop(int signals)
{
    struct signalfd_siginfo info;
    return read(signals, &info, sizeof info) == (ssize_t)sizeof info;
}

/* A full interval is over: how much of it was spent waiting? */
static void pace_turn(struct pace *self, uint64_t now)
{
    const uint64_t interval = now - self->beat_ms;
    self->idle = (unsigned)(self->idle_ms < interval ? 100 * self->idle_ms / interval : 100);
    self->beat_ms = now;
    self->idle_ms = 0;
}

void runtime_beat(struct runtime *runtime)
{
    static const struct pace at_work = {.idle = 0};
    if (runtime->monitor != NULL)
        beat(runtime, role_of(stage_role_of(runtime->stage)), &at_work, runtime->monitor);
}

static status loop(struct runtime *runtime, const struct role *role, void *monitor, int signals)
{
    struct pace pace = {.beat_ms = clock_ms(), .idle = 100};
    beat(runtime, role, &pace, monitor);
    for (;;) {
        bool busy = false;
        const bool finished = runtime->finished;
        const uint64_t items = runtime->items;
        const status done = role->turn(runtime, &busy);
        const uint64_t now = clock_ms();
        const bool due = now - pace.beat_ms >= BEAT_MS;
        if (due)
            pace_turn(&pace, now);
        /* Every item of a feed is told, so that no score is missed. */
        if (due || done != STATUS_OK || runtime->finished != finished ||
            (runtime->stage->feed != NULL && runtime->items != items))
            beat(runtime, role, &pace, monitor);
        if (done != STATUS_OK)
            return done == STATUS_END ? STATUS_OK : done;
        if (asked_to_stop(signals)) {
            const status stopped = role->stop(runtime);
            beat(runtime, role, &pace, monitor);
            return stopped;
        }
        if (busy && runtime->stage->descriptors == NULL)
            continue;
        const status served = wait_for_news(runtime, role, signals, busy ? 0 : WAIT_MS);
        if (served != STATUS_OK)
            return served;
        pace.idle_ms += busy ? 0 : clock_ms() - now;
    }
}

/* A full disk is waited for from the first byte on: nothing has been promised yet.
 * STATUS_INTERRUPTED: asked to stop meanwhile. */
static status create_when_there_is_room(struct runtime *runtime, const struct role *role,
                                        void *monitor, int signals)
{
    const struct stage_setup *setup = &runtime->given.setup;
    const struct pace pace = {.idle = 100};
    for (bool full = false;; full = true) {
        const status done = runtime->stage->create(&runtime->self, setup);
        if (full && done == STATUS_OK)
            log_info("there is space again in %s", setup->folder);
        if (done != STATUS_NO_SPACE)
            return done;
        runtime->stage->destroy(&runtime->self);
        if (!full)
            log_error("no space left in %s: waiting for room", setup->folder);
        beat(runtime, role, &pace, monitor);
        struct pollfd news = {.fd = signals, .events = POLLIN};
        poll(&news, 1, ROOM_RETRY_MS);
        if (asked_to_stop(signals))
            return STATUS_INTERRUPTED;
    }
}

static status run_stage(struct runtime *runtime, int signals)
{
    const struct stage *stage = runtime->stage;
    const struct stage_setup *setup = &runtime->given.setup;
    const struct role *role = role_of(stage_role_of(stage));
    void *monitor = NULL;
    status done = flow_init(&runtime->flow, setup->run_id, setup->name, setup->replica,
                            runtime->given.coding);
    if (done != STATUS_OK)
        return done;
    if (runtime->given.monitor != NULL)
        monitor = heartbeat_socket_connect(&runtime->flow, runtime->given.monitor);
    runtime->monitor = monitor;
    done = create_when_there_is_room(runtime, role, monitor, signals);
    if (done == STATUS_OK)
        done = role->open(runtime);
    if (done == STATUS_OK)
        done = loop(runtime, role, monitor, signals);
    role->close(runtime);
    stage->destroy(&runtime->self);
    heartbeat_socket_close(monitor);
    flow_fini(&runtime->flow);
    return done == STATUS_INTERRUPTED ? STATUS_OK : done;
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

int stage_main(const struct stage *stage, int argc, char **argv)
{
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
        done = run_stage(&runtime, signals);
        close(signals);
    }
    process_setup_fini(&runtime.given);
    return (int)status_exit_code(done);
}
