/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ledger: what a reader knows of each batch it has handed out. It keeps ids, never data: the rows
 * can be read again. A batch is unsent, sent (to a worker), received (in the log's memory) or
 * durable (on its disk); below the watermark everything is durable and forgotten. */
#ifndef COMMON_FLOW_ACKS_LEDGER_H
#define COMMON_FLOW_ACKS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

typedef struct ledger ledger;

/* For at most `window` batches above the watermark, window > 0. */
MUST_CHECK status ledger_create(ledger **out, uint64_t window);
void ledger_destroy(ledger **self);

/* How many batches the source has; before it is called, any number may come. */
void ledger_set_count(ledger *self, uint64_t batches);
/* The lowest batch to be sent now: unsent, below watermark + window and below the count. False
 * if there is none, or if the log has not spoken yet. */
bool ledger_next(const ledger *self, uint64_t *seq);
/* Batch seq went to worker (any number that names it); returns which attempt this was, from 1. */
uint32_t ledger_sent(ledger *self, uint64_t seq, uint64_t worker, uint64_t now_ms);
void ledger_received(ledger *self, uint64_t seq);
/* The log or a worker refused the batch: it is unsent again. Returns its number of refusals, 0
 * for a batch that has arrived or is none of the open ones. */
uint32_t ledger_refused(ledger *self, uint64_t seq);
/* The batch is given up: it is not sent any more. */
void ledger_quarantine(ledger *self, uint64_t seq);
/* The first batch from *seq on that was given up and has not arrived; false if there is none. */
bool ledger_quarantined(const ledger *self, uint64_t *seq);
/* The state of the log: everything below watermark is on disk, bit i of bitmap[bytes] is set if
 * batch watermark + i has arrived. The epoch decides first: the state of an earlier one changes
 * nothing, and within one the watermark only grows. A new epoch means that the log lost its memory,
 * and maybe what was on its disk: the watermark may fall, and what is neither durable nor here is
 * unsent again. */
void ledger_durable(ledger *self, uint64_t epoch, uint64_t watermark, size_t bytes,
                    const uint8_t bitmap[]);
/* That worker is gone: what was sent to it and has not been received is unsent again. */
void ledger_worker_lost(ledger *self, uint64_t worker);
/* The lowest batch that this worker was given and that has not arrived; false if there is none. */
bool ledger_first_of(const ledger *self, uint64_t worker, uint64_t *seq);
/* So is what was sent more than after_ms ago, doubled with each attempt: what takes so long once
 * may take as long again. Returns how many. */
size_t ledger_expire(ledger *self, uint64_t now_ms, uint64_t after_ms);
/* Batches below are durable. */
uint64_t ledger_watermark(const ledger *self);
/* True when the count is known and all are durable. */
bool ledger_done(const ledger *self);

#endif
