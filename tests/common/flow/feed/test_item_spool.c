/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a producer has made can be had again, in any order, on a full disk too. */
#include "common/flow/feed/item_spool.h"

#include <errno.h>
#include <string.h>

#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/small_disk.h"

enum { ITEMS = 61, PAYLOAD_MAX = 9000 };

/* Item i has a header of 1 + i % 7 bytes and a payload of 149 i bytes, all made of i. */
static size_t header_size(uint64_t i)
{
    return 1 + i % 7;
}

static size_t payload_size(uint64_t i)
{
    return 149 * i;
}

static void add_items(item_spool *kept)
{
    for (uint64_t i = 0; i < ITEMS; i++) {
        uint8_t header[7], payload[PAYLOAD_MAX];
        memset(header, (int)i, sizeof header);
        memset(payload, (int)(i + 100), sizeof payload);
        const struct wire_frame frames[2] = {{header, header_size(i)}, {payload, payload_size(i)}};
        ck_assert_int_eq(item_spool_add(kept, frames), STATUS_OK);
    }
    ck_assert_uint_eq(item_spool_items(kept), ITEMS);
}

/* From the last to the first. */
static void check_items(const item_spool *kept)
{
    for (uint64_t i = ITEMS; i-- > 0;) {
        size_t sizes[2];
        uint8_t header[7], payload[PAYLOAD_MAX];
        item_spool_sizes(kept, i, sizes);
        ck_assert_uint_eq(sizes[0], header_size(i));
        ck_assert_uint_eq(sizes[1], payload_size(i));
        ck_assert_int_eq(item_spool_get(kept, i, header, payload), STATUS_OK);
        for (size_t b = 0; b < sizes[0]; b++)
            ck_assert_uint_eq(header[b], i);
        for (size_t b = 0; b < sizes[1]; b++)
            ck_assert_uint_eq(payload[b], i + 100);
    }
}

START_TEST(every_item_comes_back_as_it_was_given)
{
    item_spool *kept;
    ck_assert_int_eq(item_spool_create(&kept, scratch_path(".")), STATUS_OK);
    add_items(kept);
    check_items(kept);
    item_spool_destroy(&kept);
    ck_assert_ptr_null(kept);
}
END_TEST

START_TEST(on_a_full_disk_items_stay_in_memory)
{
    const char *disk = scratch_path("disk");
    if (!small_disk_mount(disk))
        SKIP("no small file system can be mounted here (%s)", strerror(errno));
    static const char ballast[150000];
    file_put(scratch_path("disk/ballast"), sizeof ballast, ballast);
    item_spool *kept;
    ck_assert_int_eq(item_spool_create(&kept, scratch_path("disk")), STATUS_OK);
    captured_begin();
    add_items(kept); /* 273 kB: more than there is room for */
    const char *said = captured_end();
    CK_SAYS(said, "/disk: an item for later readers cannot be written: No space left on device; "
                  "what finds no room there stays in memory");
    const char *end = strchr(said, '\n');
    ck_assert_ptr_nonnull(end);
    ck_assert_str_eq(end, "\n"); /* once */
    check_items(kept);
    item_spool_destroy(&kept);
    unlink(scratch_path("disk/ballast"));
    small_disk_unmount(disk);
}
END_TEST

START_TEST(without_room_for_a_file_items_stay_in_memory)
{
    const char *disk = scratch_path("disk");
    if (!small_disk_mount(disk))
        SKIP("no small file system can be mounted here (%s)", strerror(errno));
    ck_assert_int_eq(mount("none", disk, NULL, MS_REMOUNT, "nr_inodes=1"), 0);
    item_spool *kept;
    ck_assert_int_eq(item_spool_create(&kept, scratch_path("disk")), STATUS_OK);
    captured_begin();
    add_items(kept);
    CK_SAYS(captured_end(), "stays in memory");
    check_items(kept);
    item_spool_destroy(&kept);
    small_disk_unmount(disk);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_refused)
{
    item_spool *kept;
    ck_assert_int_eq(item_spool_create(&kept, scratch_path("nowhere")), STATUS_IO);
    ck_assert_ptr_null(kept);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("keep");
    tcase_add_checked_fixture(cases, scratch_make, scratch_remove);
    tcase_add_test(cases, every_item_comes_back_as_it_was_given);
    tcase_add_test(cases, on_a_full_disk_items_stay_in_memory);
    tcase_add_test(cases, without_room_for_a_file_items_stay_in_memory);
    tcase_add_test(cases, a_folder_that_is_not_there_is_refused);
    return run_case(cases, "flow/keep");
}
