/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feeder: the producer's end of a feed. Consumers pull the items they want by index; a feeder
 * right of the log keeps all its items, the log's reads them from its segments. */
#ifndef COMMON_FLOW_FEED_FEEDER_H
#define COMMON_FLOW_FEED_FEEDER_H

#include "common/flow/link/flow.h"
#include "common/records/message_type.h"

/* Item `index` of a store and the source it is from, with only the events in
 * mass[0] <= m_jj < mass[1]. Borrowed until the next call. STATUS_END: the
 * store does not have it now, though it may have had it before: the consumer waits. */
typedef status feeder_item(void *store, uint64_t index, const double mass[2], union record *out,
                           uint32_t *source);

typedef struct feeder feeder;

/* Serves the records of one type that are given to feeder_append, kept in `folder` (item_spool.h).
 */
MUST_CHECK status feeder_create(feeder **out, struct flow *flow, const char *endpoint,
                                enum message_type type, const char *folder);
/* Answers every request with item(store, ...). */
MUST_CHECK status feeder_create_store(feeder **out, struct flow *flow, const char *endpoint,
                                      enum message_type type, feeder_item *item, void *store);
void feeder_destroy(feeder **self);
void *feeder_socket(const feeder *self);

/* Adds the next item (copied). */
MUST_CHECK status feeder_append(feeder *self, const void *record);
/* Items a store can serve now; fewer than before if it has lost some, which come again. */
void feeder_set_available(feeder *self, uint64_t n);
/* Whether there will be no more than those available now. */
void feeder_set_end(feeder *self, bool ended);

/* Reads the messages of consumers and sends each at most one item. *more: a consumer could be sent
 * another: call again before waiting. */
MUST_CHECK status feeder_tend(feeder *self, bool *more);

#endif
