/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal of a followed folder: what was written is read back, half a line is not. */
#include "stages/event_reader/journal.h"

#include <sys/stat.h>

#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"

static const struct journal_file second = {
    .name = "b \"2\".h5",
    .events = 517,
    .content = {{64769, 517, 90001, 1700000000123456789, 1700000000987654321}, {0xab, 0, 7}}};

static journal *open_journal(void)
{
    journal *notes = NULL;
    ck_assert_int_eq(journal_open(&notes, scratch, 3), STATUS_OK);
    return notes;
}

/* One file refused, one taken, one that came too late. */
static void write_three(void)
{
    journal *notes = open_journal();
    ck_assert_int_eq(journal_refuse(notes, "a.h5", "broken"), STATUS_OK);
    ck_assert_int_eq(journal_take(notes, &second), STATUS_OK);
    ck_assert_int_eq(journal_refuse(notes, "aa.h5", "too late"), STATUS_OK);
    journal_close(&notes);
}

static void assert_three(const journal *notes)
{
    ck_assert_uint_eq(journal_n_files(notes), 1);
    ck_assert_uint_eq(journal_n_refused(notes), 2);
    const struct journal_file *file = journal_file(notes, 0);
    ck_assert_str_eq(file->name, second.name);
    ck_assert_uint_eq(file->events, second.events);
    ck_assert(file_identity_equal(&file->content.identity, &second.content.identity));
    ck_assert_mem_eq(file->content.digest, second.content.digest, sizeof second.content.digest);
    ck_assert(journal_knows(notes, "a.h5") && journal_knows(notes, "aa.h5"));
    ck_assert(journal_knows(notes, second.name) && !journal_knows(notes, "c.h5"));
    ck_assert_str_eq(journal_last_name(notes), second.name);
}

START_TEST(what_was_noted_is_there_after_a_restart)
{
    write_three();
    journal *notes = open_journal();
    assert_three(notes);
    ck_assert(!journal_ended(notes));
    ck_assert_int_eq(journal_end(notes), STATUS_OK);
    journal_close(&notes);
    notes = open_journal();
    assert_three(notes);
    ck_assert(journal_ended(notes));
    journal_close(&notes);
}
END_TEST

START_TEST(half_a_line_at_the_end_is_cut_off)
{
    write_three();
    FILE *file = fopen(scratch_path("files-3.jsonl"), "a");
    ck_assert_ptr_nonnull(file);
    fputs("{\"file\": \"c.h5\", \"eve", file);
    fclose(file);
    journal *notes = open_journal();
    assert_three(notes);
    ck_assert_int_eq(journal_refuse(notes, "d.h5", "broken"), STATUS_OK);
    journal_close(&notes);
    notes = open_journal();
    ck_assert_uint_eq(journal_n_refused(notes), 3);
    ck_assert(!journal_knows(notes, "c.h5"));
    journal_close(&notes);
}
END_TEST

START_TEST(a_line_that_is_none_of_a_journal_is_refused)
{
    static const char *const lines[] = {
        "no JSON\n", "{}\n", "{\"file\": \"a\", \"events\": 1, \"bytes\": 2, \"digest\": \"ab\"}\n",
        "{\"file\": \"a\", \"events\": -1, \"bytes\": 2, \"digest\": "
        "\"000102030405060708090a0b0c0d0e0f\"}\n",
        "{\"end\": true}\n{\"refused\": \"a\", \"because\": \"b\"}\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        file_put(scratch_path("files-3.jsonl"), strlen(lines[i]), lines[i]);
        journal *notes = NULL;
        ck_assert_msg(journal_open(&notes, scratch, 3) == STATUS_BAD_INPUT, "%s", lines[i]);
        ck_assert_ptr_null(notes);
    }
}
END_TEST

START_TEST(a_second_reader_does_not_get_it)
{
    journal *notes = open_journal();
    journal *other = NULL;
    ck_assert_int_eq(journal_open(&other, scratch, 3), STATUS_LOCKED);
    ck_assert_int_eq(journal_open(&other, scratch, 4), STATUS_OK); /* of another source */
    journal_close(&other);
    journal_close(&notes);
}
END_TEST

START_TEST(something_else_in_its_place_is_refused_without_waiting)
{
    journal *notes;
    const char *path = scratch_path("files-3.jsonl");
    ck_assert_int_eq(_i == 0 ? mkfifo(path, 0666) : mkdir(path, 0777), 0);
    ck_assert_int_eq(journal_open(&notes, scratch, 3), STATUS_BAD_INPUT);
    ck_assert_ptr_null(notes);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("journal");
    tcase_add_checked_fixture(cases, scratch_make, scratch_remove);
    tcase_add_test(cases, what_was_noted_is_there_after_a_restart);
    tcase_add_test(cases, half_a_line_at_the_end_is_cut_off);
    tcase_add_test(cases, a_line_that_is_none_of_a_journal_is_refused);
    tcase_add_test(cases, a_second_reader_does_not_get_it);
    tcase_add_loop_test(cases, something_else_in_its_place_is_refused_without_waiting, 0, 2);
    return run_case(cases, "event_reader.journal");
}
