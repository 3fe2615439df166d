/* SPDX-License-Identifier: GPL-3.0-or-later */
/* puller: the consumer's end of a feed from one producer process. Items arrive in the order of
 * their index, each once, from the index it starts at; lost items are pulled again. */
#ifndef COMMON_FLOW_FEED_PULLER_H
#define COMMON_FLOW_FEED_PULLER_H

#include "common/flow/link/link.h"

/* What of the producer's output is wanted. */
struct feed_filter {
    uint64_t modulus; /* items with index mod modulus = remainder; 1 for all */
    uint64_t remainder;
    double mass[2]; /* image batches: only these events; {-INFINITY, INFINITY} for all */
};

typedef struct puller puller;

/* Connects; pulls nothing before puller_tend. */
MUST_CHECK status puller_create(puller **out, struct flow *flow, const char *endpoint,
                                const struct feed_filter *filter);
void puller_destroy(puller **self);
void *puller_socket(const puller *self);

/* Pulls the items below `until` (0: none), again when it is due; makes the connection
 * anew when the producer has been silent for FLOW_LEASE_MS. */
MUST_CHECK status puller_tend(puller *self, uint64_t until);
/* The next item, without waiting: STATUS_OK with its header (seq is the index) in *arrival (to be
 * closed) and its record, borrowed until the flow's next receipt; STATUS_END if there is none
 * now. */
MUST_CHECK status puller_receive(puller *self, struct arrival *arrival, union record *out);
/* Receives arrived messages without unpacking: items are kept, at most as many as were pulled, for
 * puller_receive; controls are handled. */
MUST_CHECK status puller_gather(puller *self);
/* How many items are here, the next one first. */
size_t puller_n_here(const puller *self);
/* Index of the next item of the partition. */
uint64_t puller_next(const puller *self);
/* True once all items have been received; *total is the length of the producer's output, UINT64_MAX
 * while it is not known. */
bool puller_ended(const puller *self, uint64_t *total);

#endif
