/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several threads against kmeans_train called in turn. */
#include <stdlib.h>

#include "common/base/random.h"
#include "common/training/crew.h"
#include "tests/support/check_main.h"

enum { SIDE = 9, PIXELS = SIDE * SIDE, JETS = 301, LIT = 5, K = 7, ENSEMBLE = 11 };
enum { MANY = 10007 }; /* members: many seconds of work */

static uint64_t offset[JETS + 1];
static uint16_t pixel[JETS * LIT];
static float value[JETS * LIT];
static double norm2[JETS];
static const struct sparse_images images = {JETS, offset, pixel, value};
static smearing *smear;

/* Images of equal pixels in a row, anywhere. */
static void set_up(void)
{
    struct random_state random;
    random_init(&random, 3, 0, 0);
    for (size_t i = 0; i < JETS; i++) {
        const uint64_t first = random_below(&random, PIXELS - LIT + 1);
        for (size_t j = 0; j < LIT; j++) {
            pixel[i * LIT + j] = (uint16_t)(first + j);
            value[i * LIT + j] = 0.2f;
        }
        offset[i + 1] = (i + 1) * LIT;
    }
    ck_assert_int_eq(smearing_create(&smear, SIDE, 1.0), STATUS_OK);
    kmeans_norms(smear, &images, norm2);
}

static void tear_down(void)
{
    smearing_destroy(&smear);
}

static struct crew_task task_of(size_t clusters)
{
    return (struct crew_task){.settings = {.clusters = clusters, .batch = 50, .seed = 17},
                              .pixels = PIXELS,
                              .smear = smear,
                              .images = &images,
                              .norm2 = norm2};
}

static struct crew_member wait_for(crew *all)
{
    struct crew_member next = {0};
    while (next.centres == NULL)
        ck_assert_int_eq(crew_take(all, 10, &next), STATUS_OK);
    return next;
}

static void check_next(crew *all, uint32_t expected)
{
    struct kmeans_settings settings = task_of(K).settings;
    struct kmeans_result result;
    float centres[K * PIXELS];
    settings.member = expected;
    ck_assert_int_eq(kmeans_train(&settings, smear, &images, norm2, centres, &result), STATUS_OK);
    struct crew_member next = wait_for(all);
    ck_assert_uint_eq(next.member, expected);
    ck_assert_mem_eq(next.centres, centres, sizeof centres);
    ck_assert_double_eq(next.result.inertia, result.inertia);
    ck_assert_uint_eq(next.result.steps, result.steps);
    free(next.centres);
}

static void check_none_left(crew *all)
{
    struct crew_member next;
    ck_assert_int_eq(crew_take(all, 0, &next), STATUS_OK);
    ck_assert_ptr_null(next.centres);
}

START_TEST(any_number_of_threads_gives_the_same_members_in_order)
{
    static const unsigned threads[] = {1, 2, 5, 40};
    const struct crew_task task = task_of(K);
    crew *all;
    ck_assert_int_eq(crew_start(&all, &task, 0, 1, ENSEMBLE, threads[_i]), STATUS_OK);
    for (uint32_t member = 0; member < ENSEMBLE; member++)
        check_next(all, member);
    check_none_left(all);
    crew_stop(&all);
    ck_assert_ptr_null(all);
}
END_TEST

START_TEST(a_replica_trains_its_share)
{
    const struct crew_task task = task_of(K);
    crew *all;
    ck_assert_int_eq(crew_start(&all, &task, 1, 4, ENSEMBLE, 2), STATUS_OK);
    check_next(all, 1);
    check_next(all, 5);
    check_next(all, 9);
    check_none_left(all);
    crew_stop(&all);
}
END_TEST

START_TEST(a_crew_can_be_stopped_at_any_time)
{
    const struct crew_task task = task_of(K);
    crew *all;
    ck_assert_int_eq(crew_start(&all, &task, 0, 1, MANY, 3), STATUS_OK);
    for (uint32_t member = 0; member < (uint32_t)_i; member++)
        check_next(all, member);
    const uint32_t begun = crew_stop(&all);
    ck_assert_uint_ge(begun, (uint32_t)_i);
    ck_assert_uint_lt(begun, MANY); /* all of them take far longer than _i */
    ck_assert_ptr_null(all);
    ck_assert_uint_eq(crew_stop(&all), 0);
}
END_TEST

START_TEST(a_training_that_fails_is_reported)
{
    const struct crew_task task = task_of(JETS + 1);
    struct crew_member next = {0};
    crew *all;
    status done = STATUS_OK;
    ck_assert_int_eq(crew_start(&all, &task, 0, 1, 2, 2), STATUS_OK);
    while (done == STATUS_OK && next.centres == NULL)
        done = crew_take(all, 10, &next);
    ck_assert_int_eq(done, STATUS_BAD_SHAPE);
    ck_assert_ptr_null(next.centres);
    crew_stop(&all);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("crew");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, any_number_of_threads_gives_the_same_members_in_order, 0, 4);
    tcase_add_test(cases, a_replica_trains_its_share);
    tcase_add_loop_test(cases, a_crew_can_be_stopped_at_any_time, 0, 3);
    tcase_add_test(cases, a_training_that_fails_is_reported);
    return run_case(cases, "crew");
}
