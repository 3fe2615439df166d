/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/printable.h"

static void open_log(struct child *self)
{
    struct stat about;
    self->log = open(self->log_path,
                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (self->log >= 0 && (fstat(self->log, &about) != 0 || !S_ISREG(about.st_mode))) {
        close(self->log);
        self->log = -1;
    }
    self->log_size = self->log >= 0 ? (uint64_t)about.st_size : 0;
}

/* The log has become too large: it makes way for a new one. */
static void rotate_log(struct child *self)
{
    char old[sizeof self->log_path + 2];
    snprintf(old, sizeof old, "%s.1", self->log_path);
    close(self->log);
    if (rename(self->log_path, old) != 0)
        unlink(self->log_path);
    open_log(self);
}

void child_init(struct child *self, const struct plan_process *process,
                const struct local_process *program, struct watched_process *watched,
                const char *folder)
{
    *watched = (struct watched_process){.stage = process->stage, .replica = process->replica};
    *self = (struct child){
        .process = process, .program = program, .watched = watched, .output = -1, .log = -1};
    snprintf(self->log_path, sizeof self->log_path, "%.4090s/logs", folder);
    if (mkdir(self->log_path, 0777) != 0 && errno != EEXIST)
        return; /* a run without log files is still a run */
    snprintf(self->log_path, sizeof self->log_path, "%.4090s/logs/%s.log", folder, process->name);
    open_log(self);
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

/* What we ignore is our affair; what was ignored before us, as nohup does, stays ignored. */
static void reset_signals(void)
{
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        const bool inherited = (number == SIGHUP || number == SIGINT) &&
                               sigaction(number, NULL, &action) == 0 &&
                               action.sa_handler == SIG_IGN;
        if (!inherited)
            signal(number, SIG_DFL);
    }
}

/* In the new process: everything up to the program itself. */
static void become(const struct child *self, int output, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* the parent died before PR_SET_PDEATHSIG was set */
        _exit(EXIT_RUN_FAILED);
    reset_signals();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execvp(self->program->argv[0], self->program->argv);
    dprintf(STDERR_FILENO, "error: cannot execute %s: %s\n", self->program->argv[0],
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
    watched_process_start(self->watched);
    self->started_ms = clock_ms();
    self->bound = false;
    return STATUS_OK;
}

static bool begins(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

/* Prints a line on the terminal; the lines of a noisy stage are limited. */
static void show_line(struct child *self, const char *line)
{
    enum { SHOWN_MAX = 25, INTERVAL_MS = 10000 };
    char text[1100];
    const uint64_t now = clock_ms();
    if (now - self->shown_since_ms > INTERVAL_MS) {
        if (self->left_out > 0) {
            snprintf(text, sizeof text, "warning: stage %s said %u more lines; they are in %.900s",
                     self->process->name, self->left_out, self->log_path);
            self->print(self->context, text);
        }
        self->shown_since_ms = now;
        self->shown = self->left_out = 0;
    }
    if (self->shown++ >= SHOWN_MAX && !self->verbose) {
        self->left_out++;
        return;
    }
    text_printable(line, sizeof text, text);
    self->print(self->context, text);
}

static void end_line(struct child *self)
{
    self->line[self->line_size] = '\0';
    if (self->line_size > 0)
        memcpy(self->last_line, self->line, self->line_size + 1);
    const bool warning = begins(self->line, "warning:") || begins(self->line, "error:");
    if (self->line_size > 0 && (self->verbose || (warning && !self->quiet)))
        show_line(self, self->line);
    self->line_size = 0;
}

static void keep_bytes(struct child *self, size_t n, const char bytes[])
{
    enum { LOG_MAX = 8 << 20 };
    if (self->log < 0)
        return;
    if (self->log_size > LOG_MAX)
        rotate_log(self);
    if (self->log >= 0 && write(self->log, bytes, n) < 0) {
        close(self->log); /* a full disk must not stop the run */
        self->log = -1;
    }
    self->log_size += n;
}

/* One read. False: there is nothing more now, or ever. */
static bool listen_once(struct child *self)
{
    char bytes[16384];
    const ssize_t n = self->output >= 0 ? read(self->output, bytes, sizeof bytes) : -1;
    if (n == 0) { /* closed at all write ends: it would be readable for ever */
        close(self->output);
        self->output = -1;
    }
    if (n <= 0)
        return false;
    keep_bytes(self, (size_t)n, bytes);
    for (ssize_t i = 0; i < n; i++) {
        if (bytes[i] == '\n' || self->line_size == sizeof self->line - 1)
            end_line(self);
        if (bytes[i] != '\n' && bytes[i] != '\0')
            self->line[self->line_size++] = bytes[i];
    }
    return true;
}

void child_listen(struct child *self)
{
    listen_once(self); /* one read per turn, so that no child starves the others */
}

void child_drain(struct child *self)
{
    enum { READS_MAX = 64 };
    for (int i = 0; i < READS_MAX && listen_once(self); i++)
        ;
    if (self->line_size > 0)
        end_line(self);
}

void child_signal(const struct child *self, int number)
{
    if (self->watched->state == PROCESS_RUNNING)
        kill(self->pid, number);
}

void child_signal_group(const struct child *self, int number)
{
    if (self->pid > 0)
        kill(-self->pid, number);
}
