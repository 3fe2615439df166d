/* SPDX-License-Identifier: GPL-3.0-or-later */
/* handout: the producer's end of an intake edge. Batches go only to consumers that have granted
 * room, to the one with the most of it. */
#ifndef COMMON_FLOW_CREDIT_HANDOUT_H
#define COMMON_FLOW_CREDIT_HANDOUT_H

#include "common/flow/link/flow.h"

typedef struct handout handout;

MUST_CHECK status handout_create(handout **out, struct flow *flow, const char *endpoint);
void handout_destroy(handout **self);
void *handout_socket(const handout *self);

/* Reads the messages of consumers. Each consumer process has a number of its own, never used again;
 * *lost gets the number of one that has gone (restarted, connected anew, or silent for
 * FLOW_LEASE_MS), 0 if none: call again while it is not 0. */
MUST_CHECK status handout_receive(handout *self, uint64_t *lost);
/* A batch that a consumer refused; false if there is none. *reason holds until the next call. */
bool handout_refused(handout *self, uint64_t *seq, const char **reason);
/* The name of the consumer that handout_receive has just returned as lost. */
const char *handout_lost_name(const handout *self);
/* The consumer that has most room for one more batch; 0 if none has any. */
uint64_t handout_consumer(const handout *self);
/* Sends a batch to it. STATUS_END: it has just gone (handout_receive will return it as lost); not
 * sent. */
MUST_CHECK status handout_send(handout *self, uint64_t consumer, struct wire_header *header,
                               const void *record);
/* For status displays: batches that may be on their way to all consumers together, and how many
 * are. */
void handout_credits(const handout *self, uint64_t *all, uint64_t *used);

#endif
