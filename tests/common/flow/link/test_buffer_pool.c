/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The memory of messages goes round: taken by one thread, given back by another. */
#include "common/flow/link/buffer_pool.h"

#include <pthread.h>
#include <string.h>

#include "tests/support/check_main.h"

START_TEST(what_was_given_back_is_taken_again)
{
    buffer_pool *pool;
    ck_assert_int_eq(buffer_pool_create(&pool), STATUS_OK);
    uint8_t *first = buffer_pool_take(pool, 1000);
    uint8_t *second = buffer_pool_take(pool, 1000);
    ck_assert_ptr_ne(first, second);
    buffer_pool_give(second, pool);
    ck_assert_ptr_eq(buffer_pool_take(pool, 900), second);
    buffer_pool_give(first, pool);
    buffer_pool_give(second, pool);
    buffer_pool_destroy(&pool);
    ck_assert_ptr_null(pool);
}
END_TEST

START_TEST(one_that_is_too_small_gives_way_to_a_larger_one)
{
    buffer_pool *pool;
    ck_assert_int_eq(buffer_pool_create(&pool), STATUS_OK);
    buffer_pool_give(buffer_pool_take(pool, 10), pool);
    uint8_t *larger = buffer_pool_take(pool, 100001);
    memset(larger, 7, 100001);
    buffer_pool_give(larger, pool);
    ck_assert_ptr_eq(buffer_pool_take(pool, 10), larger);
    buffer_pool_give(larger, pool);
    buffer_pool_destroy(&pool);
}
END_TEST

enum { ROUNDS = 1009, SIZE = 257 };

/* A place for one message between two threads. */
struct hatch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint8_t *message;
    buffer_pool *pool;
};

static void *receive(void *state)
{
    struct hatch *hatch = state;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&hatch->lock);
        while (hatch->message == NULL)
            pthread_cond_wait(&hatch->changed, &hatch->lock);
        uint8_t *message = hatch->message;
        hatch->message = NULL;
        pthread_cond_signal(&hatch->changed);
        pthread_mutex_unlock(&hatch->lock);
        for (int b = 0; b < SIZE; b++)
            ck_assert_uint_eq(message[b], (uint8_t)i);
        buffer_pool_give(message, hatch->pool);
    }
    return NULL;
}

START_TEST(another_thread_may_give_them_back)
{
    struct hatch hatch = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    pthread_t receiver;
    ck_assert_int_eq(buffer_pool_create(&hatch.pool), STATUS_OK);
    ck_assert_int_eq(pthread_create(&receiver, NULL, receive, &hatch), 0);
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t *message = buffer_pool_take(hatch.pool, SIZE);
        memset(message, i, SIZE);
        pthread_mutex_lock(&hatch.lock);
        while (hatch.message != NULL)
            pthread_cond_wait(&hatch.changed, &hatch.lock);
        hatch.message = message;
        pthread_cond_signal(&hatch.changed);
        pthread_mutex_unlock(&hatch.lock);
    }
    ck_assert_int_eq(pthread_join(receiver, NULL), 0);
    buffer_pool_destroy(&hatch.pool);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("buffers");
    tcase_add_test(cases, what_was_given_back_is_taken_again);
    tcase_add_test(cases, one_that_is_too_small_gives_way_to_a_larger_one);
    tcase_add_test(cases, another_thread_may_give_them_back);
    return run_case(cases, "flow/buffers");
}
