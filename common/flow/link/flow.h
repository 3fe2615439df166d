/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flow: what all links of a process share: the ZeroMQ context, the identity of the process, the
 * packer of what it sends and the unpacker of what it receives. */
#ifndef COMMON_FLOW_LINK_FLOW_H
#define COMMON_FLOW_LINK_FLOW_H

#include <stdint.h>

#include "common/base/log_limit.h"
#include "common/base/status.h"
#include "common/flow/link/buffer_pool.h"
#include "common/wire/frame.h"

struct flow {
    void *zmq;          /* context */
    const char *run_id; /* 32 hex digits */
    const char *name;   /* of the stage */
    uint32_t replica;
    uint64_t incarnation; /* random, never 0 */
    wire_packer *packer;
    wire_unpacker *unpacker;
    buffer_pool *outgoing; /* payloads of records */
    uint64_t refused;      /* messages */
    struct log_limit refusals;
};
/* coding: of the records this process sends. */
MUST_CHECK status flow_init(struct flow *self, const char *run_id, const char *name,
                            uint32_t replica, enum payload_coding coding);
void flow_fini(struct flow *self);

enum {
    FLOW_HEARTBEAT_MS = 1000, /* interval at which an unchanged grant or pull is repeated */
    FLOW_LEASE_MS = 15000     /* how long a silent peer is believed to be alive */
};

/* A record as frames. The header is borrowed until the flow packs again; the payload's memory is
 * the caller's, to be given to link_send_frames or, with flow->outgoing, to buffer_pool_give. */
MUST_CHECK status flow_pack(struct flow *flow, struct wire_header *header, const void *record,
                            struct wire_frame frames[2]);

#endif
