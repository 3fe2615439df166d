/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stage/loop.h"

#include <assert.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/flow/heartbeat/heartbeat_socket.h"
#include "common/stage/stage_heartbeat.h"

enum { WAIT_MS = 200, BEAT_MS = 500, ROOM_RETRY_MS = 2000 };

/* When heartbeats were, and how much of the time since was spent waiting. */
struct pace {
    uint64_t beat_ms;
    uint64_t idle_ms;
    unsigned idle; /* percent, over the last full interval */
};

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

static status take_turns(struct runtime *runtime, int signals)
{
    const struct role *role = role_of(runtime->stage);
    struct pace pace = {.beat_ms = clock_ms(), .idle = 100};
    stage_heartbeat_send(runtime, pace.idle);
    for (;;) {
        bool busy = false;
        const bool finished = runtime->finished;
        const uint64_t items = runtime->items;
        const status done = role->turn(runtime, &busy);
        const uint64_t now = clock_ms();
        const bool due = now - pace.beat_ms >= BEAT_MS;
        if (due)
            pace_turn(&pace, now);
        /* A feed reports every item, so that no score is missed. */
        if (due || done != STATUS_OK || runtime->finished != finished ||
            (runtime->stage->feed != NULL && runtime->items != items))
            stage_heartbeat_send(runtime, pace.idle);
        if (done != STATUS_OK)
            return done == STATUS_END ? STATUS_OK : done;
        if (asked_to_stop(signals)) {
            const status stopped = role->stop(runtime);
            stage_heartbeat_send(runtime, pace.idle);
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
static status create_when_there_is_room(struct runtime *runtime, int signals)
{
    const struct stage_setup *setup = &runtime->given.setup;
    for (bool full = false;; full = true) {
        const status done = runtime->stage->create(&runtime->self, setup);
        if (full && done == STATUS_OK)
            log_info("there is space again in %s", setup->folder);
        if (done != STATUS_NO_SPACE)
            return done;
        runtime->stage->destroy(&runtime->self);
        if (!full)
            log_error("no space left in %s: waiting for room", setup->folder);
        stage_heartbeat_send(runtime, 100);
        struct pollfd news = {.fd = signals, .events = POLLIN};
        poll(&news, 1, ROOM_RETRY_MS);
        if (asked_to_stop(signals))
            return STATUS_INTERRUPTED;
    }
}

status loop_run(struct runtime *runtime, int signals)
{
    const struct stage *stage = runtime->stage;
    const struct stage_setup *setup = &runtime->given.setup;
    const struct role *role = role_of(stage);
    status done = flow_init(&runtime->flow, setup->run_id, setup->name, setup->replica,
                            runtime->given.coding);
    if (done != STATUS_OK)
        return done;
    if (runtime->given.monitor != NULL)
        runtime->monitor = heartbeat_socket_connect(&runtime->flow, runtime->given.monitor);
    done = create_when_there_is_room(runtime, signals);
    if (done == STATUS_OK)
        done = role->open(runtime);
    if (done == STATUS_OK)
        done = take_turns(runtime, signals);
    role->close(runtime);
    stage->destroy(&runtime->self);
    heartbeat_socket_close(runtime->monitor);
    flow_fini(&runtime->flow);
    return done == STATUS_INTERRUPTED ? STATUS_OK : done;
}
