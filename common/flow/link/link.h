/* SPDX-License-Identifier: GPL-3.0-or-later */
/* link: one ZeroMQ socket with this house's options, and the messages it carries.
 * Every receipt is checked (frames, caps, run id, header) before it is used; a refused message is
 * counted and logged. This works around traps of libzmq 4.3.4: LINGER is bounded, MAXMSGSIZE is set
 * before bind and connect, ROUTER_MANDATORY reports peers that are gone, and nothing is queued
 * without a credit, so high-water marks are off. */
#ifndef COMMON_FLOW_LINK_LINK_H
#define COMMON_FLOW_LINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "common/base/status.h"
#include "common/flow/link/flow.h"
#include "common/wire/frame.h"

/* A peer of a ROUTER socket as ZeroMQ names its connection. */
struct route {
    size_t size;
    uint8_t id[255];
};
bool route_equal(const struct route *a, const struct route *b);

typedef struct flow_link flow_link;

/* Binds a ROUTER (producers, the log's control) or connects a DEALER (consumers, readers). Borrows
 * flow and endpoint. STATUS_IO, logged with the endpoint. */
MUST_CHECK status link_bind(flow_link **out, struct flow *flow, const char *endpoint);
MUST_CHECK status link_connect(flow_link **out, struct flow *flow, const char *endpoint);
void link_close(flow_link **self);
/* The socket for zmq_poll. */
void *link_socket(const flow_link *self);
/* Closes and opens a connecting link again, losing what was queued. */
MUST_CHECK status link_remake(flow_link *self);

/* When this end last sent (0: not yet) and last received. */
struct talk {
    uint64_t said_ms;
    uint64_t heard_ms;
};
/* True when the last message is due to be repeated, or nothing was sent yet. */
bool talk_is_due(const struct talk *self, uint64_t now_ms);
/* Opens the link anew, as if nothing had been sent, when the peer has owed an answer for
 * FLOW_LEASE_MS: libzmq does not connect again after a protocol error. */
MUST_CHECK status link_check_lease(flow_link *self, struct talk *talk, uint64_t now_ms);

/* One message that has arrived, to be given to arrival_close. A control: control_type is set and
 * `control` filled. A record: control_type is 0, `header` filled, and link_unpack reads the rest.
 */
struct arrival {
    struct route route;
    unsigned control_type;
    union control control;
    struct wire_header header;
    zmq_msg_t frame; /* payload of a record, or the control: what the fields above point into */
    bool has_frame;
};
/* The next good message, without waiting: STATUS_OK, or STATUS_END if there is none now. It is also
 * STATUS_END once after every 1,000 messages, so that a loop until then ends whatever a peer sends.
 */
MUST_CHECK status link_receive(flow_link *self, struct arrival *out);
/* Reads the record of an arrival: borrowed until the flow's next receipt. STATUS_BAD_INPUT is
 * counted and logged here. */
MUST_CHECK status link_unpack(flow_link *self, const struct arrival *arrival, union record *out);
void arrival_close(struct arrival *self);
/* *to gets what *from holds, a record that is not read yet; *from holds nothing then. */
void arrival_move(struct arrival *to, struct arrival *from);

/* Sends to the peer `to` (NULL on a connecting link). STATUS_END: that peer is gone. */
MUST_CHECK status link_send_control(flow_link *self, const struct route *to, enum control_type type,
                                    const void *control);
MUST_CHECK status link_send_record(flow_link *self, const struct route *to,
                                   struct wire_header *header, const void *record);

/* Sends such frames; the memory of frames[1] comes from flow->outgoing and goes back there, in any
 * case. */
MUST_CHECK status link_send_frames(flow_link *self, const struct route *to,
                                   const struct wire_frame frames[2]);

#endif
