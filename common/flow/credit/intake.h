/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake: the consumer's end of an intake edge to one producer process. Grants room by an absolute
 * count since its first contact with this epoch of the producer, and reports how much has arrived,
 * so that a lost or doubled grant, and a lost batch, are harmless. */
#ifndef COMMON_FLOW_CREDIT_INTAKE_H
#define COMMON_FLOW_CREDIT_INTAKE_H

#include "common/flow/link/link.h"

typedef struct intake intake;

/* Connects; `room` batches may be on their way at any time. */
MUST_CHECK status intake_create(intake **out, struct flow *flow, const char *endpoint,
                                uint64_t room);
void intake_destroy(intake **self);
void *intake_socket(const intake *self);

/* Repeats the grant when it is due, or when batches were consumed since; open false keeps
 * the grant as it is (no new room). Makes the connection anew when the producer has been silent
 * for FLOW_LEASE_MS. */
MUST_CHECK status intake_tend(intake *self, bool open);
/* Repeats the grant now, to show that the busy consumer is alive. */
MUST_CHECK status intake_say(intake *self);
/* Drops the connection, with the batches in flight, and makes a new one. */
MUST_CHECK status intake_reconnect(intake *self);
/* The next batch, without waiting: STATUS_OK with its header in *arrival (to be closed) and its
 * record, borrowed until the flow's next receipt; STATUS_END if there is none now; STATUS_BAD_INPUT
 * for one whose header can be read but not its record, *arrival being closed then. */
MUST_CHECK status intake_receive(intake *self, struct arrival *arrival, union record *out);
/* Sends the producer the refusal of one of its batches, with the reason. */
MUST_CHECK status intake_refuse(intake *self, const struct wire_header *header, const char *reason);

#endif
