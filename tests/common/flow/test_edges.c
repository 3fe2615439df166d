/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both kinds of edge over real ipc sockets: credits on the intake, indices on the feed. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/flow/acks/ack_log.h"
#include "common/flow/acks/ack_reader.h"
#include "common/flow/credit/handout.h"
#include "common/flow/credit/intake.h"
#include "common/flow/feed/feeder.h"
#include "common/flow/feed/puller.h"
#include "tests/support/check_main.h"

static const char run_id[] = "0123456789abcdef0123456789abcdef";
static char folder[64];
static char endpoint[128];
static struct flow producer;
static struct flow consumer;

static void open_flows(void)
{
    strcpy(folder, "/tmp/clusterscan-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(endpoint, sizeof endpoint, "ipc://%s/edge", folder);
    ck_assert_int_eq(flow_init(&producer, run_id, "producer", 0, PAYLOAD_STORED), STATUS_OK);
    ck_assert_int_eq(flow_init(&consumer, run_id, "consumer", 0, PAYLOAD_LZ4), STATUS_OK);
}

static void close_flows(void)
{
    flow_fini(&producer);
    flow_fini(&consumer);
    unlink(endpoint + strlen("ipc://"));
    rmdir(folder);
}

/* Waits a little for either socket. */
static void wait_for(void *a, void *b)
{
    zmq_pollitem_t items[] = {{.socket = a, .events = ZMQ_POLLIN},
                              {.socket = b, .events = ZMQ_POLLIN}};
    zmq_poll(items, 2, 10);
}

/* A score stands in for any record: `slice` tells which one it is. */
static struct score_record score_number(uint64_t number)
{
    return (struct score_record){.slice = number};
}

/* Lets the consumer speak until the producer may send; returns who may be sent to. */
static uint64_t await_room(handout *out, intake *in)
{
    uint64_t to = 0;
    for (int i = 0; i < 1000 && to == 0; i++) {
        uint64_t lost;
        ck_assert_int_eq(intake_tend(in, true), STATUS_OK);
        struct arrival arrival;
        union record record;
        ck_assert_int_eq(intake_receive(in, &arrival, &record), STATUS_END);
        ck_assert_int_eq(handout_receive(out, &lost), STATUS_OK);
        to = handout_consumer(out);
        wait_for(handout_socket(out), intake_socket(in));
    }
    ck_assert_uint_ne(to, 0);
    return to;
}

static uint64_t await_batch(intake *in, void *other)
{
    for (int i = 0; i < 1000; i++) {
        struct arrival arrival;
        union record record;
        const status done = intake_receive(in, &arrival, &record);
        if (done == STATUS_OK) {
            const uint64_t number = record.score.slice;
            ck_assert_uint_eq(arrival.header.seq, number);
            arrival_close(&arrival);
            return number;
        }
        ck_assert_int_eq(done, STATUS_END);
        wait_for(intake_socket(in), other);
    }
    ck_abort_msg("no batch has come");
    return 0;
}

static status send_score(handout *out, uint64_t to, uint64_t number)
{
    struct wire_header header = {.type = MESSAGE_SCORE, .seq = number, .attempt = 1};
    const struct score_record score = score_number(number);
    return handout_send(out, to, &header, &score);
}

START_TEST(a_producer_sends_what_was_granted_and_no_more)
{
    handout *out;
    intake *in;
    ck_assert_int_eq(handout_create(&out, &producer, endpoint), STATUS_OK);
    ck_assert_int_eq(intake_create(&in, &consumer, endpoint, 2), STATUS_OK);
    ck_assert_uint_eq(handout_consumer(out), 0);
    const uint64_t to = await_room(out, in);
    ck_assert_int_eq(send_score(out, to, 5), STATUS_OK);
    ck_assert_int_eq(send_score(out, to, 6), STATUS_OK);
    ck_assert_uint_eq(handout_consumer(out), 0);
    ck_assert_uint_eq(await_batch(in, handout_socket(out)), 5);
    ck_assert_uint_eq(await_batch(in, handout_socket(out)), 6);
    ck_assert_uint_eq(await_room(out, in), to);
    intake_destroy(&in);
    handout_destroy(&out);
}
END_TEST

START_TEST(a_restarted_consumer_replaces_its_dead_self)
{
    handout *out;
    intake *in;
    ck_assert_int_eq(handout_create(&out, &producer, endpoint), STATUS_OK);
    ck_assert_int_eq(intake_create(&in, &consumer, endpoint, 2), STATUS_OK);
    const uint64_t first = await_room(out, in);
    ck_assert_int_eq(send_score(out, first, 1), STATUS_OK);
    intake_destroy(&in);
    consumer.incarnation++; /* what a new process would draw */
    ck_assert_int_eq(intake_create(&in, &consumer, endpoint, 2), STATUS_OK);
    uint64_t lost = 0;
    for (int i = 0; i < 1000 && lost == 0; i++) {
        ck_assert_int_eq(intake_tend(in, true), STATUS_OK);
        ck_assert_int_eq(handout_receive(out, &lost), STATUS_OK);
        wait_for(handout_socket(out), intake_socket(in));
    }
    ck_assert_uint_eq(lost, first);
    const uint64_t second = await_room(out, in);
    ck_assert_uint_ne(second, first);
    ck_assert_int_eq(send_score(out, second, 1), STATUS_OK);
    ck_assert_uint_eq(await_batch(in, handout_socket(out)), 1);
    intake_destroy(&in);
    handout_destroy(&out);
}
END_TEST

START_TEST(batches_lost_with_a_connection_give_their_credit_back)
{
    handout *out;
    intake *in;
    ck_assert_int_eq(handout_create(&out, &producer, endpoint), STATUS_OK);
    ck_assert_int_eq(intake_create(&in, &consumer, endpoint, 2), STATUS_OK);
    const uint64_t first = await_room(out, in);
    ck_assert_int_eq(send_score(out, first, 1), STATUS_OK);
    ck_assert_uint_eq(await_batch(in, handout_socket(out)), 1);
    ck_assert_uint_eq(await_room(out, in), first);
    ck_assert_int_eq(send_score(out, first, 2), STATUS_OK);
    ck_assert_int_eq(intake_reconnect(in), STATUS_OK); /* the second one is gone */
    uint64_t lost = 0;
    for (int i = 0; i < 1000 && lost == 0; i++) {
        ck_assert_int_eq(intake_tend(in, true), STATUS_OK);
        ck_assert_int_eq(handout_receive(out, &lost), STATUS_OK);
        wait_for(handout_socket(out), intake_socket(in));
    }
    ck_assert_uint_eq(lost, first);
    const uint64_t second = await_room(out, in);
    ck_assert_int_eq(send_score(out, second, 2), STATUS_OK);
    ck_assert_uint_eq(handout_consumer(out), second);
    ck_assert_int_eq(send_score(out, second, 3), STATUS_OK);
    ck_assert_uint_eq(handout_consumer(out), 0); /* neither more nor less than it takes */
    ck_assert_uint_eq(await_batch(in, handout_socket(out)), 2);
    intake_destroy(&in);
    handout_destroy(&out);
}
END_TEST

START_TEST(a_restarted_producer_is_granted_anew)
{
    handout *out;
    intake *in;
    ck_assert_int_eq(handout_create(&out, &producer, endpoint), STATUS_OK);
    ck_assert_int_eq(intake_create(&in, &consumer, endpoint, 1), STATUS_OK);
    ck_assert_int_eq(send_score(out, await_room(out, in), 1), STATUS_OK);
    ck_assert_uint_eq(await_batch(in, handout_socket(out)), 1);
    handout_destroy(&out);
    producer.incarnation++;
    ck_assert_int_eq(handout_create(&out, &producer, endpoint), STATUS_OK);
    ck_assert_int_eq(send_score(out, await_room(out, in), 2), STATUS_OK);
    ck_assert_uint_eq(await_batch(in, handout_socket(out)), 2);
    intake_destroy(&in);
    handout_destroy(&out);
}
END_TEST

START_TEST(a_message_of_another_run_is_refused_and_counted)
{
    static const char other_id[] = "ffffffffffffffffffffffffffffffff";
    handout *out;
    intake *in;
    consumer.run_id = other_id;
    ck_assert_int_eq(handout_create(&out, &producer, endpoint), STATUS_OK);
    ck_assert_int_eq(intake_create(&in, &consumer, endpoint, 2), STATUS_OK);
    for (int i = 0; i < 1000 && producer.refused == 0; i++) {
        uint64_t lost;
        ck_assert_int_eq(intake_tend(in, true), STATUS_OK);
        ck_assert_int_eq(handout_receive(out, &lost), STATUS_OK);
        wait_for(handout_socket(out), intake_socket(in));
    }
    ck_assert_uint_eq(producer.refused, 1);
    ck_assert_uint_eq(handout_consumer(out), 0);
    intake_destroy(&in);
    handout_destroy(&out);
}
END_TEST

/* Pulls items until n have come or the feed has ended; their numbers go to got[n]. */
static size_t pull_items(feeder *out, puller *in, size_t n, uint64_t got[])
{
    size_t count = 0;
    uint64_t total;
    for (int i = 0; i < 5000 && count < n && !puller_ended(in, &total); i++) {
        bool more = false;
        struct arrival arrival;
        union record record;
        ck_assert_int_eq(puller_tend(in, puller_next(in) + 4), STATUS_OK);
        ck_assert_int_eq(feeder_tend(out, &more), STATUS_OK);
        const status done = puller_receive(in, &arrival, &record);
        if (done == STATUS_OK) {
            got[count++] = record.score.slice;
            arrival_close(&arrival);
        } else {
            ck_assert_int_eq(done, STATUS_END);
            wait_for(feeder_socket(out), puller_socket(in));
        }
    }
    return count;
}

static feeder *new_feeder(uint64_t n)
{
    feeder *out;
    ck_assert_int_eq(feeder_create(&out, &producer, endpoint, MESSAGE_SCORE, "."), STATUS_OK);
    for (uint64_t i = 0; i < n; i++) {
        const struct score_record score = score_number(i);
        ck_assert_int_eq(feeder_append(out, &score), STATUS_OK);
    }
    return out;
}

static const struct feed_filter everything = {.modulus = 1, .mass = {-INFINITY, INFINITY}};

START_TEST(a_feed_gives_every_item_once_and_in_order)
{
    enum { N = 37 };
    feeder *out = new_feeder(N);
    puller *in;
    uint64_t got[N];
    uint64_t total;
    feeder_set_end(out, true);
    ck_assert_int_eq(puller_create(&in, &consumer, endpoint, &everything), STATUS_OK);
    ck_assert_uint_eq(pull_items(out, in, N, got), N);
    for (uint64_t i = 0; i < N; i++)
        ck_assert_uint_eq(got[i], i);
    pull_items(out, in, N, got);
    ck_assert(puller_ended(in, &total));
    ck_assert_uint_eq(total, N);
    puller_destroy(&in);
    feeder_destroy(&out);
}
END_TEST

START_TEST(a_partition_gets_its_own_items_only)
{
    feeder *out = new_feeder(11);
    puller *in;
    uint64_t got[11];
    const struct feed_filter third = {.modulus = 3, .remainder = 2, .mass = {0, 1}};
    feeder_set_end(out, true);
    ck_assert_int_eq(puller_create(&in, &consumer, endpoint, &third), STATUS_OK);
    ck_assert_uint_eq(pull_items(out, in, 11, got), 3);
    ck_assert_uint_eq(got[0], 2);
    ck_assert_uint_eq(got[1], 5);
    ck_assert_uint_eq(got[2], 8);
    puller_destroy(&in);
    feeder_destroy(&out);
}
END_TEST

/* Lets both talk until `here` items have been taken in, and the end been heard if that is wanted.
 */
static void gather(feeder *out, puller *in, size_t here, uint64_t until, bool end)
{
    uint64_t total = UINT64_MAX;
    for (int i = 0; i < 5000 && (puller_n_here(in) < here || (end && total == UINT64_MAX)); i++) {
        bool more = false;
        ck_assert_int_eq(puller_tend(in, until), STATUS_OK);
        ck_assert_int_eq(feeder_tend(out, &more), STATUS_OK);
        ck_assert_int_eq(puller_gather(in), STATUS_OK);
        puller_ended(in, &total);
        wait_for(feeder_socket(out), puller_socket(in));
    }
}

START_TEST(items_that_were_taken_in_wait_to_be_received)
{
    feeder *out = new_feeder(9);
    puller *in;
    uint64_t got[9], total;
    const struct feed_filter odd = {.modulus = 2, .remainder = 1, .mass = {0, 1}};
    feeder_set_end(out, true);
    ck_assert_int_eq(puller_create(&in, &consumer, endpoint, &odd), STATUS_OK);
    gather(out, in, 2, 5, false);
    ck_assert_uint_eq(puller_n_here(in), 2);
    ck_assert_uint_eq(puller_next(in), 1);
    /* A producer that comes back is asked for what lies behind them. */
    feeder_destroy(&out);
    producer.incarnation++;
    out = new_feeder(9);
    feeder_set_end(out, true);
    gather(out, in, 4, 9, true);
    ck_assert_uint_eq(puller_n_here(in), 4);
    ck_assert(!puller_ended(in, &total));
    ck_assert_uint_eq(total, 9);
    ck_assert_uint_eq(pull_items(out, in, 9, got), 4);
    for (uint64_t i = 0; i < 4; i++)
        ck_assert_uint_eq(got[i], 2 * i + 1);
    ck_assert(puller_ended(in, &total));
    puller_destroy(&in);
    feeder_destroy(&out);
}
END_TEST

START_TEST(a_producer_that_comes_back_is_asked_for_the_rest)
{
    feeder *out = new_feeder(20);
    puller *in;
    uint64_t got[20];
    ck_assert_int_eq(puller_create(&in, &consumer, endpoint, &everything), STATUS_OK);
    ck_assert_uint_eq(pull_items(out, in, 7, got), 7);
    feeder_destroy(&out); /* with items on their way */
    producer.incarnation++;
    out = new_feeder(20);
    feeder_set_end(out, true);
    ck_assert_uint_eq(pull_items(out, in, 20, got), 13);
    for (uint64_t i = 0; i < 13; i++)
        ck_assert_uint_eq(got[i], 7 + i);
    puller_destroy(&in);
    feeder_destroy(&out);
}
END_TEST

START_TEST(an_end_without_items_is_an_end)
{
    feeder *out = new_feeder(0);
    puller *in;
    uint64_t got[1];
    uint64_t total = 1;
    feeder_set_end(out, true);
    ck_assert_int_eq(puller_create(&in, &consumer, endpoint, &everything), STATUS_OK);
    ck_assert_uint_eq(pull_items(out, in, 1, got), 0);
    ck_assert(puller_ended(in, &total));
    ck_assert_uint_eq(total, 0);
    puller_destroy(&in);
    feeder_destroy(&out);
}
END_TEST

/* A store of images whose batch i has first_row i; it has `here` of them. */
static status stored_images(void *store, uint64_t index, const double mass[2], union record *out,
                            uint32_t *source)
{
    static const uint32_t dropped[DROP_REASONS] = {0};
    static const uint32_t offset[1] = {0};
    const uint64_t *here = store;
    (void)mass;
    if (index >= *here)
        return STATUS_END;
    *source = 0;
    out->images = (struct image_batch){.first_row = index, .dropped = dropped, .offset = offset};
    return STATUS_OK;
}

static unsigned pull_images(feeder *out, puller *in, uint64_t until)
{
    unsigned n = 0;
    for (unsigned quiet = 0; puller_next(in) < until && quiet < 20;) {
        struct arrival arrival;
        union record record;
        bool more = false;
        ck_assert_int_eq(puller_tend(in, until), STATUS_OK);
        ck_assert_int_eq(feeder_tend(out, &more), STATUS_OK);
        const status done = puller_receive(in, &arrival, &record);
        if (done == STATUS_OK) {
            ck_assert_uint_eq(record.images.first_row, arrival.header.seq);
            arrival_close(&arrival);
            n++;
            quiet = 0;
        } else {
            ck_assert_int_eq(done, STATUS_END);
            wait_for(feeder_socket(out), puller_socket(in));
            quiet++;
        }
    }
    return n;
}

START_TEST(a_store_that_lost_items_is_waited_for_and_goes_on)
{
    uint64_t here = 11, total;
    feeder *out;
    puller *in;
    ck_assert_int_eq(
        feeder_create_store(&out, &producer, endpoint, MESSAGE_IMAGE_BATCH, stored_images, &here),
        STATUS_OK);
    ck_assert_int_eq(puller_create(&in, &consumer, endpoint, &everything), STATUS_OK);
    feeder_set_available(out, here);
    feeder_set_end(out, true);
    ck_assert_uint_eq(pull_images(out, in, 7), 7);
    here = 3; /* found out as the next is asked for */
    ck_assert_uint_eq(pull_images(out, in, 11), 0);
    feeder_set_available(out, here);
    feeder_set_end(out, false);
    ck_assert_uint_eq(pull_images(out, in, 11), 0);
    ck_assert(!puller_ended(in, &total));
    here = 11;
    feeder_set_available(out, here);
    feeder_set_end(out, true);
    ck_assert_uint_eq(pull_images(out, in, 11), 4);
    pull_images(out, in, 12);
    ck_assert(puller_ended(in, &total));
    ck_assert_uint_eq(total, 11);
    puller_destroy(&in);
    feeder_destroy(&out);
}
END_TEST

static const uint8_t arrived[] = {0x02};

static void state_of_source(void *context, uint32_t source, struct control_durable *out)
{
    (void)context;
    out->epoch = 3;
    out->watermark = 10 + source;
    out->bitmap = (struct wire_bytes){arrived, sizeof arrived};
}

START_TEST(a_reader_learns_what_is_on_disk_and_tells_its_end)
{
    ack_log *log;
    ack_reader *reader;
    ledger *book;
    ck_assert_int_eq(ledger_create(&book, 4), STATUS_OK);
    ck_assert_int_eq(ack_log_create(&log, &producer, endpoint, 2), STATUS_OK);
    ck_assert_int_eq(ack_reader_create(&reader, &consumer, endpoint, 1), STATUS_OK);
    ck_assert(ack_log_source(log, 1).batches == UINT64_MAX);
    for (int i = 0; i < 1000 && ledger_watermark(book) == 0; i++) {
        ck_assert_int_eq(ack_reader_tend(reader, book, 12, 345), STATUS_OK);
        ck_assert_int_eq(ack_log_tend(log, state_of_source, NULL), STATUS_OK);
        wait_for(ack_log_socket(log), ack_reader_socket(reader));
    }
    ck_assert_uint_eq(ledger_watermark(book), 11);
    ck_assert_uint_eq(ack_log_source(log, 1).batches, 12);
    ck_assert_uint_eq(ack_log_source(log, 1).rows, 345);
    ck_assert(ack_log_source(log, 0).batches == UINT64_MAX);
    uint64_t seq;
    ck_assert(ledger_next(book, &seq));
    ck_assert_uint_eq(seq, 11); /* 12 is there */
    ack_reader_destroy(&reader);
    ack_log_destroy(&log);
    ledger_destroy(&book);
}
END_TEST

START_TEST(a_silent_peer_is_connected_to_again_once_per_lease)
{
    flow_link *link;
    ck_assert_int_eq(link_connect(&link, &consumer, endpoint), STATUS_OK);
    struct talk talk = {0};
    void *before = link_socket(link);
    ck_assert_int_eq(link_check_lease(link, &talk, 5000), STATUS_OK);
    talk.said_ms = 5000; /* asked, and never answered */
    ck_assert_int_eq(link_check_lease(link, &talk, 5000 + FLOW_LEASE_MS), STATUS_OK);
    ck_assert_ptr_eq(link_socket(link), before);
    ck_assert_uint_eq(talk.said_ms, 5000);
    ck_assert_int_eq(link_check_lease(link, &talk, 5001 + FLOW_LEASE_MS), STATUS_OK);
    ck_assert_uint_eq(talk.said_ms, 0); /* so that it is said again */
    talk.said_ms = 5001 + FLOW_LEASE_MS;
    ck_assert_int_eq(link_check_lease(link, &talk, 5002 + FLOW_LEASE_MS), STATUS_OK);
    ck_assert_uint_eq(talk.said_ms, 5001 + FLOW_LEASE_MS);
    link_close(&link);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("edges");
    tcase_add_checked_fixture(cases, open_flows, close_flows);
    tcase_add_test(cases, a_producer_sends_what_was_granted_and_no_more);
    tcase_add_test(cases, a_restarted_consumer_replaces_its_dead_self);
    tcase_add_test(cases, batches_lost_with_a_connection_give_their_credit_back);
    tcase_add_test(cases, a_restarted_producer_is_granted_anew);
    tcase_add_test(cases, a_message_of_another_run_is_refused_and_counted);
    tcase_add_test(cases, a_feed_gives_every_item_once_and_in_order);
    tcase_add_test(cases, a_partition_gets_its_own_items_only);
    tcase_add_test(cases, items_that_were_taken_in_wait_to_be_received);
    tcase_add_test(cases, a_producer_that_comes_back_is_asked_for_the_rest);
    tcase_add_test(cases, a_store_that_lost_items_is_waited_for_and_goes_on);
    tcase_add_test(cases, an_end_without_items_is_an_end);
    tcase_add_test(cases, a_reader_learns_what_is_on_disk_and_tells_its_end);
    tcase_add_test(cases, a_silent_peer_is_connected_to_again_once_per_lease);
    return run_case(cases, "flow/edges");
}
