/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/watch/watched_run.h"

#include <string.h>

struct watched_process *watched_run_find(const struct watched_run *self,
                                         const struct heartbeat *heartbeat)
{
    for (size_t i = 0; i < self->n; i++)
        if (self->process[i].replica == heartbeat->replica &&
            strcmp(topology_stage(self->flow, self->process[i].stage)->name, heartbeat->stage) == 0)
            return &self->process[i];
    return NULL;
}

void watched_process_start(struct watched_process *self)
{
    self->state = PROCESS_RUNNING;
    self->heard = false;
    self->last.finished = false;
    self->refused_before += self->last.refused;
    self->last.refused = 0;
}

bool watched_process_hear(struct watched_process *self, const struct heartbeat *heartbeat)
{
    const bool progress = heartbeat->items > self->last.items;
    const uint64_t most = progress ? heartbeat->items : self->last.items;
    self->last = *heartbeat;
    self->last.items = most; /* a restarted process counts from zero again */
    self->heard = true;
    return progress;
}

static void read_meter(struct meter *self, uint64_t value, uint64_t now_ms)
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

void watched_run_measure(struct watched_run *self, uint64_t now_ms)
{
    for (size_t i = 0; i < self->n; i++) {
        struct watched_process *process = &self->process[i];
        if (!process->heard)
            continue;
        read_meter(&process->events, process->last.events, now_ms);
        read_meter(&process->read, process->last.read, now_ms);
    }
}
