/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/base/parallel.h"

#include <pthread.h>
#include <sched.h>

#include "tests/support/check_main.h"

enum { PIECES = 7 };

struct meeting {
    pthread_barrier_t barrier;
    int calls[PIECES];
};

/* Nobody leaves before all are here: only if each piece has a thread of its own does this end. */
static void meet(void *context, size_t i)
{
    struct meeting *meeting = context;
    meeting->calls[i]++;
    pthread_barrier_wait(&meeting->barrier);
}

START_TEST(every_piece_runs_once_and_all_at_the_same_time)
{
    struct meeting meeting = {.calls = {0}};
    ck_assert_int_eq(pthread_barrier_init(&meeting.barrier, NULL, PIECES), 0);
    parallel_run(PIECES, meet, &meeting);
    for (size_t i = 0; i < PIECES; i++)
        ck_assert_int_eq(meeting.calls[i], 1);
    pthread_barrier_destroy(&meeting.barrier);
}
END_TEST

static void count(void *context, size_t i)
{
    ((int *)context)[i]++;
}

START_TEST(no_piece_is_no_work_and_one_is_the_callers)
{
    int calls[2] = {0};
    parallel_run(0, count, calls);
    ck_assert_int_eq(calls[0], 0);
    parallel_run(1, count, calls);
    ck_assert_int_eq(calls[0], 1);
    ck_assert_int_eq(calls[1], 0);
}
END_TEST

START_TEST(the_cores_are_those_this_process_may_use)
{
    cpu_set_t all, one;
    ck_assert_int_eq(sched_getaffinity(0, sizeof all, &all), 0);
    ck_assert_uint_eq(parallel_cores(), (unsigned)CPU_COUNT(&all));
    size_t last = CPU_SETSIZE - 1;
    while (!CPU_ISSET(last, &all))
        last--;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    ck_assert_uint_eq(parallel_cores(), 1);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("parallel");
    tcase_add_test(cases, every_piece_runs_once_and_all_at_the_same_time);
    tcase_add_test(cases, no_piece_is_no_work_and_one_is_the_callers);
    tcase_add_test(cases, the_cores_are_those_this_process_may_use);
    return run_case(cases, "parallel");
}
