/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/supervise.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/printable.h"
#include "common/flow/heartbeat/heartbeat.h"
#include "common/flow/heartbeat/heartbeat_socket.h"
#include "tools/clusterscan/run/child.h"
#include "tools/clusterscan/run/interrupts.h"
#include "tools/clusterscan/watch/progress.h"
#include "tools/clusterscan/watch/status_file.h"

enum {
    DEATHS_MAX = 5,            /* without progress in between: a crash loop ... */
    DEATHS_WITHIN_MS = 600000, /* ... if they came within so long */
    KILLED_EARLY_MS = 1000,    /* SIGKILL counts only for one that has not lived so long */
    SOCKETS_MS = 500,          /* so often the socket files are looked for */
    ORPHANS_MS = 2000,         /* how long killed orphans are waited for */
    BACKOFF_MS = 100,          /* doubled with every death */
    BACKOFF_MAX_MS = 5000,
    STOP_MS = 10000, /* time for a stage to stop in order */
    TICK_MS = 100
};

struct supervisor {
    const struct local *local;
    const struct plan *plan;
    size_t n;
    struct child *child;    /* [n] */
    struct watched_run run; /* its process[i] is child[i] */
    void *zmq;
    void *monitor; /* heartbeats of the stages ... */
    void *watch;   /* ... goes on to all watchers */
    int signals;
    sigset_t mask_before;
    bool masked;
    uint64_t checked_ms; /* when the sockets were looked for */
    bool stopping;
    bool killing; /* interrupted while it stops: SIGKILL */
    bool ended;
    enum exit_code code;
    struct progress progress;
    struct status_file status_file;
};

/* --- setting up -------------------------------------------------------------------------- */

static int open_signals(sigset_t *mask_before)
{
    sigset_t set;
    sigemptyset(&set);
    interrupts_add(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, mask_before);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* A line of a stage for people. */
static void print_line(void *context, const char *line)
{
    struct supervisor *self = context;
    progress_print(&self->progress, line);
}

static status supervisor_init(struct supervisor *self, const struct local *local, bool quiet,
                              bool verbose)
{
    const struct plan *plan = local->plan;
    *self = (struct supervisor){.local = local, .plan = plan, .signals = -1};
    progress_init(&self->progress, quiet);
    status_file_init(&self->status_file, plan->folder, plan->watch);
    self->child = calloc(plan->n, sizeof *self->child);
    self->run = (struct watched_run){.flow = plan->flow,
                                     .run_id = plan->ids.run_id,
                                     .log_id = plan->ids.log_ids,
                                     .n = plan->n,
                                     .process = calloc(plan->n, sizeof *self->run.process)};
    if (self->child == NULL || self->run.process == NULL)
        return STATUS_NO_MEMORY;
    for (; self->n < plan->n; self->n++) {
        child_init(&self->child[self->n], &plan->process[self->n], &local->process[self->n],
                   &self->run.process[self->n], plan->folder);
        self->child[self->n].verbose = verbose;
        self->child[self->n].quiet = quiet;
        self->child[self->n].print = print_line;
        self->child[self->n].context = self;
    }
    /* What a stage forks becomes ours when the stage dies, so that we can wait for it. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGPIPE, SIG_IGN);
    self->signals = open_signals(&self->mask_before);
    self->masked = true;
    self->zmq = zmq_ctx_new();
    self->monitor = self->zmq != NULL ? heartbeat_socket_listen(self->zmq, plan->monitor) : NULL;
    self->watch = self->zmq != NULL ? heartbeat_socket_publish(self->zmq, plan->watch) : NULL;
    if (self->signals < 0 || self->monitor == NULL || self->watch == NULL) {
        log_error("cannot watch the run: %s", strerror(errno));
        return STATUS_IO;
    }
    return STATUS_OK;
}

static void supervisor_fini(struct supervisor *self)
{
    progress_fini(&self->progress);
    for (size_t i = 0; i < self->n; i++)
        child_fini(&self->child[i]);
    free(self->child);
    free(self->run.process);
    heartbeat_socket_close(self->monitor);
    heartbeat_socket_close(self->watch);
    if (self->zmq != NULL)
        zmq_ctx_term(self->zmq);
    if (self->signals >= 0)
        close(self->signals);
    if (self->masked) /* what prints the answer can be interrupted again */
        sigprocmask(SIG_SETMASK, &self->mask_before, NULL);
}

/* --- what happens to children ------------------------------------------------------------ */

static void end_run(struct supervisor *self, enum exit_code code)
{
    if (self->ended)
        return;
    self->ended = true;
    self->code = code;
}

static bool is_sink(const struct supervisor *self, const struct child *child)
{
    return topology_is_sink(self->plan->flow, child->process->stage);
}

/* Whether the run waits for its end. */
static bool is_waited_for(const struct supervisor *self, const struct child *child)
{
    return topology_stage(self->plan->flow, child->process->stage)->wait;
}

static bool all_sinks_ended(const struct supervisor *self)
{
    for (size_t i = 0; i < self->n; i++)
        if (is_sink(self, &self->child[i]) && is_waited_for(self, &self->child[i]) &&
            self->child[i].watched->state != PROCESS_ENDED)
            return false;
    return true;
}

/* How it died, for people. */
static void describe_death(int how, size_t size, char out[])
{
    if (WIFSIGNALED(how))
        snprintf(out, size, "was killed by signal %d (%s)", WTERMSIG(how),
                 strsignal(WTERMSIG(how)));
    else
        snprintf(out, size, "ended with exit code %d", WEXITSTATUS(how));
}

/* Its last line, without the level and name that every line begins with. */
static void last_words(const struct child *child, size_t size, char out[])
{
    const char *words = child->last_line;
    const char *name = strstr(words, "] ");
    if (strncmp(words, "error: [", 8) == 0 && name != NULL)
        words = name + 2;
    text_printable(words[0] != '\0' ? words : "(it said nothing)", size, out);
}

/* Killed from outside: the batch that it had begun is not the cause. */
static void forget_started(const struct child *child)
{
    char path[SOCKET_FOLDER_MAX + 48];
    local_started_path(child->program, sizeof path, path);
    unlink(path);
}

/* Deaths that have nothing to do with each other are no crash loop: those far apart, and kills from
 * outside of a stage that was up. */
static void count_death(struct child *child, int how)
{
    const uint64_t now = clock_ms();
    const bool killed = WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL;
    if (killed || child->replaced)
        forget_started(child);
    if (child->replaced || (killed && now - child->started_ms >= KILLED_EARLY_MS)) {
        child->replaced = false;
        return;
    }
    if (child->deaths > 0 && now - child->first_death_ms > DEATHS_WITHIN_MS)
        child->deaths = 0;
    if (child->deaths == 0)
        child->first_death_ms = now;
    child->deaths++;
}

/* A stage that cannot go on ends the run, unless that does not wait for it. */
static void give_up(struct supervisor *self, struct child *child, enum exit_code code,
                    const char *why)
{
    child->watched->state = PROCESS_ENDED;
    progress_clear(&self->progress);
    if (is_waited_for(self, child)) {
        log_error("stage %s %s", child->process->name, why);
        end_run(self, code);
    } else {
        log_warning("stage %s %s; the run goes on without it", child->process->name, why);
    }
}

static void bury(struct supervisor *self, struct child *child, int how)
{
    char why[7000];
    char death[100];
    describe_death(how, sizeof death, death);
    char words[1024];
    last_words(child, sizeof words, words);
    if (WIFEXITED(how) && WEXITSTATUS(how) == EXIT_BAD_INPUT) {
        snprintf(why, sizeof why, "cannot go on: %s", words);
        give_up(self, child, EXIT_BAD_INPUT, why);
        return;
    }
    count_death(child, how);
    if (child->deaths >= DEATHS_MAX) {
        snprintf(why, sizeof why,
                 "%s, %u times without any progress; its last words: %s (all of them are in %s)",
                 death, child->deaths, words, child->log_path);
        give_up(self, child, EXIT_RUN_FAILED, why);
        return;
    }
    const uint64_t wait = (uint64_t)BACKOFF_MS << (child->deaths > 0 ? child->deaths - 1 : 0);
    child->start_ms = clock_ms() + (wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS);
    child->watched->state = PROCESS_WAITING;
    child->watched->restarts++;
    progress_clear(&self->progress);
    log_warning("stage %s %s; starting it again", child->process->name, death);
}

static void child_ended(struct supervisor *self, struct child *child, int how)
{
    child_drain(child);
    child_signal_group(child, SIGKILL); /* processes that it may have forked */
    /* All other stages serve their items until SIGTERM. */
    const bool finished = WIFEXITED(how) && WEXITSTATUS(how) == EXIT_DONE && is_sink(self, child);
    if (self->stopping || finished)
        child->watched->state = PROCESS_ENDED;
    else
        bury(self, child, how);
}

static void reap(struct supervisor *self)
{
    int how;
    pid_t pid;
    while ((pid = waitpid(-1, &how, WNOHANG)) > 0)
        for (size_t i = 0; i < self->n; i++)
            if (self->child[i].watched->state == PROCESS_RUNNING && self->child[i].pid == pid)
                child_ended(self, &self->child[i], how);
}

/* A newly sealed batch or item anywhere is progress for all: no stage is in a crash loop. */
static void forgive(struct supervisor *self, const struct child *author)
{
    const struct topology_stage *stage = topology_stage(self->plan->flow, author->process->stage);
    for (size_t i = 0; i < self->n; i++)
        if (&self->child[i] == author || stage->role == ROLE_LOG)
            self->child[i].deaths = 0;
}

static void take_heartbeat(struct supervisor *self, const char *text)
{
    struct heartbeat heartbeat;
    if (!heartbeat_parse(&heartbeat, text))
        return;
    struct watched_process *watched = watched_run_find(&self->run, &heartbeat);
    if (watched == NULL)
        return;
    struct child *child = &self->child[watched - self->run.process];
    /* A worker that gets batches done goes on, even if some kill it: three deaths end such a batch.
     */
    if (topology_stage(self->plan->flow, watched->stage)->role == ROLE_WORKER &&
        heartbeat.items > 0)
        child->deaths = 0;
    if (!watched_process_hear(watched, &heartbeat))
        return;
    forgive(self, child);
    if (is_sink(self, child) && heartbeat.text[0] != '\0' && !self->progress.quiet)
        progress_print(&self->progress, heartbeat.text); /* a slice more has been scored */
}

/* Of those that have come only so many: a stage that never stops talking must not keep the run from
 * its other business. */
static void take_heartbeats(struct supervisor *self)
{
    enum { PER_PROCESS = 20 };
    char text[HEARTBEAT_BYTES_MAX];
    for (size_t i = 0; i < PER_PROCESS * self->n; i++) {
        if (!heartbeat_socket_receive(self->monitor, sizeof text, text))
            return;
        heartbeat_socket_send(self->watch, text);
        take_heartbeat(self, text);
    }
}

static void take_signals(struct supervisor *self)
{
    struct signalfd_siginfo info;
    while (read(self->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            continue;
        self->killing = self->ended;
        progress_clear(&self->progress);
        log_info(self->killing ? "killing what is left"
                               : "stopping in order; what is sealed is kept");
        end_run(self, EXIT_INTERRUPTED);
    }
}

/* Waits for heartbeats, output, signals and ended children, and handles them. */
static void listen_once(struct supervisor *self)
{
    zmq_pollitem_t *items = calloc(self->n + 2, sizeof *items);
    assert(items != NULL);
    int n = 0;
    items[n++] = (zmq_pollitem_t){.fd = self->signals, .events = ZMQ_POLLIN};
    items[n++] = (zmq_pollitem_t){.socket = self->monitor, .events = ZMQ_POLLIN};
    for (size_t i = 0; i < self->n; i++)
        if (self->child[i].watched->state == PROCESS_RUNNING && self->child[i].output >= 0)
            items[n++] = (zmq_pollitem_t){.fd = self->child[i].output, .events = ZMQ_POLLIN};
    zmq_poll(items, n, TICK_MS);
    free(items);
    for (size_t i = 0; i < self->n; i++)
        if (self->child[i].watched->state == PROCESS_RUNNING)
            child_listen(&self->child[i]);
    take_heartbeats(self);
    take_signals(self);
    reap(self);
}

static void start_due(struct supervisor *self)
{
    const uint64_t now = clock_ms();
    for (size_t i = 0; i < self->n && !self->ended; i++) {
        struct child *child = &self->child[i];
        if (child->watched->state != PROCESS_WAITING || child->start_ms > now)
            continue;
        if (local_renew_setup(self->local, i) != STATUS_OK || child_start(child) != STATUS_OK)
            end_run(self, EXIT_RUN_FAILED);
    }
}

/* A stage sends heartbeats before it binds its sockets, which a log does only when its disk has
 * room for the first line. */
static bool may_still_bind(const struct child *child, uint64_t now)
{
    enum { BOUND_MS = 3000 };
    return now - child->started_ms < BOUND_MS || strcmp(child->watched->last.waits, "disk") == 0;
}

/* Cleaners of temporary files may remove socket files: a producer without one cannot be reached by
 * new consumers, so it binds again. */
static void check_sockets(struct supervisor *self)
{
    const uint64_t now = clock_ms();
    if (now - self->checked_ms < SOCKETS_MS)
        return;
    self->checked_ms = now;
    local_keep_sockets(self->local);
    if (!local_socket_is_there(self->plan->monitor) && local_renew_folder(self->local) == STATUS_OK)
        heartbeat_socket_rebind(self->monitor, self->plan->monitor);
    if (!local_socket_is_there(self->plan->watch) && local_renew_folder(self->local) == STATUS_OK)
        heartbeat_socket_rebind(self->watch, self->plan->watch);
    for (size_t i = 0; i < self->n; i++) {
        struct child *child = &self->child[i];
        if (child->watched->state != PROCESS_RUNNING)
            continue;
        const bool there = local_has_sockets(self->local, i);
        child->bound = child->bound || there;
        if (there || !child->watched->heard || (!child->bound && may_still_bind(child, now)))
            continue;
        progress_clear(&self->progress);
        log_warning("the socket of stage %s has vanished from %s: starting it again",
                    child->process->name, self->local->sockets);
        child->replaced = true;
        child_signal(child, SIGKILL);
        child->bound = false;
    }
}

/* --- the end ----------------------------------------------------------------------------- */

/* Waits until child i has ended, at most until the deadline. */
static void await(struct supervisor *self, const struct child *child, uint64_t deadline_ms)
{
    while (child->watched->state == PROCESS_RUNNING && !self->killing && clock_ms() < deadline_ms)
        listen_once(self);
}

static void kill_all(struct supervisor *self)
{
    for (size_t i = 0; i < self->n; i++)
        if (self->child[i].watched->state == PROCESS_RUNNING)
            child_signal_group(&self->child[i], SIGKILL);
    for (size_t i = 0; i < self->n; i++)
        while (self->child[i].watched->state == PROCESS_RUNNING)
            listen_once(self);
}

/* Stage by stage in the order of the file, so that all stages upstream of the log have stopped when
 * it seals its batches. */
static void stop_in_order(struct supervisor *self)
{
    self->stopping = true;
    for (size_t stage = 0; stage < topology_n_stages(self->plan->flow); stage++) {
        const uint64_t deadline = clock_ms() + STOP_MS;
        for (size_t i = 0; i < self->n; i++)
            if (self->child[i].process->stage == stage)
                child_signal(&self->child[i], SIGTERM);
        for (size_t i = 0; i < self->n; i++)
            if (self->child[i].process->stage == stage)
                await(self, &self->child[i], deadline);
    }
    kill_all(self);
}

/* Grandchildren that left their group: they are ours now (subreaper). */
static void kill_orphans(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *list = fopen(path, "r");
    int pid;
    while (list != NULL && fscanf(list, "%d", &pid) == 1)
        kill(pid, SIGKILL);
    if (list != NULL)
        fclose(list);
    const uint64_t deadline = clock_ms() + ORPHANS_MS; /* one may hang in the kernel */
    pid_t gone;
    while ((gone = waitpid(-1, NULL, WNOHANG)) > 0 || (gone == 0 && clock_ms() < deadline))
        if (gone == 0)
            poll(NULL, 0, 1);
}

enum exit_code supervise(const struct local *local, bool quiet, bool verbose)
{
    struct supervisor self;
    if (supervisor_init(&self, local, quiet, verbose) != STATUS_OK) {
        supervisor_fini(&self);
        return EXIT_RUN_FAILED;
    }
    while (!self.ended) {
        start_due(&self);
        check_sockets(&self);
        listen_once(&self);
        watched_run_measure(&self.run, clock_ms());
        status_file_show(&self.status_file, &self.run);
        progress_show(&self.progress, &self.run);
        if (all_sinks_ended(&self))
            end_run(&self, EXIT_DONE);
    }
    stop_in_order(&self);
    progress_end(&self.progress, &self.run);
    status_file_end(&self.status_file, &self.run, self.code);
    kill_orphans();
    supervisor_fini(&self);
    return self.code;
}
