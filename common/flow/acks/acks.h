/* SPDX-License-Identifier: GPL-3.0-or-later */
/* acks: the control edge between the readers and the log. Readers say who they are and, when they
 * know it, where their source ends; the log says what has arrived and what is on its disk. */
#ifndef COMMON_FLOW_ACKS_ACKS_H
#define COMMON_FLOW_ACKS_ACKS_H

#include "common/flow/acks/ledger.h"
#include "common/flow/link/link.h"

/* The reader's end. */
typedef struct ack_reader ack_reader;
MUST_CHECK status ack_reader_create(ack_reader **out, struct flow *flow, const char *endpoint,
                                    uint32_t source);
void ack_reader_destroy(ack_reader **self);
void *ack_reader_socket(const ack_reader *self);
/* Reads the log's words into the book; says who we are when it is time to. batches is UINT64_MAX
 * while the end is not known. */
MUST_CHECK status ack_reader_tend(ack_reader *self, ledger *book, uint64_t batches, uint64_t rows);

/* Tells the log which rows a batch has, before it is handed out. */
MUST_CHECK status ack_reader_handed(ack_reader *self, uint64_t seq, uint64_t first_row,
                                    uint32_t rows);
/* Tells the log that a batch is given up; to be said again until it is durable. */
MUST_CHECK status ack_reader_quarantine(ack_reader *self, uint64_t seq, uint64_t first_row,
                                        uint32_t rows);
/* A batch that the log refused; false if there is none. *reason holds until the next call. */
bool ack_reader_refused(ack_reader *self, uint64_t *seq, const char **reason);

/* What a log knows of one source. */
struct ack_source {
    uint64_t batches; /* UINT64_MAX: end not known */
    uint64_t rows;
};

/* The log's end. */
typedef struct ack_log ack_log;
MUST_CHECK status ack_log_create(ack_log **out, struct flow *flow, const char *endpoint,
                                 uint32_t n_sources);
void ack_log_destroy(ack_log **self);
void *ack_log_socket(const ack_log *self);

/* Asked for the state of a source: watermark and the bitmap of what has arrived above it, borrowed
 * until the next call. */
typedef void ack_state(void *context, uint32_t source, struct control_durable *out);
/* Reads what readers said and answers each with the state of its source. */
MUST_CHECK status ack_log_tend(ack_log *self, ack_state *state, void *context);
/* Where a source ends, as far as its reader has said. */
struct ack_source ack_log_source(const ack_log *self, uint32_t source);
MUST_CHECK status ack_log_received(ack_log *self, uint32_t source, uint64_t seq);
/* Tells the reader of a source that one of its batches could not be taken, and why. */
MUST_CHECK status ack_log_refused(ack_log *self, uint32_t source, uint64_t seq, const char *reason);
/* What a reader says of a batch: that it hands it out, or gives it up. */
struct ack_batch {
    uint32_t source;
    uint64_t seq;
    uint64_t first_row;
    uint32_t rows;
    bool given_up;
};
typedef status ack_told(void *context, const struct ack_batch *batch);
/* Has every such word told on, from ack_log_tend. */
void ack_log_tell_on(ack_log *self, ack_told *told, void *context);
/* Tells all readers the state of their sources. */
MUST_CHECK status ack_log_durable(ack_log *self, ack_state *state, void *context);

#endif
