/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/link/flow.h"

#include <malloc.h>
#include <sodium.h>
#include <string.h>
#include <zmq.h>

#include "common/records/message_type.h"

/* libzmq allocates a block for every frame that arrives. Batches are so large that glibc would give
 * each back to the system and have the next one cleared, page by page: keep them. */
static void keep_large_blocks(void)
{
    mallopt(M_MMAP_THRESHOLD, 32 << 20); /* the largest value there is */
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

status flow_init(struct flow *self, const char *run_id, const char *name, uint32_t replica,
                 enum payload_coding coding)
{
    *self = (struct flow){.run_id = run_id, .name = name, .replica = replica};
    if (sodium_init() < 0)
        return STATUS_IO;
    keep_large_blocks();
    while (self->incarnation == 0)
        randombytes_buf(&self->incarnation, sizeof self->incarnation);
    self->zmq = zmq_ctx_new();
    if (self->zmq == NULL || wire_packer_create(&self->packer, coding) != STATUS_OK ||
        wire_unpacker_create(&self->unpacker) != STATUS_OK ||
        buffer_pool_create(&self->outgoing) != STATUS_OK) {
        flow_fini(self);
        return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

void flow_fini(struct flow *self)
{
    wire_packer_destroy(&self->packer);
    wire_unpacker_destroy(&self->unpacker);
    if (self->zmq != NULL)
        zmq_ctx_term(self->zmq); /* gives back what was still on its way */
    self->zmq = NULL;
    buffer_pool_destroy(&self->outgoing);
}

status flow_pack(struct flow *flow, struct wire_header *header, const void *record,
                 struct wire_frame frames[2])
{
    strcpy(header->run_id, flow->run_id);
    header->epoch = flow->incarnation;
    const size_t room = wire_bound(flow->packer, header->type, record);
    uint8_t *payload = buffer_pool_take(flow->outgoing, room);
    if (payload == NULL)
        return STATUS_NO_MEMORY;
    const status done = wire_pack(flow->packer, header, record, room, payload, frames);
    if (done != STATUS_OK)
        buffer_pool_give(payload, flow->outgoing);
    return done;
}
