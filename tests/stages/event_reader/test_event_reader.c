/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_reader, called bare: batches are fixed rows of files, and can be read again in any order.
 */
#include "stages/event_reader/event_reader.h"

#include "common/store/events/event_file.h"
#include "common/store/events/event_writer.h"
#include "tests/support/bare_stage.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"

static void *reader;
static json_t *settings;

/* n events of one particle, whose pT tells the file and the row. */
static const char *write_file(const char *name, uint32_t n, float base)
{
    const char *path = scratch_path(name);
    uint32_t offset[301];
    float pt[300], zero[300] = {0};
    for (uint32_t e = 0; e < n; e++) {
        offset[e] = e;
        pt[e] = base + (float)e;
    }
    offset[n] = n;
    const struct event_batch batch = {
        .events = n, .particles = n, .offset = offset, .pt = pt, .eta = zero, .phi = zero};
    event_writer *writer;
    ck_assert_int_eq(event_writer_create(&writer, path), STATUS_OK);
    ck_assert_int_eq(event_writer_add(writer, &batch), STATUS_OK);
    ck_assert_int_eq(event_writer_commit(&writer), STATUS_OK);
    return path;
}

static void create(void)
{
    scratch_make();
    settings = json_pack("{s:[s, s], s:[i, i]}", "files", write_file("a.h5", 250, 1000), "b.h5",
                         "rows", 40, 300);
    json_array_set_new(json_object_get(settings, "files"), 1,
                       json_string(write_file("b.h5", 120, 5000)));
    const struct stage_setup setup = {
        .analysis = bare_analysis(), .settings = settings, .folder = scratch, .sources = 1};
    ck_assert_int_eq(event_reader_create(&reader, &setup), STATUS_OK);
}

static void destroy(void)
{
    event_reader_destroy(&reader);
    ck_assert_ptr_null(reader);
    json_decref(settings);
    scratch_remove();
}

static void check_batch(uint64_t seq, uint64_t first, uint32_t n, float first_pt)
{
    union record record;
    struct stage_rows rows;
    ck_assert_int_eq(event_reader_read(reader, seq, &record, &rows), STATUS_OK);
    ck_assert_uint_eq(rows.first, first);
    ck_assert_uint_eq(rows.n, n);
    ck_assert_uint_eq(record.events.first_row, first);
    ck_assert_uint_eq(record.events.events, n);
    ck_assert_float_eq(record.events.pt[0], first_pt);
    ck_assert_float_eq(record.events.pt[n - 1], first_pt + (float)(n - 1));
}

START_TEST(batches_are_fixed_rows_of_the_files_in_any_order)
{
    uint64_t batches, rows;
    event_reader_extent(reader, &batches, &rows);
    ck_assert_uint_eq(batches, 4);
    ck_assert_uint_eq(rows, 260);
    for (size_t twice = 0; twice < 2; twice++) {
        check_batch(3, 250, 50, 5000); /* never across files */
        check_batch(0, 40, 100, 1040);
        check_batch(2, 240, 10, 1240);
        check_batch(1, 140, 100, 1140);
    }
    bool busy = false, ended = false;
    ck_assert_int_eq(event_reader_grow(reader, &busy, &ended), STATUS_OK);
    ck_assert(ended);
    struct stage_descriptor watch[STAGE_DESCRIPTORS_MAX];
    long wait_ms = 200;
    ck_assert_uint_eq(event_reader_wanted(reader, watch, &wait_ms), 0); /* no folder is followed */
    ck_assert_int_eq(wait_ms, 200);
}
END_TEST

START_TEST(rows_that_are_given_up_are_noted_with_their_file)
{
    ck_assert_int_eq(event_reader_quarantine(reader, 3, "nobody could take it"), STATUS_OK);
    size_t size;
    uint8_t *bytes = file_bytes(scratch_path("files-0.jsonl"), &size);
    CK_SAYS((const char *)bytes, "b.h5");
    CK_SAYS((const char *)bytes, "\"first_row\":0");
    CK_SAYS((const char *)bytes, "\"rows\":50");
    CK_SAYS((const char *)bytes, "nobody could take it");
    free(bytes);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("event_reader");
    tcase_add_checked_fixture(cases, create, destroy);
    tcase_add_test(cases, batches_are_fixed_rows_of_the_files_in_any_order);
    tcase_add_test(cases, rows_that_are_given_up_are_noted_with_their_file);
    return run_case(cases, "event_reader");
}
