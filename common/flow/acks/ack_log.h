/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ack_log: the log's end of the control edge between readers and log (ack_reader.h). It
 * acknowledges batches that have arrived and batches that are on the log's disk. */
#ifndef COMMON_FLOW_ACKS_ACK_LOG_H
#define COMMON_FLOW_ACKS_ACK_LOG_H

#include "common/flow/link/flow.h"

/* What a log knows of one source. */
struct ack_source {
    uint64_t batches; /* UINT64_MAX: end not known */
    uint64_t rows;
};

typedef struct ack_log ack_log;
MUST_CHECK status ack_log_create(ack_log **out, struct flow *flow, const char *endpoint,
                                 uint32_t n_sources);
void ack_log_destroy(ack_log **self);
void *ack_log_socket(const ack_log *self);

/* Returns the state of a source: watermark and the bitmap of the batches that have arrived above
 * it, borrowed until the next call. */
typedef void ack_state(void *context, uint32_t source, struct control_durable *out);
/* Reads the messages of readers and answers each with the state of its source. */
MUST_CHECK status ack_log_tend(ack_log *self, ack_state *state, void *context);
/* Where a source ends, as its reader has sent it. */
struct ack_source ack_log_source(const ack_log *self, uint32_t source);
MUST_CHECK status ack_log_received(ack_log *self, uint32_t source, uint64_t seq);
/* Sends the reader of a source the refusal of one of its batches, with the reason. */
MUST_CHECK status ack_log_refused(ack_log *self, uint32_t source, uint64_t seq, const char *reason);
/* A message of a reader about a batch: handed out, or quarantined. */
struct ack_batch {
    uint32_t source;
    uint64_t seq;
    uint64_t first_row;
    uint32_t rows;
    bool given_up;
};
typedef status ack_on_batch(void *context, const struct ack_batch *batch);
/* Sets the receiver of these messages, called from ack_log_tend. */
void ack_log_on_batch(ack_log *self, ack_on_batch *on_batch, void *context);
/* Sends all readers the state of their sources. */
MUST_CHECK status ack_log_durable(ack_log *self, ack_state *state, void *context);

#endif
