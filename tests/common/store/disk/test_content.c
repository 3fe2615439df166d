/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Content is every byte of a file; an identity changes with every change of the file. */
#include "common/store/disk/content.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"

enum { SIZE = 3145739 }; /* odd, and more than two blocks */

static const char *write_file(const char *name, int changed_at)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < SIZE; i++)
        putc(i == changed_at ? 'x' : i % 251, file);
    fclose(file);
    return path;
}

static struct content read_file(const char *path)
{
    struct content content;
    ck_assert_int_eq(content_read(&content, path), STATUS_OK);
    return content;
}

START_TEST(the_digest_is_xxh3_128_of_all_bytes)
{
    char hex[CONTENT_HEX_SIZE];
    const char *path = scratch_path("abc");
    FILE *file = fopen(path, "w");
    fputs("abc", file);
    fclose(file);
    const struct content content = read_file(path);
    content_hex(&content, hex);
    ck_assert_str_eq(hex, "06b05ab6733a618578af5f94892f3950"); /* printed by xxh128sum 0.8.1 */
}
END_TEST

START_TEST(equal_files_have_equal_digests_and_a_changed_byte_anywhere_another)
{
    static const int places[] = {0, 1, 1048575, 1048576, 2097211, SIZE - 1};
    const struct content one = read_file(write_file("one", -1));
    const struct content two = read_file(write_file("two", -1));
    ck_assert_mem_eq(one.digest, two.digest, sizeof one.digest);
    const struct content changed = read_file(write_file("three", places[_i]));
    ck_assert_mem_ne(one.digest, changed.digest, sizeof one.digest);
}
END_TEST

static void touch_back(const char *path, const struct content *was)
{
    const struct timespec then = {was->identity.mtime_ns / 1000000000,
                                  was->identity.mtime_ns % 1000000000};
    const struct timespec times[2] = {then, then};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(a_byte_changed_in_place_changes_the_identity_even_with_the_old_time_stamp)
{
    const char *path = write_file("file", -1);
    const struct content before = read_file(path);
    FILE *file = fopen(path, "r+");
    fseek(file, 777, SEEK_SET);
    putc('x', file);
    fclose(file);
    touch_back(path, &before);
    struct file_identity after;
    ck_assert_int_eq(file_identity_of(path, &after), STATUS_OK);
    ck_assert_int_eq(after.mtime_ns, before.identity.mtime_ns);
    ck_assert(!file_identity_equal(&before.identity, &after));
}
END_TEST

START_TEST(a_file_renamed_over_another_has_another_identity)
{
    const char *path = write_file("file", -1);
    const struct content before = read_file(path);
    ck_assert_int_eq(rename(write_file("other", -1), path), 0);
    touch_back(path, &before);
    struct file_identity after;
    ck_assert_int_eq(file_identity_of(path, &after), STATUS_OK);
    ck_assert(!file_identity_equal(&before.identity, &after));
}
END_TEST

START_TEST(an_identity_comes_back_from_json)
{
    const struct file_identity one = {UINT64_MAX, 5, UINT64_C(1) << 60, -7, INT64_MAX};
    struct file_identity two = {0};
    json_t *json = file_identity_to_json(&one);
    ck_assert(file_identity_from_json(&two, json));
    ck_assert(file_identity_equal(&one, &two));
    json_array_append_new(json, json_integer(3));
    ck_assert(!file_identity_from_json(&two, json));
    json_decref(json);
    ck_assert(!file_identity_from_json(&two, NULL));
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused_by_name_and_never_waited_for)
{
    struct content content;
    const char *path = scratch_path("thing");
    ck_assert_int_eq(_i == 0 ? mkfifo(path, 0600) : mkdir(path, 0700), 0);
    captured_begin();
    ck_assert_int_eq(content_read(&content, path), STATUS_BAD_INPUT);
    const char *said = captured_end();
    CK_SAYS(said, path);
    CK_SAYS(said, "no regular file");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("content");
    tcase_add_checked_fixture(cases, scratch_make, scratch_remove);
    tcase_add_test(cases, the_digest_is_xxh3_128_of_all_bytes);
    tcase_add_loop_test(cases, equal_files_have_equal_digests_and_a_changed_byte_anywhere_another,
                        0, 6);
    tcase_add_test(cases,
                   a_byte_changed_in_place_changes_the_identity_even_with_the_old_time_stamp);
    tcase_add_test(cases, a_file_renamed_over_another_has_another_identity);
    tcase_add_test(cases, an_identity_comes_back_from_json);
    tcase_add_loop_test(cases, what_is_no_regular_file_is_refused_by_name_and_never_waited_for, 0,
                        2);
    return run_case(cases, "store.content");
}
