/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wire: an edge of common/flow between two processes, against bare ZeroMQ with the same frames.
 *   bench_wire EDGE TRANSPORT BATCHES REPEATS FILE
 * EDGE: intake (FILE: events, sent as event batches) or feed (FILE: a segment of a log, sent as
 * image batches); TRANSPORT: ipc or tcp. Both sides send the same BATCHES full batches, in turn,
 * REPEATS times, and the clock stops when the receiver has the last one: unpacked and checked on
 * our side, received and nothing more on the other. Sockets of ipc lie in the working directory.
 * Prints one line of JSON. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/flow/credit/handout.h"
#include "common/flow/credit/intake.h"
#include "common/flow/feed/feeder.h"
#include "common/flow/feed/puller.h"
#include "common/records/image_columns.h"
#include "common/store/disk/hdf5_util.h"
#include "common/store/events/event_file.h"
#include "common/store/log/segment.h"

/* Different batches, sent again and again: more than the caches hold. */
enum { BATCH = 512, DIFFERENT = 16, CREDITS = 8, REPEATS_MAX = 1000 };

static const char run_id[] = "00000000000000000000000000000000";
static const struct feed_filter everything = {.modulus = 1, .mass = {-INFINITY, INFINITY}};

/* One batch as both sides send it. */
struct parcel {
    union record record;
    struct wire_frame frame[2];
};

struct bench {
    enum message_type type;
    char endpoint[128];
    uint64_t batches;
    size_t parcels;
    struct parcel parcel[DIFFERENT];
    double bytes; /* raw, of all batches sent */
    int done[2];  /* pipe: the receiver says that it has all, or closes it */
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    log_error("%s", what);
    exit(EXIT_RUN_FAILED);
}

static void check(status done)
{
    must(done == STATUS_OK, "the benchmark could not go on");
}

static void *copy_of(const void *data, size_t size)
{
    void *copy = malloc(size > 0 ? size : 1);
    must(copy != NULL, "out of memory");
    return size > 0 ? memcpy(copy, data, size) : copy;
}

static void load_events(struct bench *self, const char *path)
{
    event_file *file = NULL;
    check(event_file_open(&file, path, NULL));
    const uint64_t full = event_file_events(file) / BATCH;
    for (uint64_t b = 0; b < full && self->parcels < DIFFERENT; b++) {
        struct event_batch *batch = &self->parcel[self->parcels++].record.events;
        check(event_file_read(file, b * BATCH, BATCH, batch));
        batch->offset = copy_of(batch->offset, (BATCH + 1) * sizeof *batch->offset);
        batch->pt = copy_of(batch->pt, batch->particles * sizeof *batch->pt);
        batch->eta = copy_of(batch->eta, batch->particles * sizeof *batch->eta);
        batch->phi = copy_of(batch->phi, batch->particles * sizeof *batch->phi);
        if (batch->label != NULL)
            batch->label = copy_of(batch->label, BATCH * sizeof *batch->label);
    }
    event_file_close(&file);
}

/* The batches lie in the segment, which stays open; the last one of a file may be short. */
static void load_images(struct bench *self, const char *path)
{
    segment *from = NULL;
    check(segment_open(&from, path));
    for (size_t b = 0; b < segment_batches(from) && self->parcels < DIFFERENT; b++) {
        struct segment_batch batch;
        segment_get(from, b, &batch);
        if (batch.images.read == BATCH)
            self->parcel[self->parcels++].record.images = batch.images;
    }
}

static struct parcel *parcel_at(struct bench *self, uint64_t index)
{
    return &self->parcel[index % self->parcels];
}

/* The frames that our side would send. */
static void pack_parcels(struct bench *self)
{
    wire_packer *packer = NULL;
    double raw[DIFFERENT];
    check(wire_packer_create(&packer, PAYLOAD_STORED));
    for (size_t p = 0; p < self->parcels; p++) {
        struct wire_header header = {.type = self->type, .attempt = 1, .events = BATCH};
        strcpy(header.run_id, run_id);
        struct wire_frame *frame = self->parcel[p].frame;
        const union record *record = &self->parcel[p].record;
        const size_t room = wire_bound(packer, self->type, record);
        uint8_t *payload = malloc(room);
        must(payload != NULL, "out of memory");
        check(wire_pack(packer, &header, record, room, payload, frame));
        frame[0].data = copy_of(frame[0].data, frame[0].size);
        raw[p] = (double)header.raw_length;
    }
    wire_packer_destroy(&packer);
    for (uint64_t b = 0; b < self->batches; b++)
        self->bytes += raw[b % self->parcels];
}

static void wait_for(void *socket, int pipe_end)
{
    zmq_pollitem_t items[] = {{.socket = socket, .events = ZMQ_POLLIN},
                              {.fd = pipe_end, .events = ZMQ_POLLIN}};
    zmq_poll(items, pipe_end < 0 ? 1 : 2, 1000);
}

/* Or has died. */
static bool receiver_is_done(const struct bench *self, long timeout_ms)
{
    zmq_pollitem_t item = {.fd = self->done[0], .events = ZMQ_POLLIN};
    return zmq_poll(&item, 1, timeout_ms) > 0;
}

/* --- our side --- */

static double send_intake(struct bench *self)
{
    struct flow flow;
    handout *out = NULL;
    uint64_t sent = 0;
    double start = 0;
    check(flow_init(&flow, run_id, "sender", 0, PAYLOAD_STORED));
    check(handout_create(&out, &flow, self->endpoint));
    while (!receiver_is_done(self, 0)) {
        uint64_t lost;
        check(handout_receive(out, &lost));
        const uint64_t consumer = sent < self->batches ? handout_consumer(out) : 0;
        if (consumer == 0) {
            wait_for(handout_socket(out), self->done[0]);
            continue;
        }
        if (sent == 0)
            start = now();
        struct wire_header header = {
            .type = self->type, .seq = sent, .attempt = 1, .events = BATCH};
        check(handout_send(out, consumer, &header, &parcel_at(self, sent)->record));
        sent++;
    }
    const double seconds = now() - start;
    handout_destroy(&out);
    flow_fini(&flow);
    return seconds;
}

static void receive_intake(struct bench *self)
{
    struct flow flow;
    intake *in = NULL;
    check(flow_init(&flow, run_id, "receiver", 0, PAYLOAD_STORED));
    check(intake_create(&in, &flow, self->endpoint, CREDITS));
    for (uint64_t got = 0; got < self->batches;) {
        struct arrival arrival;
        union record record;
        check(intake_tend(in, true));
        const status done = intake_receive(in, &arrival, &record);
        if (done == STATUS_END) {
            wait_for(intake_socket(in), -1);
            continue;
        }
        check(done);
        must(record.events.events == BATCH, "another batch has arrived than was sent");
        arrival_close(&arrival);
        got++;
    }
    must(write(self->done[1], "", 1) == 1, "cannot write to a pipe");
    intake_destroy(&in);
    flow_fini(&flow);
}

static status item_of(void *store, uint64_t index, const double mass[2], union record *out,
                      uint32_t *source)
{
    (void)mass;
    *out = parcel_at(store, index)->record;
    *source = 0;
    return STATUS_OK;
}

static double send_feed(struct bench *self)
{
    struct flow flow;
    feeder *out = NULL;
    double start = 0;
    check(flow_init(&flow, run_id, "sender", 0, PAYLOAD_STORED));
    check(feeder_create_store(&out, &flow, self->endpoint, self->type, item_of, self));
    feeder_set_available(out, self->batches);
    while (!receiver_is_done(self, 0)) {
        bool more = false;
        check(feeder_tend(out, &more));
        if (more && start == 0)
            start = now();
        if (!more)
            wait_for(feeder_socket(out), self->done[0]);
    }
    const double seconds = now() - start;
    feeder_destroy(&out);
    flow_fini(&flow);
    return seconds;
}

static void receive_feed(struct bench *self)
{
    struct flow flow;
    puller *in = NULL;
    check(flow_init(&flow, run_id, "receiver", 0, PAYLOAD_STORED));
    check(puller_create(&in, &flow, self->endpoint, &everything));
    while (puller_next(in) < self->batches) {
        struct arrival arrival;
        union record record;
        check(puller_tend(in, puller_next(in) + CREDITS));
        const status done = puller_receive(in, &arrival, &record);
        if (done == STATUS_END) {
            wait_for(puller_socket(in), -1);
            continue;
        }
        check(done);
        must(record.images.read == BATCH, "another batch has arrived than was sent");
        arrival_close(&arrival);
    }
    must(write(self->done[1], "", 1) == 1, "cannot write to a pipe");
    puller_destroy(&in);
    flow_fini(&flow);
}

/* --- bare ZeroMQ: PUSH to PULL, with room for as many batches --- */

static void *bare_socket(void *context, int type)
{
    void *socket = zmq_socket(context, type);
    must(socket != NULL, "no socket");
    const int most = CREDITS;
    const int patience_ms = 10000; /* the other end may have died */
    zmq_setsockopt(socket, ZMQ_SNDTIMEO, &patience_ms, sizeof patience_ms);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &most, sizeof most);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &most, sizeof most);
    return socket;
}

static double send_bare(struct bench *self)
{
    void *context = zmq_ctx_new();
    void *socket = bare_socket(context, ZMQ_PUSH);
    double start = 0;
    must(zmq_bind(socket, self->endpoint) == 0, "cannot bind");
    for (uint64_t b = 0; b < self->batches; b++) {
        const struct wire_frame *frame = parcel_at(self, b)->frame;
        must(zmq_send(socket, frame[0].data, frame[0].size, ZMQ_SNDMORE) >= 0, "cannot send");
        if (b == 0)
            start = now(); /* the first send waits for the other end */
        must(zmq_send(socket, frame[1].data, frame[1].size, 0) >= 0, "cannot send");
    }
    while (!receiver_is_done(self, -1))
        ;
    const double seconds = now() - start;
    zmq_close(socket);
    zmq_ctx_term(context);
    return seconds;
}

static void receive_bare(struct bench *self)
{
    void *context = zmq_ctx_new();
    void *socket = bare_socket(context, ZMQ_PULL);
    zmq_msg_t message;
    zmq_msg_init(&message);
    must(zmq_connect(socket, self->endpoint) == 0, "cannot connect");
    for (uint64_t frames = 0; frames < 2 * self->batches; frames++)
        must(zmq_msg_recv(&message, socket, 0) >= 0, "cannot receive");
    must(write(self->done[1], "", 1) == 1, "cannot write to a pipe");
    zmq_msg_close(&message);
    zmq_close(socket);
    zmq_ctx_term(context);
}

/* Sends in this process, receives in another. */
static double measure(struct bench *self, double (*sender)(struct bench *),
                      void (*receiver)(struct bench *))
{
    must(pipe(self->done) == 0, "no pipe");
    const pid_t child = fork();
    must(child >= 0, "cannot fork");
    if (child == 0) {
        close(self->done[0]);
        receiver(self);
        _exit(EXIT_DONE);
    }
    close(self->done[1]);
    const double seconds = sender(self);
    int ended;
    must(waitpid(child, &ended, 0) == child && ended == 0, "the receiver failed");
    close(self->done[0]);
    return seconds;
}

static void print_list(const char *name, size_t n, const double value[])
{
    printf(", \"%s\": [", name);
    for (size_t i = 0; i < n; i++)
        printf("%s%.9f", i == 0 ? "" : ", ", value[i]);
    printf("]");
}

int main(int argc, char **argv)
{
    static struct bench self;
    static double ours[REPEATS_MAX], bare[REPEATS_MAX];
    log_init("bench_wire", LOG_INFO);
    if (argc != 6) {
        fputs("Usage: bench_wire intake|feed ipc|tcp BATCHES REPEATS FILE\n", stderr);
        return EXIT_BAD_INPUT;
    }
    const bool feed = strcmp(argv[1], "feed") == 0;
    const size_t repeats = strtoull(argv[4], NULL, 10);
    must(repeats <= REPEATS_MAX, "too many repeats");
    hdf5_silence();
    self.type = feed ? MESSAGE_IMAGE_BATCH : MESSAGE_EVENT_BATCH;
    self.batches = strtoull(argv[3], NULL, 10);
    if (feed)
        load_images(&self, argv[5]);
    else
        load_events(&self, argv[5]);
    must(self.parcels > 0, "no full batch in the file");
    pack_parcels(&self);
    for (size_t i = 0; i < repeats; i++) {
        snprintf(self.endpoint, sizeof self.endpoint,
                 strcmp(argv[2], "tcp") == 0 ? "tcp://127.0.0.1:%d" : "ipc://wire-%d",
                 strcmp(argv[2], "tcp") == 0 ? 21000 + (int)(getpid() % 8000) : (int)getpid());
        ours[i] =
            measure(&self, feed ? send_feed : send_intake, feed ? receive_feed : receive_intake);
        bare[i] = measure(&self, send_bare, receive_bare);
    }
    printf("{\"edge\": \"%s\", \"transport\": \"%s\", \"batches\": %llu, \"bytes\": %.0f", argv[1],
           argv[2], (unsigned long long)self.batches, self.bytes);
    print_list("ours", repeats, ours);
    print_list("peer", repeats, bare);
    printf("}\n");
    return EXIT_DONE;
}
