/* SPDX-License-Identifier: GPL-3.0-or-later */
/* array: grows by doubling, keeps what is there. */
#include "common/base/array.h"

#include <stdint.h>
#include <stdlib.h>

#include "tests/support/check_main.h"

START_TEST(what_is_there_stays_and_moves_seldom)
{
    uint64_t *array = NULL;
    size_t room = 0, moves = 0;
    for (size_t n = 0; n < 10000; n++) {
        const size_t before = room;
        ck_assert_int_eq(ARRAY_RESERVE(&array, &room, n + 1), STATUS_OK);
        ck_assert_uint_gt(room, n);
        moves += room != before;
        array[n] = 3 * n;
    }
    ck_assert_uint_le(moves, 11); /* 16, 32, ... 16384 */
    for (size_t n = 0; n < 10000; n++)
        ck_assert_uint_eq(array[n], 3 * n);
    free(array);
}
END_TEST

START_TEST(an_array_that_no_memory_holds_leaves_the_old_one)
{
    uint64_t *array = NULL;
    size_t room = 0;
    ck_assert_int_eq(ARRAY_RESERVE(&array, &room, 5), STATUS_OK);
    uint64_t *const before = array;
    const size_t room_before = room;
    ck_assert_int_eq(ARRAY_RESERVE(&array, &room, SIZE_MAX / 4), STATUS_NO_MEMORY);
    ck_assert_ptr_eq(array, before);
    ck_assert_uint_eq(room, room_before);
    free(array);
}
END_TEST

START_TEST(nothing_wanted_is_room_for_something)
{
    char *array = NULL;
    size_t room = 0;
    ck_assert_int_eq(ARRAY_RESERVE(&array, &room, 0), STATUS_OK);
    ck_assert_ptr_nonnull(array);
    free(array);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("array");
    tcase_add_test(cases, what_is_there_stays_and_moves_seldom);
    tcase_add_test(cases, an_array_that_no_memory_holds_leaves_the_old_one);
    tcase_add_test(cases, nothing_wanted_is_room_for_something);
    return run_case(cases, "array");
}
