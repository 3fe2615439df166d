/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_batch: what may be wrong inside one. */
#include "common/records/event_batch.h"

#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

static struct event_batch good(const uint32_t offset[], const int8_t label[])
{
    static const float numbers[8];
    return (struct event_batch){.events = 3,
                                .particles = 5,
                                .offset = offset,
                                .pt = numbers,
                                .eta = numbers,
                                .phi = numbers,
                                .label = label};
}

START_TEST(a_good_batch_has_no_fault_with_or_without_labels)
{
    static const uint32_t offset[] = {0, 2, 2, 5};
    static const int8_t label[] = {0, 1, 0};
    const struct event_batch labelled = good(offset, label), unlabelled = good(offset, NULL);
    ck_assert_ptr_null(event_batch_fault(&labelled));
    ck_assert_ptr_null(event_batch_fault(&unlabelled));
}
END_TEST

START_TEST(offsets_begin_at_zero_ascend_and_end_at_the_last_particle)
{
    static const uint32_t wrong[][4] = {{1, 2, 2, 5}, {0, 3, 2, 5}, {0, 2, 2, 4}, {0, 2, 9, 5}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct event_batch batch = good(wrong[i], NULL);
        CK_SAYS(event_batch_fault(&batch), "offset");
    }
}
END_TEST

START_TEST(labels_are_0_or_1)
{
    static const uint32_t offset[] = {0, 2, 2, 5};
    static const int8_t wrong[][3] = {{0, 2, 0}, {-1, 0, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct event_batch batch = good(offset, wrong[i]);
        CK_SAYS(event_batch_fault(&batch), "label");
    }
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("event_batch");
    tcase_add_test(cases, a_good_batch_has_no_fault_with_or_without_labels);
    tcase_add_test(cases, offsets_begin_at_zero_ascend_and_end_at_the_last_particle);
    tcase_add_test(cases, labels_are_0_or_1);
    return run_case(cases, "event_batch");
}
