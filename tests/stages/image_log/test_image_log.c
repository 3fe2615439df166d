/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image_log, called bare: what comes in any order is on disk in one, each batch once. */
#include "stages/image_log/image_log.h"

#include <math.h>

#include "tests/support/bare_stage.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"

static void *kept;
static json_t *settings;
static json_t *extents;

static void open_log(void)
{
    static const struct stage_input inputs[] = {{.type = MESSAGE_IMAGE_BATCH, .copies = 1}};
    const struct stage_setup setup = {.log_id = "fedcba9876543210fedcba9876543210",
                                      .analysis = bare_analysis(),
                                      .settings = settings,
                                      .extents = extents,
                                      .folder = scratch_path("log"),
                                      .sources = 1,
                                      .window = 16,
                                      .n_inputs = 1,
                                      .inputs = inputs};
    ck_assert_int_eq(image_log_create(&kept, &setup), STATUS_OK);
}

static void create(void)
{
    scratch_make();
    settings = json_pack("{s:i, s:f}", "segment", 2, "seal_after", 60.0);
    extents = json_pack("[[i, i]]", 3, 5);
    open_log();
}

static void close_log(void)
{
    image_log_destroy(&kept);
    ck_assert_ptr_null(kept);
}

static void destroy(void)
{
    close_log();
    json_decref(settings);
    json_decref(extents);
    scratch_remove();
}

/* Batch seq has rows 2 seq and 2 seq + 1. */
static status take(uint64_t seq)
{
    static const uint16_t pixel[] = {3, 12, 12, 3};
    static const float m_jj[] = {3050, 3450};
    union record images = bare_images(2, pixel, m_jj, NULL);
    uint64_t row[] = {2 * seq, 2 * seq + 1};
    images.images.first_row = 2 * seq;
    images.images.row = row;
    const struct wire_header header = {.type = MESSAGE_IMAGE_BATCH, .seq = seq};
    const struct stage_item item = {.header = &header, .record = &images};
    return image_log_process(kept, &item);
}

static uint64_t seal(bool all)
{
    uint64_t sealed;
    bool room;
    ck_assert_int_eq(image_log_seal(kept, all, &sealed, &room), STATUS_OK);
    ck_assert(room);
    return sealed;
}

START_TEST(batches_in_any_order_are_sealed_in_one_and_served_by_their_place)
{
    ck_assert_int_eq(take(1), STATUS_OK);
    ck_assert_uint_eq(seal(true), 0); /* batch 0 is not there yet */
    struct control_durable state = {.source = 0};
    image_log_state(kept, 0, &state);
    ck_assert_uint_eq(state.watermark, 0);
    ck_assert_uint_eq(state.bitmap.data[0] & 3, 2); /* batch 1 has arrived */
    ck_assert_int_eq(take(0), STATUS_OK);
    ck_assert_int_eq(take(0), STATUS_OK); /* twice is once */
    ck_assert_uint_eq(seal(false), 2);
    union record record;
    uint32_t source;
    static const double all[] = {-INFINITY, INFINITY}, low[] = {3000, 3300};
    ck_assert_int_eq(image_log_item(kept, 1, all, &record, &source), STATUS_OK);
    ck_assert_uint_eq(record.images.first_row, 2);
    ck_assert_uint_eq(record.images.events, 2);
    ck_assert_int_eq(image_log_item(kept, 0, low, &record, &source), STATUS_OK);
    ck_assert_uint_eq(record.images.events, 1);
    ck_assert_uint_eq(record.images.read, 2); /* the counts are the whole batch's */
    ck_assert_int_eq(image_log_item(kept, 2, all, &record, &source), STATUS_END);
}
END_TEST

START_TEST(a_batch_given_up_keeps_its_place_and_is_accounted_for)
{
    const struct stage_rows rows = {.first = 4, .n = 1};
    for (uint64_t seq = 0; seq < 2; seq++)
        ck_assert_int_eq(take(seq), STATUS_OK);
    ck_assert_int_eq(image_log_give_up(kept, 0, 2, &rows), STATUS_OK);
    image_log_source_end(kept, 0, 3, 5);
    ck_assert_uint_eq(seal(false), 3);
    ck_assert(image_log_complete(kept));
    struct tally tally;
    image_log_tally(kept, &tally);
    ck_assert_uint_eq(tally.read, 5);
    ck_assert_uint_eq(tally.counted, 4);
    ck_assert_uint_eq(tally.quarantined, 1);
}
END_TEST

START_TEST(what_is_on_disk_is_there_when_it_comes_back_with_another_epoch)
{
    struct control_durable state = {.source = 0};
    image_log_state(kept, 0, &state);
    const uint64_t epoch = state.epoch;
    for (uint64_t seq = 0; seq < 2; seq++)
        ck_assert_int_eq(take(seq), STATUS_OK);
    ck_assert_uint_eq(seal(false), 2);
    close_log();
    open_log();
    image_log_state(kept, 0, &state);
    ck_assert_uint_eq(state.watermark, 2);
    ck_assert_uint_gt(state.epoch, epoch);
    ck_assert(!image_log_complete(kept));
}
END_TEST

START_TEST(a_batch_must_tell_of_the_rows_that_were_handed_out)
{
    static const uint16_t pixel[] = {3, 12};
    static const float m_jj[] = {3050};
    union record images = bare_images(1, pixel, m_jj, NULL);
    const struct wire_header header = {.type = MESSAGE_IMAGE_BATCH};
    const struct stage_item item = {.header = &header, .record = &images};
    const struct stage_rows same = {.first = 0, .n = 1}, others = {.first = 1, .n = 1};
    ck_assert_ptr_null(image_log_fault(kept, &item, NULL));
    ck_assert_ptr_null(image_log_fault(kept, &item, &same));
    CK_SAYS(image_log_fault(kept, &item, &others), "other rows than its reader handed out");
    images.images.read = 2;
    CK_SAYS(image_log_fault(kept, &item, NULL), "are not the rows that were read");
    images.images.quarantined = 1;
    CK_SAYS(image_log_fault(kept, &item, NULL), "only their reader gives them up");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("image_log");
    tcase_add_checked_fixture(cases, create, destroy);
    tcase_add_test(cases, batches_in_any_order_are_sealed_in_one_and_served_by_their_place);
    tcase_add_test(cases, a_batch_given_up_keeps_its_place_and_is_accounted_for);
    tcase_add_test(cases, what_is_on_disk_is_there_when_it_comes_back_with_another_epoch);
    tcase_add_test(cases, a_batch_must_tell_of_the_rows_that_were_handed_out);
    return run_case(cases, "image_log");
}
