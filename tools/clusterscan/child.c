/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log/log.h"

void child_init(struct child *self, const struct plan_process *process, const char *folder)
{
    *self = (struct child){.process = process, .output = -1, .log = -1};
    char path[4300];
    snprintf(path, sizeof path, "%.4090s/logs", folder);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return; /* a run without log files is still a run */
    snprintf(path, sizeof path, "%.4090s/logs/%s.log", folder, process->name);
    self->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

void child_fini(struct child *self)
{
    if (self->output >= 0)
        close(self->output);
    if (self->log >= 0)
        close(self->log);
    self->output = -1;
    self->log = -1;
}

/* In the new process: everything up to the program itself. */
static void become(const struct child *self, int output, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before we asked to die with it */
        _exit(EXIT_RUN_FAILED);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execvp(self->process->argv[0], self->process->argv);
    dprintf(STDERR_FILENO, "error: cannot execute %s: %s\n", self->process->argv[0],
            strerror(errno));
    _exit(EXIT_BAD_INPUT);
}

status child_start(struct child *self)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        log_error("cannot start %s: %s", self->process->name, strerror(errno));
        return STATUS_IO;
    }
    const pid_t parent = getpid();
    self->pid = fork();
    if (self->pid == 0)
        become(self, ends[1], parent);
    close(ends[1]);
    if (self->pid < 0) {
        log_error("cannot start %s: %s", self->process->name, strerror(errno));
        close(ends[0]);
        return STATUS_IO;
    }
    setpgid(self->pid, self->pid); /* whichever of us comes first */
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    if (self->output >= 0)
        close(self->output);
    self->output = ends[0];
    self->line_size = 0;
    self->state = CHILD_RUNNING;
    self->pulse.finished = false;
    self->pulse.heard = false;
    return STATUS_OK;
}

static bool begins(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

static void end_line(struct child *self)
{
    self->line[self->line_size] = '\0';
    if (self->line_size > 0)
        memcpy(self->last_line, self->line, self->line_size + 1);
    const bool warning = begins(self->line, "warning:") || begins(self->line, "error:");
    if (self->line_size > 0 && (self->verbose || (warning && !self->quiet)))
        self->tell(self->context, self->line);
    self->line_size = 0;
}

void child_listen(struct child *self)
{
    char bytes[4096];
    ssize_t n;
    while (self->output >= 0 && (n = read(self->output, bytes, sizeof bytes)) > 0) {
        if (self->log >= 0 && write(self->log, bytes, (size_t)n) < 0) {
            close(self->log); /* a full disk must not stop the run */
            self->log = -1;
        }
        for (ssize_t i = 0; i < n; i++) {
            if (bytes[i] == '\n' || self->line_size == sizeof self->line - 1)
                end_line(self);
            if (bytes[i] != '\n')
                self->line[self->line_size++] = bytes[i];
        }
    }
}

void child_signal(const struct child *self, int number)
{
    if (self->state == CHILD_RUNNING)
        kill(self->pid, number);
}

void child_signal_group(const struct child *self, int number)
{
    if (self->pid > 0)
        kill(-self->pid, number);
}

bool child_take_pulse(struct child *self, const struct pulse *pulse)
{
    const bool progress = pulse->items > self->pulse.items;
    const uint64_t most = progress ? pulse->items : self->pulse.items;
    self->pulse = *pulse;
    self->pulse.items = most; /* a restarted process counts from zero again */
    return progress;
}

static void meter_read(struct meter *self, uint64_t value, uint64_t now_ms)
{
    enum { EVERY_MS = 1000 };
    if (self->started && now_ms - self->ms < EVERY_MS)
        return;
    if (self->started) {
        /* A restarted process counts from zero again. */
        const uint64_t grown = value > self->value ? value - self->value : 0;
        const double rate = 1000 * (double)grown / (double)(now_ms - self->ms);
        const double weight = 0.3;
        self->rate = self->rate > 0 ? (1 - weight) * self->rate + weight * rate : rate;
    }
    self->started = true;
    self->value = value;
    self->ms = now_ms;
}

void child_measure(struct child *self, uint64_t now_ms)
{
    if (!self->pulse.heard)
        return;
    meter_read(&self->events, self->pulse.events, now_ms);
    meter_read(&self->read, self->pulse.read, now_ms);
}
