/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/link/link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/log_limit.h"
#include "common/records/message_type.h"

struct flow_link {
    struct flow *flow;
    void *socket;
    int type;
    unsigned in_a_row; /* messages received without a pause */
    char endpoint[256];
};

/* A peer that sends faster than we read must not keep us from everything else. */
enum { IN_A_ROW_MAX = 1000 };

bool route_equal(const struct route *a, const struct route *b)
{
    return a->size == b->size && memcmp(a->id, b->id, a->size) == 0;
}

static bool set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

/* A socket with the options of every link, or NULL. */
static void *new_socket(const struct flow *flow, int type)
{
    void *socket = zmq_socket(flow->zmq, type);
    if (socket == NULL)
        return NULL;
    const int64_t most = (int64_t)MESSAGE_BYTES_MAX;
    const bool ready = set_int(socket, ZMQ_LINGER, 0) && set_int(socket, ZMQ_SNDHWM, 0) &&
                       set_int(socket, ZMQ_RCVHWM, 0) && set_int(socket, ZMQ_RECONNECT_IVL, 10) &&
                       set_int(socket, ZMQ_RECONNECT_IVL_MAX, 1000) &&
                       zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most) == 0 &&
                       (type != ZMQ_ROUTER || set_int(socket, ZMQ_ROUTER_MANDATORY, 1));
    if (ready)
        return socket;
    zmq_close(socket);
    return NULL;
}

/* A retry is of no use: another process is bound there, or the folder of the sockets is full or
 * gone. */
static bool is_final(int error)
{
    return error == EADDRINUSE || error == ENOSPC || error == EDQUOT || error == EROFS;
}

static status open_socket(flow_link *self)
{
    self->socket = new_socket(self->flow, self->type);
    const int failed = self->socket == NULL       ? -1
                       : self->type == ZMQ_ROUTER ? zmq_bind(self->socket, self->endpoint)
                                                  : zmq_connect(self->socket, self->endpoint);
    if (failed == 0)
        return STATUS_OK;
    const int error = errno;
    log_error("%s %s: %s", self->type == ZMQ_ROUTER ? "cannot bind" : "cannot connect to",
              self->endpoint,
              error == EADDRINUSE ? "somebody else listens there" : zmq_strerror(error));
    return self->type == ZMQ_ROUTER && is_final(error) ? STATUS_BAD_INPUT : STATUS_IO;
}

static status link_open(flow_link **out, struct flow *flow, const char *endpoint, int type)
{
    assert(out != NULL && flow != NULL && endpoint != NULL);
    *out = NULL;
    flow_link *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->flow = flow;
    self->type = type;
    assert(strlen(endpoint) < sizeof self->endpoint);
    strcpy(self->endpoint, endpoint);
    const status opened = open_socket(self);
    if (opened != STATUS_OK)
        link_close(&self);
    *out = self;
    return opened;
}

status link_bind(flow_link **out, struct flow *flow, const char *endpoint)
{
    return link_open(out, flow, endpoint, ZMQ_ROUTER);
}

status link_connect(flow_link **out, struct flow *flow, const char *endpoint)
{
    return link_open(out, flow, endpoint, ZMQ_DEALER);
}

void link_close(flow_link **self)
{
    if (*self == NULL)
        return;
    if ((*self)->socket != NULL)
        zmq_close((*self)->socket);
    free(*self);
    *self = NULL;
}

status link_remake(flow_link *self)
{
    zmq_close(self->socket);
    return open_socket(self);
}

bool talk_is_due(const struct talk *self, uint64_t now_ms)
{
    return self->said_ms == 0 || now_ms - self->said_ms >= FLOW_HEARTBEAT_MS;
}

status link_check_lease(flow_link *self, struct talk *talk, uint64_t now_ms)
{
    if (talk->said_ms == 0) /* nothing was sent, so no answer is due */
        talk->heard_ms = now_ms;
    if (now_ms - talk->heard_ms <= FLOW_LEASE_MS)
        return STATUS_OK;
    log_warning("no word from %s for %d s: connecting again", self->endpoint, FLOW_LEASE_MS / 1000);
    *talk = (struct talk){.heard_ms = now_ms};
    return link_remake(self);
}

void *link_socket(const flow_link *self)
{
    return self->socket;
}

static status refuse(const flow_link *self, const char *why)
{
    self->flow->refused++;
    if (log_limit_pass(&self->flow->refusals, "refused messages"))
        log_warning("refused a message on %s: %s", self->endpoint, why);
    return STATUS_BAD_INPUT;
}

/* Reads the frames of one message, at most `most`; further ones are read and thrown away. Returns
 * their number, 0 if there is no message, most + 1 if there were too many. */
static size_t receive_frames(void *socket, size_t most, zmq_msg_t frames[])
{
    size_t n = 0;
    for (;;) {
        zmq_msg_t spare;
        zmq_msg_t *frame = n < most ? &frames[n] : &spare;
        zmq_msg_init(frame);
        int got;
        do
            got = zmq_msg_recv(frame, socket, ZMQ_DONTWAIT);
        while (got < 0 && errno == EINTR);
        if (got < 0) {
            zmq_msg_close(frame);
            return n > most ? most + 1 : n;
        }
        const bool more = zmq_msg_more(frame);
        if (n >= most)
            zmq_msg_close(frame);
        n++;
        if (!more)
            return n > most ? most + 1 : n;
    }
}

static struct wire_frame frame_of(zmq_msg_t *message)
{
    return (struct wire_frame){zmq_msg_data(message), zmq_msg_size(message)};
}

/* What was read from a frame may point into it: it lives as long as the arrival. */
static void keep_frame(struct arrival *self, zmq_msg_t *frame)
{
    zmq_msg_init(&self->frame);
    zmq_msg_move(&self->frame, frame);
    self->has_frame = true;
}

static status read_control(flow_link *self, zmq_msg_t *frame, struct arrival *out)
{
    char run_id[RUN_ID_SIZE];
    enum control_type type;
    wire_unpacker *unpacker = self->flow->unpacker;
    keep_frame(out, frame);
    const struct wire_frame bytes = frame_of(&out->frame);
    if (wire_unpack_control(unpacker, bytes, &type, run_id, &out->control) != STATUS_OK)
        return refuse(self, wire_reason(unpacker));
    if (strcmp(run_id, self->flow->run_id) != 0)
        return refuse(self, "of another run");
    out->control_type = type;
    return STATUS_OK;
}

static status read_record(flow_link *self, zmq_msg_t frames[2], struct arrival *out)
{
    wire_unpacker *unpacker = self->flow->unpacker;
    if (wire_unpack_header(unpacker, frame_of(&frames[0]), &out->header) != STATUS_OK)
        return refuse(self, wire_reason(unpacker));
    if (strcmp(out->header.run_id, self->flow->run_id) != 0)
        return refuse(self, "of another run");
    keep_frame(out, &frames[1]);
    return STATUS_OK;
}

/* One message: STATUS_END if there is none, STATUS_BAD_INPUT if it was refused. */
static status receive_one(flow_link *self, struct arrival *out)
{
    const size_t envelope = self->type == ZMQ_ROUTER ? 1 : 0;
    const size_t most = envelope + 2;
    zmq_msg_t frames[3];
    *out = (struct arrival){0};
    const size_t n = receive_frames(self->socket, most, frames);
    if (n == 0)
        return STATUS_END;
    status done;
    bool strange = false;
    if (envelope == 1) {
        const size_t size = zmq_msg_size(&frames[0]);
        strange = size > sizeof out->route.id; /* a peer chooses its own, up to 255 bytes */
        out->route.size = strange ? 0 : size;
        memcpy(out->route.id, zmq_msg_data(&frames[0]), out->route.size);
    }
    if (strange)
        done = refuse(self, "from a peer whose routing id is longer than ours are");
    else if (n == envelope + 1)
        done = read_control(self, &frames[envelope], out);
    else if (n == envelope + 2)
        done = read_record(self, &frames[envelope], out);
    else
        done = refuse(self, "neither one frame nor two");
    for (size_t i = 0; i < n && i < most; i++)
        zmq_msg_close(&frames[i]);
    if (done != STATUS_OK)
        arrival_close(out);
    return done;
}

status link_receive(flow_link *self, struct arrival *out)
{
    status done = STATUS_BAD_INPUT;
    while (done == STATUS_BAD_INPUT && self->in_a_row++ < IN_A_ROW_MAX)
        done = receive_one(self, out);
    if (done == STATUS_OK)
        return STATUS_OK;
    self->in_a_row = 0;
    return done == STATUS_BAD_INPUT ? STATUS_END : done;
}

status link_unpack(flow_link *self, const struct arrival *arrival, union record *out)
{
    assert(arrival->has_frame && arrival->control_type == 0);
    wire_unpacker *unpacker = self->flow->unpacker;
    const struct wire_frame payload = {zmq_msg_data((zmq_msg_t *)&arrival->frame),
                                       zmq_msg_size((zmq_msg_t *)&arrival->frame)};
    const status done = wire_unpack(unpacker, &arrival->header, payload, out);
    return done == STATUS_BAD_INPUT ? refuse(self, wire_reason(unpacker)) : done;
}

void arrival_close(struct arrival *self)
{
    if (self->has_frame)
        zmq_msg_close(&self->frame);
    self->has_frame = false;
}

void arrival_move(struct arrival *to, struct arrival *from)
{
    assert(from->has_frame && from->control_type == 0);
    to->route = from->route;
    to->control_type = 0;
    to->header = from->header;
    zmq_msg_init(&to->frame);
    zmq_msg_move(&to->frame, &from->frame);
    to->has_frame = true;
    arrival_close(from);
}

/* How a send ended: the peer may have left, a full pipe cannot be (no high-water marks). */
static status sent(const flow_link *self, int result)
{
    if (result >= 0)
        return STATUS_OK;
    if (errno == EHOSTUNREACH || errno == EAGAIN)
        return STATUS_END;
    log_error("cannot send on %s: %s", self->endpoint, zmq_strerror(errno));
    return STATUS_IO;
}

static int send_bytes(void *socket, const void *data, size_t size, int flags)
{
    int result;
    do
        result = zmq_send(socket, data, size, flags | ZMQ_DONTWAIT);
    while (result < 0 && errno == EINTR);
    return result;
}

/* The route frame of a ROUTER's message; nothing on a connecting link. */
static status send_route(flow_link *self, const struct route *to)
{
    assert((to != NULL) == (self->type == ZMQ_ROUTER));
    if (to == NULL)
        return STATUS_OK;
    return sent(self, send_bytes(self->socket, to->id, to->size, ZMQ_SNDMORE));
}

status link_send_control(flow_link *self, const struct route *to, enum control_type type,
                         const void *control)
{
    struct wire_frame frame;
    const struct flow *flow = self->flow;
    status done = wire_pack_control(flow->packer, type, flow->run_id, control, &frame);
    if (done == STATUS_OK)
        done = send_route(self, to);
    if (done == STATUS_OK)
        done = sent(self, send_bytes(self->socket, frame.data, frame.size, 0));
    return done;
}

/* Closes the message if it cannot be sent. */
static status send_message(flow_link *self, zmq_msg_t *message)
{
    int result;
    do
        result = zmq_msg_send(message, self->socket, ZMQ_DONTWAIT);
    while (result < 0 && errno == EINTR);
    const status done = sent(self, result);
    if (done != STATUS_OK)
        zmq_msg_close(message);
    return done;
}

status link_send_frames(flow_link *self, const struct route *to, const struct wire_frame frames[2])
{
    buffer_pool *home = self->flow->outgoing;
    void *bytes = (void *)(uintptr_t)frames[1].data;
    zmq_msg_t payload; /* lends ZeroMQ the memory: nothing is copied */
    if (zmq_msg_init_data(&payload, bytes, frames[1].size, buffer_pool_give, home) != 0) {
        buffer_pool_give(bytes, home);
        return STATUS_NO_MEMORY;
    }
    status done = send_route(self, to);
    if (done == STATUS_OK)
        done = sent(self, send_bytes(self->socket, frames[0].data, frames[0].size, ZMQ_SNDMORE));
    if (done == STATUS_OK)
        return send_message(self, &payload);
    zmq_msg_close(&payload);
    return done;
}

status link_send_record(flow_link *self, const struct route *to, struct wire_header *header,
                        const void *record)
{
    struct wire_frame frames[2];
    const status packed = flow_pack(self->flow, header, record, frames);
    return packed == STATUS_OK ? link_send_frames(self, to, frames) : packed;
}
