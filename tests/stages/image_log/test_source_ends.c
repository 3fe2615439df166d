/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a source can end, whoever says so. */
#include "stages/image_log/source_ends.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"

static struct stage_setup setup;
static json_t *extents;
static source_ends *ends;

/* Source 0 has files, source 1 a followed folder, of source 2 nothing is known. */
static void open_ends(void)
{
    scratch_make();
    extents = json_pack("[[i, i], s, n]", 4, 350, "journal");
    setup = (struct stage_setup){.sources = 3, .folder = scratch, .extents = extents};
    setup.analysis.stream.batch = 100;
    ck_assert_int_eq(source_ends_create(&ends, &setup), STATUS_OK);
}

static void close_ends(void)
{
    source_ends_destroy(&ends);
    json_decref(extents);
    scratch_remove();
}

static void write_journal(const char *lines)
{
    file_put(scratch_path("files-1.jsonl"), strlen(lines), lines);
}

static bool fits(uint32_t source, uint64_t batches, uint64_t rows)
{
    return source_ends_fit(ends, source, batches, rows);
}

START_TEST(an_end_that_the_files_do_not_have_is_refused_and_told_once)
{
    captured_begin();
    ck_assert(!fits(0, 3, 300));
    ck_assert(!fits(0, 3, 300));
    ck_assert_str_eq(captured_end(),
                     "warning: refused the word of somebody that source 0 ends after "
                     "3 batches with 300 rows: its files have others\n");
    ck_assert(fits(0, 4, 350));
    ck_assert(fits(0, 4, 350));
    ck_assert(!fits(0, 4, 349));
}
END_TEST

START_TEST(a_followed_folder_ends_when_its_reader_has_noted_that)
{
    write_journal("{\"file\": \"a.h5\", \"events\": 250}\n"
                  "{\"refused\": \"b.h5\", \"because\": \"empty\"}\n");
    captured_begin();
    ck_assert(!fits(1, 3, 250));
    CK_SAYS(captured_end(), "its reader has not noted the end");
    write_journal("{\"file\": \"a.h5\", \"events\": 250}\n"
                  "{\"file\": \"c.h5\", \"events\": 101}\n{\"end\": true}\n");
    ck_assert(!fits(1, 4, 351));
    ck_assert(fits(1, 5, 351));
}
END_TEST

START_TEST(where_nothing_is_known_the_reader_is_believed)
{
    ck_assert(fits(2, 7, 123));
    ck_assert(fits(1, 1, 1)); /* no journal */
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("source_ends");
    tcase_add_checked_fixture(cases, open_ends, close_ends);
    tcase_add_test(cases, an_end_that_the_files_do_not_have_is_refused_and_told_once);
    tcase_add_test(cases, a_followed_folder_ends_when_its_reader_has_noted_that);
    tcase_add_test(cases, where_nothing_is_known_the_reader_is_believed);
    return run_case(cases, "source_ends");
}
