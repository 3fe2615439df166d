/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file that appears whole or not at all, and what stands in its way. */
#include "common/store/disk/atomic_file.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"

static const char content[] = "seventeen bytes..";

static void check_file(const char *path, const char *must)
{
    size_t size;
    uint8_t *bytes = file_bytes(path, &size);
    ck_assert_uint_eq(size, strlen(must));
    ck_assert_mem_eq(bytes, must, size);
    free(bytes);
}

START_TEST(a_file_is_replaced_as_a_whole)
{
    const char *path = scratch_path("file");
    file_put(path, 3, "old");
    ck_assert_int_eq(atomic_file_replace(path, sizeof content - 1, content), STATUS_OK);
    check_file(path, content);
    ck_assert(!file_exists(scratch_path("file.tmp")));
}
END_TEST

START_TEST(what_is_given_up_leaves_the_old_file)
{
    const char *path = scratch_path("file");
    atomic_file *file;
    file_put(path, 3, "old");
    ck_assert_int_eq(atomic_file_create(&file, path), STATUS_OK);
    ck_assert_int_eq(atomic_file_write(file, 5, content), STATUS_OK);
    atomic_file_destroy(&file);
    atomic_file_destroy(&file);
    check_file(path, "old");
    ck_assert(!file_exists(scratch_path("file.tmp")));
}
END_TEST

START_TEST(two_writers_do_not_mix)
{
    atomic_file *first, *second;
    ck_assert_int_eq(atomic_file_create(&first, scratch_path("file")), STATUS_OK);
    ck_assert_int_eq(atomic_file_create(&second, scratch_path("file")), STATUS_LOCKED);
    ck_assert_ptr_null(second);
    atomic_file_destroy(&first);
}
END_TEST

START_TEST(something_else_in_place_of_the_temporary_file_is_refused_without_waiting)
{
    const char *path = scratch_path("file");
    char *temporary = strdup(scratch_path("file.tmp"));
    ck_assert_int_eq(_i == 0   ? mkfifo(temporary, 0666)
                     : _i == 1 ? mkdir(temporary, 0777)
                               : symlink("/dev/null", temporary),
                     0);
    captured_begin();
    ck_assert_int_eq(atomic_file_replace(path, 3, "new"), STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "/file: cannot ");
    struct stat about;
    ck_assert_int_eq(lstat(temporary, &about), 0); /* it is somebody else's */
    free(temporary);
}
END_TEST

START_TEST(a_file_larger_than_it_may_be_is_no_full_disk)
{
    const char *path = scratch_path("file");
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit kept, small;
    getrlimit(RLIMIT_FSIZE, &kept);
    small = kept;
    small.rlim_cur = 5;
    setrlimit(RLIMIT_FSIZE, &small);
    const status done = atomic_file_replace(path, sizeof content - 1, content);
    setrlimit(RLIMIT_FSIZE, &kept);
    ck_assert_int_eq(done, STATUS_BAD_INPUT);
    ck_assert(!file_exists(path));
    ck_assert(!file_exists(scratch_path("file.tmp")));
}
END_TEST

START_TEST(a_full_disk_and_a_full_quota_may_be_tried_again_and_nothing_else)
{
    ck_assert_int_eq(status_of_errno(ENOSPC), STATUS_NO_SPACE);
    ck_assert_int_eq(status_of_errno(EDQUOT), STATUS_NO_SPACE);
    static const int others[] = {EFBIG, EROFS, EACCES, EISDIR, ENOENT, ELOOP};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_int_eq(status_of_errno(others[i]), STATUS_BAD_INPUT);
    ck_assert_int_eq(status_of_errno(EIO), STATUS_IO);
    ck_assert_int_eq(status_of_errno(ENOMEM), STATUS_NO_MEMORY);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("atomic_file");
    tcase_add_checked_fixture(cases, scratch_make, scratch_remove);
    tcase_add_test(cases, a_file_is_replaced_as_a_whole);
    tcase_add_test(cases, what_is_given_up_leaves_the_old_file);
    tcase_add_test(cases, two_writers_do_not_mix);
    tcase_add_loop_test(
        cases, something_else_in_place_of_the_temporary_file_is_refused_without_waiting, 0, 3);
    tcase_add_test(cases, a_file_larger_than_it_may_be_is_no_full_disk);
    tcase_add_test(cases, a_full_disk_and_a_full_quota_may_be_tried_again_and_nothing_else);
    return run_case(cases, "store/atomic_file");
}
