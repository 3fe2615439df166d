/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/flow/link.h"

enum { LIVE_MS = 250, PLAIN_MS = 3000 };

void progress_init(struct progress *self, bool quiet)
{
    *self = (struct progress){
        .quiet = quiet, .terminal = isatty(STDERR_FILENO) == 1, .start_ms = flow_now_ms()};
}

void progress_fini(struct progress *self)
{
    progress_clear(self);
}

void progress_clear(struct progress *self)
{
    if (self->shown)
        fputs("\r\033[K", stderr);
    self->shown = false;
}

/* Sums over the processes of one role. */
struct sums {
    uint64_t rows; /* of all sources */
    uint64_t read; /* on disk */
    uint64_t counted;
    uint64_t dropped;
    const char *text; /* of the process furthest down that has something to say */
    const char *score;
};

static struct sums sum_up(const topology *flow, size_t n, const struct child children[])
{
    struct sums sums = {.text = "", .score = ""};
    for (size_t i = 0; i < n; i++) {
        const struct pulse *pulse = &children[i].pulse;
        const size_t index = children[i].process->stage;
        const struct topology_stage *stage = topology_stage(flow, index);
        if (stage->role == ROLE_SOURCE)
            sums.rows += pulse->rows;
        if (stage->role == ROLE_LOG) {
            sums.read += pulse->read;
            sums.counted += pulse->counted;
            sums.dropped += pulse->dropped;
        }
        if (stage->role != ROLE_FEED || pulse->text[0] == '\0')
            continue;
        sums.text = pulse->text;
        if (topology_is_sink(flow, index))
            sums.score = pulse->text;
    }
    return sums;
}

static void write_line(const struct progress *self, const struct sums *sums, size_t size,
                       char out[])
{
    const double seconds = (double)(flow_now_ms() - self->start_ms) / 1000;
    const double share = sums->rows > 0 ? 100 * (double)sums->read / (double)sums->rows : 0;
    snprintf(out, size,
             "%4.0f s: %" PRIu64 " of %" PRIu64 " events on disk (%.0f %%), %" PRIu64
             " counted, %" PRIu64 " dropped%s%s",
             seconds, sums->read, sums->rows, share, sums->counted, sums->dropped,
             sums->text[0] != '\0' ? "; " : "", sums->text);
}

/* A score stays to be read: its line is not overwritten. */
static void show_score(struct progress *self, const char *score)
{
    if (score[0] == '\0' || strcmp(score, self->score) == 0)
        return;
    snprintf(self->score, sizeof self->score, "%s", score);
    progress_clear(self);
    fprintf(stderr, "%s\n", score);
}

void progress_show(struct progress *self, const topology *flow, size_t n,
                   const struct child children[])
{
    const uint64_t now = flow_now_ms();
    if (self->quiet || now - self->shown_ms < (self->terminal ? LIVE_MS : PLAIN_MS))
        return;
    const struct sums sums = sum_up(flow, n, children);
    self->shown_ms = now;
    show_score(self, sums.score);
    char line[400];
    write_line(self, &sums, sizeof line, line);
    if (self->terminal) {
        fprintf(stderr, "\r\033[K%.200s", line);
        fflush(stderr);
        self->shown = true;
    } else if (sums.rows > 0) {
        fprintf(stderr, "%s\n", line);
    }
}
