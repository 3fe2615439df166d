/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of log_folder: what was acknowledged stays, whatever dies and whatever rots. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "common/base/log.h"
#include "common/store/log/log_folder.h"
#include "common/store/log/segment_images.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/kill_at.h"
#include "tests/support/sample_batch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/small_disk.h"

#define LOG_ID "00112233445566778899aabbccddeeff"
enum { SOURCES = 2, BATCHES_EACH = 3 };

/* The names of the batches of segment i, three of them: (0, i2), (1, i), (0, i2 + 1). */
static struct sample_batch *sample(uint64_t segment_index, size_t b, uint32_t events)
{
    if (b == 1)
        return sample_batch_make(1, segment_index, events, 1);
    return sample_batch_make(0, 2 * segment_index + b / 2, events, 0);
}

static status seal_sized(log_folder *folder, uint32_t events)
{
    const uint64_t next = log_folder_segments(folder);
    struct sample_batch *samples[BATCHES_EACH];
    struct segment_batch batches[BATCHES_EACH];
    for (size_t b = 0; b < BATCHES_EACH; b++) {
        samples[b] = sample(next, b, events + (uint32_t)b);
        batches[b] = samples[b]->batch;
    }
    const status outcome = log_folder_seal(folder, BATCHES_EACH, batches);
    for (size_t b = 0; b < BATCHES_EACH; b++)
        free(samples[b]);
    return outcome;
}

static status seal(log_folder *folder)
{
    return seal_sized(folder, 3);
}

static log_folder *open_folder(const char *path)
{
    log_folder *folder;
    ck_assert_int_eq(log_folder_open(&folder, &segment_images, path, LOG_ID, SOURCES, NULL),
                     STATUS_OK);
    return folder;
}

static log_folder *read_folder(const char *path)
{
    log_folder *folder;
    ck_assert_int_eq(log_folder_read(&folder, &segment_images, path), STATUS_OK);
    return folder;
}

/* Opens, seals n segments, closes. */
static void seal_some(const char *path, size_t n)
{
    log_folder *folder = open_folder(path);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(seal(folder), STATUS_OK);
    log_folder_close(&folder);
}

/* The manifest lists n segments. */
static void check_names_only(const log_folder *folder, size_t n)
{
    ck_assert_uint_eq(log_folder_segments(folder), n);
    ck_assert_uint_eq(log_folder_places(folder), BATCHES_EACH * n);
    ck_assert_uint_eq(log_folder_next_seq(folder, 0), 2 * n);
    ck_assert_uint_eq(log_folder_next_seq(folder, 1), n);
    ck_assert_uint_eq(log_folder_rows(folder, 0), (8 + 10) * n); /* as many events + 5 */
    ck_assert_uint_eq(log_folder_rows(folder, 1), 9 * n);
    const struct tally tally = log_folder_tally(folder);
    ck_assert_uint_eq(tally.read, 27 * n);
    ck_assert_uint_eq(tally.counted, 12 * n);
    ck_assert_uint_eq(tally.quarantined, 3 * n);
    ck_assert_uint_eq(tally.dropped[DROP_ONE_JET], 9 * n);
}

/* The folder holds n segments, each with its batches, and says so. */
static void check_content(log_folder *folder, size_t n)
{
    check_names_only(folder, n);
    for (size_t i = 0; i < n; i++) {
        const struct log_folder_segment *entry = log_folder_segment(folder, i);
        ck_assert_uint_eq(entry->first_place, BATCHES_EACH * i);
        ck_assert_uint_eq(entry->batches, BATCHES_EACH);
        char why[LOG_FOLDER_WHY];
        segment *read;
        ck_assert_int_eq(segment_images_load(folder, i, &read, why), STATUS_OK);
        ck_assert_uint_eq(segment_batches(read), BATCHES_EACH);
        for (size_t b = 0; b < BATCHES_EACH; b++) {
            struct segment_batch got;
            segment_get(read, b, &got);
            struct sample_batch *must = sample(i, b, 3 + (uint32_t)b);
            sample_batch_check(&got, &must->batch);
            free(must);
        }
        segment_close(&read);
    }
}

/* Opens a folder that must be refused, and sees that nothing in it has changed. */
static void check_refused_unchanged(const char *path, const char *log_id, uint32_t sources)
{
    char before[600], command[1400];
    snprintf(before, sizeof before, "%s.before", path);
    snprintf(command, sizeof command, "cp -a %s %s", path, before);
    ck_assert_int_eq(system(command), 0);
    log_folder *folder;
    ck_assert_int_eq(log_folder_open(&folder, &segment_images, path, log_id, sources, NULL),
                     STATUS_BAD_INPUT);
    ck_assert_ptr_null(folder);
    snprintf(command, sizeof command, "diff -r %s %s", before, path);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(a_new_folder_is_made_with_its_parents)
{
    log_folder *folder = open_folder(scratch_path("a/b/log"));
    ck_assert_uint_eq(log_folder_epoch(folder), 1);
    check_content(folder, 0);
    log_folder_close(&folder);
    ck_assert_ptr_null(folder);
    log_folder_close(&folder);
    ck_assert(file_exists(scratch_path("a/b/log/manifest.jsonl")));
}
END_TEST

START_TEST(what_was_sealed_is_there_after_reopening_and_goes_on)
{
    const char *path = scratch_path("log");
    seal_some(path, 2);
    log_folder *folder = open_folder(path);
    ck_assert_uint_eq(log_folder_epoch(folder), 2);
    check_content(folder, 2);
    ck_assert_int_eq(seal(folder), STATUS_OK);
    check_content(folder, 3);
    log_folder_close(&folder);
    folder = open_folder(path);
    ck_assert_uint_eq(log_folder_epoch(folder), 3);
    check_content(folder, 3);
    log_folder_close(&folder);
}
END_TEST

START_TEST(the_header_is_kept_until_another_is_given)
{
    const char *path = scratch_path("log");
    log_folder *folder;
    ck_assert_int_eq(
        log_folder_open(&folder, &segment_images, path, LOG_ID, SOURCES, "{\"radius\": 0.7}"),
        STATUS_OK);
    log_folder_close(&folder);
    seal_some(path, 1);
    folder = read_folder(path);
    ck_assert_double_eq(json_real_value(json_object_get(log_folder_made_from(folder), "radius")),
                        0.7);
    log_folder_close(&folder);
    ck_assert_int_eq(log_folder_open(&folder, &segment_images, path, LOG_ID, SOURCES, "[1]"),
                     STATUS_BAD_INPUT);
    ck_assert_int_eq(log_folder_open(&folder, &segment_images, path, LOG_ID, SOURCES, "{\"x\": 7}"),
                     STATUS_OK);
    log_folder_close(&folder);
    folder = read_folder(path);
    ck_assert_int_eq(json_integer_value(json_object_get(log_folder_made_from(folder), "x")), 7);
    log_folder_close(&folder);
}
END_TEST

/* Segment i is found to be damaged when it is used, for a reason that says `why`. */
static void check_damaged(log_folder *folder, size_t i, const char *why)
{
    segment *part;
    char said[LOG_FOLDER_WHY];
    ck_assert_int_eq(segment_images_load(folder, i, &part, said), STATUS_BAD_SHAPE);
    ck_assert_ptr_null(part);
    CK_SAYS(said, why);
}

START_TEST(a_damaged_segment_is_moved_aside_with_those_after_it_and_the_log_goes_on)
{
    const char *path = scratch_path("log");
    seal_some(path, 5);
    file_flip(scratch_path("log/segment-000002.h5"), 5000);
    size_t size, kept_size;
    uint8_t *damaged = file_bytes(scratch_path("log/segment-000002.h5"), &size);
    log_folder *folder = open_folder(path);
    check_damaged(folder, 2, "is damaged: it does not fit the digest it was sealed with");
    captured_begin();
    ck_assert_int_eq(log_folder_cut(folder, 2, "is damaged"), STATUS_OK);
    const char *said = captured_end();
    CK_SAYS(said, "log/segment-000002.h5 is damaged; moved aside to ");
    CK_SAYS(said, "log/segment-000002.h5.damaged");
    CK_SAYS(said, "segments 3 to 4 are moved aside (.aside): 9 batches are read again");
    ck_assert_uint_eq(log_folder_epoch(folder), 3);
    check_content(folder, 2);
    uint8_t *kept = file_bytes(scratch_path("log/segment-000002.h5.damaged"), &kept_size);
    ck_assert_uint_eq(size, kept_size);
    ck_assert_mem_eq(kept, damaged, size);
    free(kept);
    free(damaged);
    ck_assert(file_exists(scratch_path("log/segment-000003.h5.aside")));
    ck_assert(file_exists(scratch_path("log/segment-000004.h5.aside")));
    ck_assert(!file_exists(scratch_path("log/segment-000002.h5")));
    ck_assert(!file_exists(scratch_path("log/segment-000003.h5")));
    ck_assert_int_eq(seal(folder), STATUS_OK);
    log_folder_close(&folder);
    folder = open_folder(path);
    ck_assert_uint_eq(log_folder_epoch(folder), 4);
    check_content(folder, 3);
    log_folder_close(&folder);
}
END_TEST

START_TEST(what_was_moved_aside_is_never_overwritten)
{
    const char *path = scratch_path("log");
    seal_some(path, 2);
    file_put(scratch_path("log/segment-000001.h5.damaged"), 5, "older");
    file_put(scratch_path("log/segment-000001.h5.damaged.1"), 4, "next");
    file_flip(scratch_path("log/segment-000001.h5"), 300);
    log_folder *folder = open_folder(path);
    ck_assert_int_eq(log_folder_cut(folder, 1, "is damaged"), STATUS_OK);
    log_folder_close(&folder);
    size_t size;
    free(file_bytes(scratch_path("log/segment-000001.h5.damaged"), &size));
    ck_assert_uint_eq(size, 5);
    ck_assert(file_exists(scratch_path("log/segment-000001.h5.damaged.2")));
}
END_TEST

START_TEST(a_missing_segment_keeps_those_before_it)
{
    const char *path = scratch_path("log");
    seal_some(path, 3);
    unlink(scratch_path("log/segment-000001.h5"));
    log_folder *folder = open_folder(path);
    check_damaged(folder, 1, "is missing");
    ck_assert_int_eq(log_folder_cut(folder, 1, "is missing"), STATUS_OK);
    check_content(folder, 1);
    ck_assert(file_exists(scratch_path("log/segment-000002.h5.aside")));
    log_folder_close(&folder);
}
END_TEST

START_TEST(the_first_segment_may_be_lost_but_not_all)
{
    const char *path = scratch_path("log");
    seal_some(path, 3);
    file_flip(scratch_path("log/segment-000000.h5"), 77);
    log_folder *folder = open_folder(path);
    ck_assert_int_eq(log_folder_cut(folder, 0, "is damaged"), STATUS_OK);
    check_content(folder, 0);
    ck_assert_int_eq(seal(folder), STATUS_OK);
    file_flip(scratch_path("log/segment-000000.h5"), 77);
    check_damaged(folder, 0, "digest");
    captured_begin();
    ck_assert_int_eq(log_folder_cut(folder, 0, "is damaged"), STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "none of 1 segments is usable; nothing was changed");
    check_names_only(folder, 1);
    ck_assert(file_exists(scratch_path("log/segment-000000.h5")));
    log_folder_close(&folder);
}
END_TEST

/* Makes what stands in place of segment 1: a pipe, a folder, a link to a good file. */
static void put_in_place(int kind)
{
    char *const path = strdup(scratch_path("log/segment-000001.h5"));
    ck_assert_int_eq(rename(path, scratch_path("elsewhere.h5")), 0);
    ck_assert_int_eq(kind == 0   ? mkfifo(path, 0666)
                     : kind == 1 ? mkdir(path, 0777)
                                 : symlink(scratch_path("elsewhere.h5"), path),
                     0);
    free(path);
}

START_TEST(something_else_in_place_of_a_segment_is_refused_by_name_without_waiting)
{
    static const char *const found[] = {"a named pipe", "a folder", "a symbolic link"};
    const char *path = scratch_path("log");
    seal_some(path, 3);
    put_in_place(_i);
    log_folder *folder = open_folder(path);
    segment *part;
    char why[LOG_FOLDER_WHY];
    captured_begin();
    ck_assert_int_eq(segment_images_load(folder, 1, &part, why), STATUS_BAD_INPUT);
    const char *said = captured_end();
    CK_SAYS(said, "log/segment-000001.h5: found ");
    CK_SAYS(said, found[_i]);
    log_folder_close(&folder);
}
END_TEST

START_TEST(something_else_in_place_of_the_manifest_or_the_lock_is_refused_without_waiting)
{
    static const char *const names[] = {"log/manifest.jsonl", "log/lock"};
    const char *name = names[_i / 2];
    log_folder *folder;
    seal_some(scratch_path("log"), 1);
    unlink(scratch_path(name));
    ck_assert_int_eq(_i % 2 ? mkdir(scratch_path(name), 0777) : mkfifo(scratch_path(name), 0666),
                     0);
    captured_begin();
    const status opened =
        log_folder_open(&folder, &segment_images, scratch_path("log"), LOG_ID, SOURCES, NULL);
    const status read = log_folder_read(&folder, &segment_images, scratch_path("log"));
    const char *said = captured_end();
    ck_assert_int_eq(opened, STATUS_BAD_INPUT);
    ck_assert_int_eq(read, STATUS_BAD_INPUT);
    CK_SAYS(said, name);
    CK_SAYS(said, _i % 2 ? "a folder" : "a named pipe");
}
END_TEST

static size_t manifest_lines(uint8_t *bytes, size_t size, size_t first_byte[])
{
    size_t n = 0;
    first_byte[0] = 0;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == '\n')
            first_byte[++n] = i + 1;
    return n;
}

START_TEST(a_torn_last_line_is_cut_off_and_its_segment_kept_aside)
{
    const char *path = scratch_path("log");
    seal_some(path, 3);
    size_t size, at[20];
    uint8_t *bytes = file_bytes(scratch_path("log/manifest.jsonl"), &size);
    const size_t n = manifest_lines(bytes, size, at);
    const size_t kept[] = {at[n - 1] + 1, at[n] - 40, at[n] - 1};
    file_put(scratch_path("log/manifest.jsonl"), kept[_i], bytes);
    free(bytes);
    log_folder *folder = open_folder(path);
    check_content(folder, 2);
    ck_assert_uint_ge(log_folder_epoch(folder), 2);
    ck_assert(file_exists(scratch_path("log/segment-000002.h5.aside")));
    ck_assert_int_eq(seal(folder), STATUS_OK);
    log_folder_close(&folder);
    folder = open_folder(path);
    check_content(folder, 3);
    log_folder_close(&folder);
}
END_TEST

START_TEST(a_changed_byte_in_a_middle_line_keeps_what_stands_before_it_and_all_files)
{
    const char *path = scratch_path("log");
    seal_some(path, 5);
    size_t size, at[20];
    uint8_t *bytes = file_bytes(scratch_path("log/manifest.jsonl"), &size);
    ck_assert_uint_eq(manifest_lines(bytes, size, at), 7); /* the first, the epoch, five segments */
    bytes[at[4] + 30 + (size_t)_i] ^= 1;
    file_put(scratch_path("log/manifest.jsonl"), size, bytes);
    captured_begin();
    log_folder *folder = open_folder(path);
    CK_SAYS(captured_end(), "manifest.jsonl: line 5 is damaged: 2 segments before it are kept");
    check_content(folder, 2);
    ck_assert_uint_gt(log_folder_epoch(folder),
                      4); /* above any that the lost lines may have held */
    ck_assert(file_exists(scratch_path("log/segment-000002.h5.aside")));
    ck_assert(file_exists(scratch_path("log/segment-000004.h5.aside")));
    size_t copied;
    uint8_t *copy = file_bytes(scratch_path("log/manifest.jsonl.damaged"), &copied);
    ck_assert_uint_eq(copied, size);
    ck_assert_mem_eq(copy, bytes, size);
    free(copy);
    free(bytes);
    ck_assert_int_eq(seal(folder), STATUS_OK);
    log_folder_close(&folder);
    folder = open_folder(path);
    check_content(folder, 3);
    log_folder_close(&folder);
}
END_TEST

START_TEST(lines_that_were_taken_out_or_swapped_are_seen)
{
    const char *path = scratch_path("log");
    seal_some(path, 4);
    size_t size, at[20];
    uint8_t *bytes = file_bytes(scratch_path("log/manifest.jsonl"), &size);
    manifest_lines(bytes, size, at);
    uint8_t *without = malloc(size);
    ck_assert_ptr_nonnull(without);
    memcpy(without, bytes, at[3]);
    memcpy(without + at[3], bytes + at[4], size - at[4]);
    file_put(scratch_path("log/manifest.jsonl"), size - (at[4] - at[3]), without);
    free(without);
    free(bytes);
    log_folder *folder = open_folder(path);
    check_content(folder, 1);
    log_folder_close(&folder);
}
END_TEST

START_TEST(a_manifest_without_its_first_line_is_refused_and_left_alone)
{
    const char *path = scratch_path("log");
    seal_some(path, 1 + (size_t)_i % 2);
    size_t size, at[20];
    uint8_t *bytes = file_bytes(scratch_path("log/manifest.jsonl"), &size);
    manifest_lines(bytes, size, at);
    const size_t kept[] = {0, 0, at[1] / 2, at[1] - 1};
    file_put(scratch_path("log/manifest.jsonl"), kept[_i], bytes);
    free(bytes);
    check_refused_unchanged(path, LOG_ID, SOURCES);
}
END_TEST

START_TEST(a_changed_byte_in_the_first_line_is_refused)
{
    const char *path = scratch_path("log");
    seal_some(path, 2);
    file_flip(scratch_path("log/manifest.jsonl"), 17);
    check_refused_unchanged(path, LOG_ID, SOURCES);
}
END_TEST

START_TEST(segments_without_a_manifest_are_refused_and_left_alone)
{
    const char *path = scratch_path("log");
    seal_some(path, 2);
    unlink(scratch_path("log/manifest.jsonl"));
    check_refused_unchanged(path, LOG_ID, SOURCES);
}
END_TEST

START_TEST(the_folder_of_another_log_is_refused)
{
    const char *path = scratch_path("log");
    seal_some(path, 1);
    check_refused_unchanged(path, "ffeeddccbbaa99887766554433221100", SOURCES);
}
END_TEST

START_TEST(the_folder_of_other_sources_is_refused)
{
    const char *path = scratch_path("log");
    seal_some(path, 1);
    check_refused_unchanged(path, LOG_ID, SOURCES + 1);
}
END_TEST

START_TEST(what_a_killed_log_left_behind_is_removed)
{
    const char *path = scratch_path("log");
    seal_some(path, 1);
    const char *const leftovers[] = {"log/segment-000001.h5", "log/segment-000001.h5.tmp",
                                     "log/manifest.jsonl.tmp"};
    for (size_t i = 0; i < 3; i++)
        file_put(scratch_path(leftovers[i]), 4, "half");
    file_put(scratch_path("log/segment-notes.h5"), 4, "mine");
    log_folder *folder = open_folder(path);
    check_content(folder, 1);
    for (size_t i = 0; i < 3; i++)
        ck_assert(!file_exists(scratch_path(leftovers[i])));
    ck_assert(file_exists(scratch_path("log/segment-notes.h5")));
    log_folder_close(&folder);
}
END_TEST

START_TEST(a_second_log_is_locked_out_until_the_first_dies)
{
    const char *path = scratch_path("log");
    int ready[2], hold[2];
    ck_assert_int_eq(pipe(ready), 0);
    ck_assert_int_eq(pipe(hold), 0);
    const pid_t child = fork();
    if (child == 0) {
        log_folder *folder;
        char byte = (char)log_folder_open(&folder, &segment_images, path, LOG_ID, SOURCES, NULL);
        close(hold[1]);
        if (write(ready[1], &byte, 1) == 1 && read(hold[0], &byte, 1) == 0)
            _exit(0); /* with the lock held */
        _exit(1);
    }
    char byte = -1;
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(byte, STATUS_OK);
    log_folder *folder;
    ck_assert_int_eq(log_folder_open(&folder, &segment_images, path, LOG_ID, SOURCES, NULL),
                     STATUS_LOCKED);
    ck_assert_ptr_null(folder);
    close(hold[1]);
    /* Not waited for: the lock is granted while the owner is dying. */
    folder = open_folder(path);
    ck_assert_uint_eq(log_folder_epoch(folder), 2);
    log_folder_close(&folder);
    int how;
    ck_assert_int_eq(waitpid(child, &how, 0), child);
    ck_assert(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}
END_TEST

START_TEST(readers_share_a_folder_and_change_nothing_in_it)
{
    const char *path = scratch_path("log");
    seal_some(path, 3);
    char command[1400];
    snprintf(command, sizeof command, "touch %s/segment-000007.h5; cp -a %s %s.before", path, path,
             path);
    ck_assert_int_eq(system(command), 0);
    log_folder *first = read_folder(path);
    log_folder *second = read_folder(path);
    check_content(second, 3);
    ck_assert_str_eq(log_folder_log_id(second), LOG_ID);
    ck_assert_uint_eq(log_folder_sources(second), SOURCES);
    ck_assert_uint_eq(log_folder_epoch(second), 1);
    log_folder_close(&first);
    log_folder_close(&second);
    snprintf(command, sizeof command, "diff -r %s %s.before", path, path);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(a_folder_is_read_without_its_lock_file)
{
    const char *path = scratch_path("log");
    seal_some(path, 1);
    ck_assert_int_eq(unlink(scratch_path("log/lock")), 0);
    log_folder *folder = read_folder(path);
    check_content(folder, 1);
    log_folder_close(&folder);
    ck_assert_int_ne(access(scratch_path("log/lock"), F_OK), 0);
}
END_TEST

START_TEST(a_reader_refuses_what_is_not_whole)
{
    const char *path = scratch_path("log");
    log_folder *folder;
    ck_assert_int_eq(log_folder_read(&folder, &segment_images, path), STATUS_BAD_INPUT);
    ck_assert_ptr_null(folder);
    seal_some(path, 3);
    file_flip(scratch_path("log/segment-000002.h5"), 5000);
    folder = read_folder(path);
    check_damaged(folder, 2, "digest");
    log_folder_close(&folder);
    size_t size, at[20];
    uint8_t *bytes = file_bytes(scratch_path("log/manifest.jsonl"), &size);
    manifest_lines(bytes, size, at);
    free(bytes);
    file_flip(scratch_path("log/manifest.jsonl"), at[3] + 20);
    ck_assert_int_eq(log_folder_read(&folder, &segment_images, path), STATUS_BAD_INPUT);
}
END_TEST

START_TEST(a_log_is_complete_from_finish_until_something_is_sealed_or_lost)
{
    const char *path = scratch_path("log");
    seal_some(path, 2);
    log_folder *folder = open_folder(path);
    ck_assert(!log_folder_complete(folder));
    ck_assert_int_eq(log_folder_finish(folder), STATUS_OK);
    log_folder_close(&folder);
    folder = open_folder(path);
    ck_assert(log_folder_complete(folder));
    ck_assert_int_eq(seal(folder), STATUS_OK);
    log_folder_close(&folder);
    folder = open_folder(path);
    ck_assert(!log_folder_complete(folder));
    ck_assert_int_eq(log_folder_finish(folder), STATUS_OK);
    log_folder_close(&folder);
    folder = open_folder(path);
    ck_assert(log_folder_complete(folder));
    ck_assert_int_eq(log_folder_cut(folder, 1, "is damaged"), STATUS_OK);
    ck_assert(!log_folder_complete(folder));
    log_folder_close(&folder);
    folder = open_folder(path);
    ck_assert(!log_folder_complete(folder));
    log_folder_close(&folder);
}
END_TEST

START_TEST(a_write_that_fails_changes_nothing_and_may_be_tried_again)
{
    const char *path = scratch_path("log");
    log_folder *folder = open_folder(path);
    ck_assert_int_eq(seal(folder), STATUS_OK);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit kept, small;
    getrlimit(RLIMIT_FSIZE, &kept);
    small = kept;
    small.rlim_cur = 1000; /* less than a segment */
    setrlimit(RLIMIT_FSIZE, &small);
    const status refused = seal(folder);
    setrlimit(RLIMIT_FSIZE, &kept);              /* Check writes each assertion to a file, too */
    ck_assert_int_eq(refused, STATUS_BAD_INPUT); /* trying again would not help */
    check_content(folder, 1);
    ck_assert(!file_exists(scratch_path("log/segment-000001.h5")));
    ck_assert(!file_exists(scratch_path("log/segment-000001.h5.tmp")));
    ck_assert_int_eq(seal(folder), STATUS_OK);
    check_content(folder, 2);
    log_folder_close(&folder);
}
END_TEST

START_TEST(a_segment_without_room_for_its_line_is_taken_back)
{
    const char *path = scratch_path("log");
    size_t size;
    log_folder *folder = open_folder(path);
    for (size_t i = 0; i < 200; i++)
        ck_assert_int_eq(seal_sized(folder, 0), STATUS_OK);
    free(file_bytes(scratch_path("log/manifest.jsonl"), &size));
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit kept, small;
    getrlimit(RLIMIT_FSIZE, &kept);
    small = kept;
    small.rlim_cur = size + 100; /* room for a segment, not for its line */
    setrlimit(RLIMIT_FSIZE, &small);
    const status refused = seal_sized(folder, 0);
    setrlimit(RLIMIT_FSIZE, &kept);
    ck_assert_int_eq(refused, STATUS_BAD_INPUT);
    ck_assert(!file_exists(scratch_path("log/segment-000200.h5")));
    ck_assert_uint_eq(log_folder_segments(folder), 200);
    ck_assert_int_eq(seal_sized(folder, 0), STATUS_OK);
    log_folder_close(&folder);
    folder = open_folder(path);
    ck_assert_uint_eq(log_folder_segments(folder), 201);
    log_folder_close(&folder);
}
END_TEST

START_TEST(a_full_disk_changes_nothing_and_sealing_goes_on_when_there_is_space)
{
    const char *disk = scratch_path("disk");
    if (!small_disk_mount(disk))
        SKIP("no small file system can be mounted here (%s)", strerror(errno));
    log_folder *folder = open_folder(scratch_path("disk/log"));
    ck_assert_int_eq(seal(folder), STATUS_OK);
    static const char ballast[150000];
    file_put(scratch_path("disk/ballast"), sizeof ballast, ballast);
    ck_assert_int_eq(seal_sized(folder, 500), STATUS_NO_SPACE);
    check_content(folder, 1);
    ck_assert_int_eq(seal_sized(folder, 500), STATUS_NO_SPACE);
    ck_assert(!file_exists(scratch_path("disk/log/segment-000001.h5.tmp")));
    unlink(scratch_path("disk/ballast"));
    ck_assert_int_eq(seal(folder), STATUS_OK);
    check_content(folder, 2);
    log_folder_close(&folder);
    small_disk_unmount(disk);
}
END_TEST

static void limit_inodes(const char *disk, unsigned long more)
{
    struct statvfs about;
    char options[40];
    ck_assert_int_eq(statvfs(disk, &about), 0);
    snprintf(options, sizeof options, "nr_inodes=%lu",
             (unsigned long)(about.f_files - about.f_ffree) + more);
    ck_assert_int_eq(mount("none", disk, NULL, MS_REMOUNT, options), 0);
}

START_TEST(a_disk_without_inodes_is_a_full_disk_also_for_a_log_that_begins)
{
    const char *disk = scratch_path("disk");
    if (!small_disk_mount(disk))
        SKIP("no small file system can be mounted here (%s)", strerror(errno));
    log_folder *folder;
    for (unsigned long inodes = 0; inodes < 3; inodes++) { /* folder, lock, manifest */
        limit_inodes(disk, inodes);
        captured_begin();
        const status opened =
            log_folder_open(&folder, &segment_images, scratch_path("disk/log"), LOG_ID, 2, NULL);
        const char *said = captured_end();
        ck_assert_int_eq(opened, STATUS_NO_SPACE);
        ck_assert_str_eq(said, "");
        scratch_remove_tree(scratch_path("disk/log"));
    }
    limit_inodes(disk, 3);
    folder = open_folder(scratch_path("disk/log"));
    ck_assert_int_eq(seal(folder), STATUS_NO_SPACE);
    ck_assert_int_eq(seal(folder), STATUS_NO_SPACE);
    limit_inodes(disk, 1);
    ck_assert_int_eq(seal(folder), STATUS_OK);
    check_content(folder, 1);
    log_folder_close(&folder);
    small_disk_unmount(disk);
}
END_TEST

START_TEST(a_log_that_found_no_room_for_its_first_line_begins_when_there_is)
{
    const char *disk = scratch_path("disk");
    if (!small_disk_mount(disk))
        SKIP("no small file system can be mounted here (%s)", strerror(errno));
    static const char ballast[4096];
    FILE *file = fopen(scratch_path("disk/ballast"), "wb");
    ck_assert_ptr_nonnull(file);
    setbuf(file, NULL);
    while (fwrite(ballast, 1, sizeof ballast, file) == 4096)
        continue;
    fclose(file);
    log_folder *folder;
    for (int time = 0; time < 2; time++) {
        captured_begin();
        const status opened =
            log_folder_open(&folder, &segment_images, scratch_path("disk/log"), LOG_ID, 2, NULL);
        ck_assert_str_eq(captured_end(), "");
        ck_assert_int_eq(opened, STATUS_NO_SPACE);
    }
    unlink(scratch_path("disk/ballast"));
    folder = open_folder(scratch_path("disk/log"));
    ck_assert_uint_eq(log_folder_epoch(folder), 1);
    ck_assert_int_eq(seal(folder), STATUS_OK);
    log_folder_close(&folder);
    small_disk_unmount(disk);
}
END_TEST

START_TEST(a_segment_that_cannot_be_given_up_for_want_of_space_stays)
{
    const char *disk = scratch_path("disk");
    if (!small_disk_mount(disk))
        SKIP("no small file system can be mounted here (%s)", strerror(errno));
    log_folder *folder = open_folder(scratch_path("disk/log"));
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(seal(folder), STATUS_OK);
    char page[5000];
    memset(page, 'x', sizeof page - 1);
    page[sizeof page - 1] = '\0';
    FILE *file = fopen(scratch_path("disk/ballast"), "wb");
    ck_assert_ptr_nonnull(file);
    setbuf(file, NULL);
    while (fwrite(page, 1, 4096, file) == 4096)
        continue;
    fclose(file);
    ck_assert_int_eq(log_folder_cut(folder, 1, page), STATUS_NO_SPACE); /* a line of a page */
    check_content(folder, 3);
    unlink(scratch_path("disk/ballast"));
    ck_assert_int_eq(log_folder_cut(folder, 1, "is damaged"), STATUS_OK);
    check_content(folder, 1);
    log_folder_close(&folder);
    small_disk_unmount(disk);
}
END_TEST

/* Seals segments until killed or `most` are done; a byte to `acknowledge` after each. */
static void seal_until_killed(const char *path, int acknowledge, int most)
{
    log_folder *folder;
    log_init(NULL, LOG_ERROR);
    if (log_folder_open(&folder, &segment_images, path, LOG_ID, SOURCES, NULL) != STATUS_OK)
        _exit(1);
    for (int i = 0; i < most; i++)
        if (seal(folder) != STATUS_OK || write(acknowledge, "k", 1) != 1)
            _exit(1);
    _exit(0);
}

/* Everything acknowledged is there, at most one segment more, and sealing goes on. */
static void check_survived(const char *path, size_t acknowledged)
{
    log_folder *folder = open_folder(path);
    const size_t n = log_folder_segments(folder);
    ck_assert_uint_ge(n, acknowledged);
    ck_assert_uint_le(n, acknowledged + 1);
    ck_assert_int_eq(seal(folder), STATUS_OK);
    check_content(folder, n + 1);
    log_folder_close(&folder);
}

START_TEST(a_log_killed_while_sealing_loses_nothing_it_acknowledged)
{
    const char *path = scratch_path("log");
    int acknowledge[2];
    ck_assert_int_eq(pipe(acknowledge), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(acknowledge[0]);
        seal_until_killed(path, acknowledge[1], 1000);
    }
    close(acknowledge[1]);
    size_t acknowledged = 0;
    for (char byte; acknowledged < (size_t)_i * 2 + 1; acknowledged++)
        ck_assert_int_eq(read(acknowledge[0], &byte, 1), 1);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    check_survived(path, acknowledged + drain(acknowledge[0]));
}
END_TEST

static void seal_two(const char *path, int acknowledge)
{
    seal_until_killed(path, acknowledge, 2);
}

START_TEST(a_log_killed_at_any_system_call_loses_nothing_it_acknowledged)
{
    int traced = 1, alive = 1;
    long stop = 1;
    /* 3: odd, so that entries and returns take turns. */
    for (; alive && traced; stop += 3) {
        const char *path = scratch_path("log");
        scratch_remove_tree(path);
        size_t acknowledged;
        alive = kill_at(seal_two, path, stop, &traced, &acknowledged);
        if (traced)
            check_survived(path, acknowledged);
    }
    if (!traced)
        SKIP("no process may be traced here");
    ck_assert_int_gt(stop, 100); /* two seals are more calls than that */
}
END_TEST

/* Opens a folder, finds segment 1 damaged and gives it up. */
static void give_up(const char *path, int acknowledge)
{
    log_folder *folder;
    log_init(NULL, LOG_ERROR);
    if (log_folder_open(&folder, &segment_images, path, LOG_ID, SOURCES, NULL) != STATUS_OK ||
        log_folder_cut(folder, 1, "is damaged") != STATUS_OK || write(acknowledge, "c", 1) != 1)
        _exit(1);
    _exit(0);
}

/* Segments that are in the folder under any name. */
static size_t count_segments(const char *path)
{
    size_t n = 0;
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        n += strncmp(entry->d_name, "segment-", 8) == 0 && strstr(entry->d_name, ".tmp") == NULL;
    closedir(folder);
    return n;
}

/* Every file is still there; the log has one segment, or four of which one is damaged or gone. */
static void check_given_up(const char *path, size_t done)
{
    segment *part;
    char why[LOG_FOLDER_WHY];
    log_folder *folder = open_folder(path);
    ck_assert_uint_eq(count_segments(path), 4);
    if (log_folder_segments(folder) != 1) {
        ck_assert_uint_eq(log_folder_segments(folder), 4);
        ck_assert_uint_eq(done, 0);
        ck_assert_int_eq(segment_images_load(folder, 1, &part, why), STATUS_BAD_SHAPE);
        ck_assert_int_eq(log_folder_cut(folder, 1, why), STATUS_OK);
    }
    check_content(folder, 1);
    ck_assert_int_eq(seal(folder), STATUS_OK);
    check_content(folder, 2);
    ck_assert_uint_eq(count_segments(path), 5);
    log_folder_close(&folder);
}

START_TEST(a_log_killed_while_it_gives_a_segment_up_loses_no_file)
{
    int traced = 1, alive = 1;
    long stop = 1;
    log_init(NULL, LOG_ERROR);
    for (; alive && traced; stop += 3) {
        const char *path = scratch_path("log");
        scratch_remove_tree(path);
        seal_some(path, 4);
        file_flip(scratch_path("log/segment-000001.h5"), 5000);
        size_t done;
        alive = kill_at(give_up, path, stop, &traced, &done);
        if (traced)
            check_given_up(path, done);
    }
    if (!traced)
        SKIP("no process may be traced here");
    ck_assert_int_gt(stop, 100);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("log_folder");
    tcase_add_checked_fixture(cases, scratch_make, scratch_remove);
    tcase_add_test(cases, a_new_folder_is_made_with_its_parents);
    tcase_add_test(cases, what_was_sealed_is_there_after_reopening_and_goes_on);
    tcase_add_test(cases, the_header_is_kept_until_another_is_given);
    tcase_add_test(cases, a_damaged_segment_is_moved_aside_with_those_after_it_and_the_log_goes_on);
    tcase_add_test(cases, what_was_moved_aside_is_never_overwritten);
    tcase_add_test(cases, a_missing_segment_keeps_those_before_it);
    tcase_add_test(cases, the_first_segment_may_be_lost_but_not_all);
    tcase_add_loop_test(
        cases, something_else_in_place_of_a_segment_is_refused_by_name_without_waiting, 0, 3);
    tcase_add_loop_test(
        cases, something_else_in_place_of_the_manifest_or_the_lock_is_refused_without_waiting, 0,
        4);
    tcase_add_loop_test(cases, a_torn_last_line_is_cut_off_and_its_segment_kept_aside, 0, 3);
    tcase_add_loop_test(
        cases, a_changed_byte_in_a_middle_line_keeps_what_stands_before_it_and_all_files, 0, 5);
    tcase_add_test(cases, lines_that_were_taken_out_or_swapped_are_seen);
    tcase_add_loop_test(cases, a_manifest_without_its_first_line_is_refused_and_left_alone, 0, 4);
    tcase_add_test(cases, a_changed_byte_in_the_first_line_is_refused);
    tcase_add_test(cases, segments_without_a_manifest_are_refused_and_left_alone);
    tcase_add_test(cases, the_folder_of_another_log_is_refused);
    tcase_add_test(cases, the_folder_of_other_sources_is_refused);
    tcase_add_test(cases, what_a_killed_log_left_behind_is_removed);
    tcase_add_test(cases, a_second_log_is_locked_out_until_the_first_dies);
    tcase_add_test(cases, readers_share_a_folder_and_change_nothing_in_it);
    tcase_add_test(cases, a_folder_is_read_without_its_lock_file);
    tcase_add_test(cases, a_reader_refuses_what_is_not_whole);
    tcase_add_test(cases, a_log_is_complete_from_finish_until_something_is_sealed_or_lost);
    tcase_add_test(cases, a_write_that_fails_changes_nothing_and_may_be_tried_again);
    tcase_add_test(cases, a_segment_without_room_for_its_line_is_taken_back);
    tcase_add_test(cases, a_full_disk_changes_nothing_and_sealing_goes_on_when_there_is_space);
    tcase_add_test(cases, a_disk_without_inodes_is_a_full_disk_also_for_a_log_that_begins);
    tcase_add_test(cases, a_log_that_found_no_room_for_its_first_line_begins_when_there_is);
    tcase_add_test(cases, a_segment_that_cannot_be_given_up_for_want_of_space_stays);
    tcase_add_loop_test(cases, a_log_killed_while_sealing_loses_nothing_it_acknowledged, 0, 5);
    tcase_add_test(cases, a_log_killed_at_any_system_call_loses_nothing_it_acknowledged);
    tcase_add_test(cases, a_log_killed_while_it_gives_a_segment_up_loses_no_file);
    return run_case(cases, "log_folder");
}
