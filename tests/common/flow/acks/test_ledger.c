/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A reader's ledger: every batch is sent until it is on disk, none beyond the window. */
#include "common/flow/acks/ledger.h"
#include "tests/support/check_main.h"

enum { WINDOW = 5 };
static ledger *book;

static void open_book(void)
{
    ck_assert_int_eq(ledger_create(&book, WINDOW), STATUS_OK);
}

static void close_book(void)
{
    ledger_destroy(&book);
}

/* Sends everything that may be sent to worker 1 at time `now`; returns how many. */
static unsigned send_all(uint64_t worker, uint64_t now)
{
    unsigned n = 0;
    uint64_t seq;
    while (ledger_next(book, &seq)) {
        ledger_sent(book, seq, worker, now);
        n++;
    }
    return n;
}

START_TEST(nothing_is_sent_before_the_log_has_spoken)
{
    uint64_t seq;
    ck_assert(!ledger_next(book, &seq));
    ledger_durable(book, 1, 0, 0, NULL);
    ck_assert(ledger_next(book, &seq));
    ck_assert_uint_eq(seq, 0);
}
END_TEST

START_TEST(no_batch_goes_beyond_the_window_or_the_end)
{
    ledger_durable(book, 1, 0, 0, NULL);
    ck_assert_uint_eq(send_all(1, 0), WINDOW);
    ledger_durable(book, 1, 3, 0, NULL);
    ck_assert_uint_eq(send_all(1, 0), 3);
    ledger_set_count(book, 9);
    ledger_durable(book, 1, 8, 0, NULL);
    ck_assert_uint_eq(send_all(1, 0), 1);
    ck_assert(!ledger_done(book));
    ledger_durable(book, 1, 9, 0, NULL);
    ck_assert(ledger_done(book));
}
END_TEST

START_TEST(a_lost_worker_gives_back_what_the_log_has_not_received)
{
    uint64_t seq;
    ledger_durable(book, 1, 0, 0, NULL);
    ck_assert(ledger_next(book, &seq));
    ck_assert_uint_eq(ledger_sent(book, 0, 7, 0), 1);
    ck_assert_uint_eq(ledger_sent(book, 1, 8, 0), 1);
    ck_assert_uint_eq(ledger_sent(book, 2, 7, 0), 1);
    ledger_received(book, 0);
    ledger_worker_lost(book, 7);
    ck_assert(ledger_next(book, &seq));
    ck_assert_uint_eq(seq, 2);
    ck_assert_uint_eq(ledger_sent(book, 2, 8, 0), 2);
}
END_TEST

START_TEST(a_log_that_lost_its_memory_gets_again_what_it_does_not_name)
{
    const uint8_t bitmap[] = {0x0a}; /* 1 and 3 above the watermark */
    ledger_durable(book, 1, 0, 0, NULL);
    send_all(1, 0);
    for (uint64_t seq = 0; seq < WINDOW; seq++)
        ledger_received(book, seq);
    ledger_durable(book, 2, 1, sizeof bitmap, bitmap);
    uint64_t seq;
    ck_assert(ledger_next(book, &seq));
    ck_assert_uint_eq(seq, 1); /* 2 and 4 are here */
    ledger_sent(book, 1, 1, 0);
    ck_assert(ledger_next(book, &seq));
    ck_assert_uint_eq(seq, 3);
}
END_TEST

START_TEST(an_older_word_of_the_log_changes_nothing)
{
    ledger_durable(book, 2, 4, 0, NULL);
    ledger_durable(book, 1, 9, 0, NULL);
    ck_assert_uint_eq(ledger_watermark(book), 4);
    ledger_durable(book, 2, 3, 0, NULL);
    ck_assert_uint_eq(ledger_watermark(book), 4);
    send_all(1, 0);
    ledger_durable(book, 1, 0, 0, NULL); /* of a log that is no more, with less */
    ck_assert_uint_eq(ledger_watermark(book), 4);
    ck_assert_uint_eq(send_all(1, 0), 0);
}
END_TEST

START_TEST(a_log_that_was_reborn_shorter_gets_its_batches_again)
{
    const uint8_t bitmap[] = {0x02}; /* watermark + 1 */
    ledger_set_count(book, 13);
    ledger_durable(book, 1, 0, 0, NULL);
    send_all(7, 0);
    ledger_durable(book, 1, 11, 0, NULL);
    send_all(7, 0);
    ledger_received(book, 11);
    ledger_durable(book, 2, 4, sizeof bitmap, bitmap);
    ck_assert_uint_eq(ledger_watermark(book), 4);
    const uint64_t wanted[] = {4, 6, 7, 8};
    for (size_t i = 0; i < 4; i++) {
        uint64_t seq;
        ck_assert(ledger_next(book, &seq));
        ck_assert_uint_eq(seq, wanted[i]);
        ck_assert_uint_eq(ledger_sent(book, seq, 7, 0), 1);
    }
    ck_assert_uint_eq(send_all(7, 0), 0);
    ledger_durable(book, 1, 11, 0, NULL); /* the old log's last word comes late */
    ck_assert_uint_eq(ledger_watermark(book), 4);
}
END_TEST

START_TEST(a_source_that_had_finished_goes_on_when_the_log_comes_back_with_less)
{
    ledger_set_count(book, 9);
    ledger_durable(book, 3, 9, 0, NULL);
    ck_assert(ledger_done(book));
    ledger_durable(book, 4, 2, 0, NULL);
    ck_assert(!ledger_done(book));
    ck_assert_uint_eq(send_all(1, 0), WINDOW);
    ledger_durable(book, 4, 7, 0, NULL);
    ck_assert_uint_eq(send_all(1, 0), 2);
    ledger_durable(book, 4, 9, 0, NULL);
    ck_assert(ledger_done(book));
}
END_TEST

START_TEST(every_attempt_may_take_twice_as_long_as_the_one_before)
{
    ledger_durable(book, 1, 0, 0, NULL);
    ledger_sent(book, 0, 1, 100);
    ck_assert_uint_eq(ledger_expire(book, 151, 50), 1);
    ledger_sent(book, 0, 2, 200);
    ck_assert_uint_eq(ledger_expire(book, 300, 50), 0);
    ck_assert_uint_eq(ledger_expire(book, 301, 50), 1);
}
END_TEST

START_TEST(a_refused_batch_is_sent_again_until_it_is_given_up)
{
    uint64_t seq = 0;
    ledger_durable(book, 1, 0, 0, NULL);
    for (uint32_t refusal = 1; refusal <= 3; refusal++) {
        ck_assert(ledger_next(book, &seq));
        ck_assert_uint_eq(seq, 0);
        ledger_sent(book, 0, 1, 100);
        ck_assert_uint_eq(ledger_refused(book, 0), refusal);
    }
    ledger_quarantine(book, 0);
    ck_assert(ledger_next(book, &seq));
    ck_assert_uint_eq(seq, 1);
    ck_assert_uint_eq(ledger_refused(book, 0), 0);
    seq = 0;
    ck_assert(ledger_quarantined(book, &seq));
    ck_assert_uint_eq(seq, 0);
    ledger_durable(book, 2, 0, 0, NULL); /* the log was born again: it is told again */
    ck_assert(ledger_quarantined(book, &seq));
    ledger_received(book, 0);
    ck_assert(!ledger_quarantined(book, &seq));
}
END_TEST

START_TEST(the_first_batch_of_a_worker_is_the_one_it_had_begun)
{
    uint64_t seq;
    ledger_durable(book, 1, 0, 0, NULL);
    ledger_sent(book, 0, 7, 1);
    ledger_sent(book, 1, 9, 2);
    ledger_sent(book, 2, 9, 3);
    ck_assert(ledger_first_of(book, 9, &seq));
    ck_assert_uint_eq(seq, 1);
    ledger_received(book, 1);
    ck_assert(ledger_first_of(book, 9, &seq));
    ck_assert_uint_eq(seq, 2);
    ck_assert(!ledger_first_of(book, 8, &seq));
}
END_TEST

START_TEST(a_batch_that_is_on_its_way_for_too_long_is_sent_again)
{
    ledger_durable(book, 1, 0, 0, NULL);
    ledger_sent(book, 0, 1, 100);
    ledger_sent(book, 1, 1, 200);
    ledger_received(book, 0);
    ck_assert_uint_eq(ledger_expire(book, 250, 50), 0);
    ck_assert_uint_eq(ledger_expire(book, 251, 50), 1);
    uint64_t seq;
    ck_assert(ledger_next(book, &seq));
    ck_assert_uint_eq(seq, 1);
}
END_TEST

START_TEST(a_second_run_sends_nothing_that_is_on_disk)
{
    ledger_set_count(book, 1000);
    ledger_durable(book, 3, 1000, 0, NULL);
    ck_assert_uint_eq(send_all(1, 0), 0);
    ck_assert(ledger_done(book));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("ledger");
    tcase_add_checked_fixture(cases, open_book, close_book);
    tcase_add_test(cases, nothing_is_sent_before_the_log_has_spoken);
    tcase_add_test(cases, no_batch_goes_beyond_the_window_or_the_end);
    tcase_add_test(cases, a_lost_worker_gives_back_what_the_log_has_not_received);
    tcase_add_test(cases, a_log_that_lost_its_memory_gets_again_what_it_does_not_name);
    tcase_add_test(cases, an_older_word_of_the_log_changes_nothing);
    tcase_add_test(cases, a_log_that_was_reborn_shorter_gets_its_batches_again);
    tcase_add_test(cases, a_source_that_had_finished_goes_on_when_the_log_comes_back_with_less);
    tcase_add_test(cases, a_batch_that_is_on_its_way_for_too_long_is_sent_again);
    tcase_add_test(cases, every_attempt_may_take_twice_as_long_as_the_one_before);
    tcase_add_test(cases, a_refused_batch_is_sent_again_until_it_is_given_up);
    tcase_add_test(cases, the_first_batch_of_a_worker_is_the_one_it_had_begun);
    tcase_add_test(cases, a_second_run_sends_nothing_that_is_on_disk);
    return run_case(cases, "flow/ledger");
}
