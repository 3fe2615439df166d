/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/acks/ledger.h"

#include <assert.h>
#include <stdlib.h>

enum state { UNSENT = 0, SENT, RECEIVED, QUARANTINED };

struct entry {
    enum state state;
    uint32_t attempts;
    uint32_t refusals;
    uint64_t worker;
    uint64_t sent_ms;
};

struct ledger {
    uint64_t window;
    uint64_t count; /* UINT64_MAX: not known */
    uint64_t watermark;
    uint64_t epoch;     /* of the log; 0: it has not spoken */
    struct entry *ring; /* batch s at s mod window */
};

status ledger_create(ledger **out, uint64_t window)
{
    assert(out != NULL && window > 0);
    *out = NULL;
    ledger *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->window = window;
    self->count = UINT64_MAX;
    self->ring = calloc(window, sizeof *self->ring);
    if (self->ring == NULL) {
        ledger_destroy(&self);
        return STATUS_NO_MEMORY;
    }
    *out = self;
    return STATUS_OK;
}

void ledger_destroy(ledger **self)
{
    if (*self == NULL)
        return;
    free((*self)->ring);
    free(*self);
    *self = NULL;
}

static struct entry *entry_of(const ledger *self, uint64_t seq)
{
    return &self->ring[seq % self->window];
}

/* True for a batch that has an entry. */
static bool is_open(const ledger *self, uint64_t seq)
{
    return seq >= self->watermark && seq - self->watermark < self->window;
}

void ledger_set_count(ledger *self, uint64_t batches)
{
    self->count = batches;
}

static uint64_t open_end(const ledger *self)
{
    const uint64_t end = self->watermark + self->window;
    return end < self->count ? end : self->count;
}

bool ledger_next(const ledger *self, uint64_t *seq)
{
    if (self->epoch == 0)
        return false;
    for (uint64_t s = self->watermark; s < open_end(self); s++) {
        if (entry_of(self, s)->state != UNSENT)
            continue;
        *seq = s;
        return true;
    }
    return false;
}

uint32_t ledger_sent(ledger *self, uint64_t seq, uint64_t worker, uint64_t now_ms)
{
    assert(is_open(self, seq));
    struct entry *entry = entry_of(self, seq);
    entry->state = SENT;
    entry->worker = worker;
    entry->sent_ms = now_ms;
    return ++entry->attempts;
}

uint32_t ledger_refused(ledger *self, uint64_t seq)
{
    if (!is_open(self, seq))
        return 0;
    struct entry *entry = entry_of(self, seq);
    if (entry->state == RECEIVED || entry->state == QUARANTINED)
        return 0;
    entry->state = UNSENT;
    return ++entry->refusals;
}

void ledger_quarantine(ledger *self, uint64_t seq)
{
    assert(is_open(self, seq));
    entry_of(self, seq)->state = QUARANTINED;
}

bool ledger_quarantined(const ledger *self, uint64_t *seq)
{
    if (*seq < self->watermark)
        *seq = self->watermark;
    for (; is_open(self, *seq); (*seq)++)
        if (entry_of(self, *seq)->state == QUARANTINED)
            return true;
    return false;
}

void ledger_received(ledger *self, uint64_t seq)
{
    if (is_open(self, seq))
        entry_of(self, seq)->state = RECEIVED;
}

static bool bit(size_t bytes, const uint8_t bitmap[], uint64_t i)
{
    return i / 8 < bytes && (bitmap[i / 8] >> (i % 8) & 1) != 0;
}

/* After a log that lost segments, only its new state holds. */
static void forget_all(ledger *self)
{
    for (uint64_t i = 0; i < self->window; i++)
        self->ring[i] = (struct entry){0};
}

static void forget_below(ledger *self, uint64_t watermark)
{
    for (uint64_t s = self->watermark; s < watermark && s - self->watermark < self->window; s++)
        *entry_of(self, s) = (struct entry){0};
}

void ledger_durable(ledger *self, uint64_t epoch, uint64_t watermark, size_t bytes,
                    const uint8_t bitmap[])
{
    const bool reborn = epoch > self->epoch;
    if (epoch < self->epoch || (!reborn && watermark < self->watermark))
        return; /* an older state that arrived late */
    self->epoch = epoch;
    if (watermark < self->watermark)
        forget_all(self);
    else
        forget_below(self, watermark);
    self->watermark = watermark;
    for (uint64_t i = 0; i < self->window; i++) {
        struct entry *entry = entry_of(self, watermark + i);
        if (bit(bytes, bitmap, i))
            entry->state = RECEIVED;
        else if (reborn && entry->state != QUARANTINED)
            entry->state = UNSENT;
    }
}

void ledger_worker_lost(ledger *self, uint64_t worker)
{
    for (uint64_t i = 0; i < self->window; i++)
        if (self->ring[i].state == SENT && self->ring[i].worker == worker)
            self->ring[i].state = UNSENT;
}

bool ledger_first_of(const ledger *self, uint64_t worker, uint64_t *seq)
{
    for (*seq = self->watermark; is_open(self, *seq); (*seq)++) {
        const struct entry *entry = entry_of(self, *seq);
        if (entry->state == SENT && entry->worker == worker)
            return true;
    }
    return false;
}

size_t ledger_expire(ledger *self, uint64_t now_ms, uint64_t after_ms)
{
    enum { DOUBLED_MAX = 6 };
    size_t n = 0;
    for (uint64_t i = 0; i < self->window; i++) {
        struct entry *entry = &self->ring[i];
        if (entry->state != SENT)
            continue;
        const uint32_t doubled =
            entry->attempts - 1 < DOUBLED_MAX ? entry->attempts - 1 : DOUBLED_MAX;
        if (now_ms - entry->sent_ms <= after_ms << doubled)
            continue;
        entry->state = UNSENT;
        n++;
    }
    return n;
}

uint64_t ledger_watermark(const ledger *self)
{
    return self->watermark;
}

bool ledger_done(const ledger *self)
{
    return self->epoch != 0 && self->watermark >= self->count;
}
