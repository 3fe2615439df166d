/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ack_reader: the reader's end of the control edge between readers and log (ack_log.h). It sends
 * the number of the source and, once known, where the source ends. */
#ifndef COMMON_FLOW_ACKS_ACK_READER_H
#define COMMON_FLOW_ACKS_ACK_READER_H

#include "common/flow/acks/ledger.h"
#include "common/flow/link/flow.h"

typedef struct ack_reader ack_reader;
MUST_CHECK status ack_reader_create(ack_reader **out, struct flow *flow, const char *endpoint,
                                    uint32_t source);
void ack_reader_destroy(ack_reader **self);
void *ack_reader_socket(const ack_reader *self);
/* Reads the acknowledgements of the log into the ledger; sends `reader` when it is due. batches is
 * UINT64_MAX while the end is not known. */
MUST_CHECK status ack_reader_tend(ack_reader *self, ledger *book, uint64_t batches, uint64_t rows);

/* Sends the log the rows of a batch, before it is handed out. */
MUST_CHECK status ack_reader_handed(ack_reader *self, uint64_t seq, uint64_t first_row,
                                    uint32_t rows);
/* Sends the log that a batch is quarantined; to be repeated until it is durable. */
MUST_CHECK status ack_reader_quarantine(ack_reader *self, uint64_t seq, uint64_t first_row,
                                        uint32_t rows);
/* A batch that the log refused; false if there is none. *reason holds until the next call. */
bool ack_reader_refused(ack_reader *self, uint64_t *seq, const char **reason);

#endif
