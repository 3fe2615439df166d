/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The manifest of a long log, and one of an earlier version, both written here by hand. */
#include <jansson.h>
#include <sodium.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "common/store/log/log_folder.h"
#include "common/store/log/segment_images.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/kill_at.h"
#include "tests/support/sample_batch.h"
#include "tests/support/scratch_folder.h"

#define LOG_ID "0123456789abcdef0123456789abcdef"
enum { LONG = 100000, PER_SEGMENT = 3, ROWS = 7 };

static void hash(size_t parts, const char *const part[], char hex[33])
{
    uint8_t digest[16];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    for (size_t i = 0; i < parts; i++)
        crypto_generichash_update(&state, (const uint8_t *)part[i], strlen(part[i]));
    crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(hex, 33, digest, sizeof digest);
}

/* Writes text, an object without its closing brace, as a line that follows `digest`. */
static void put_line(FILE *file, char digest[33], const char *text)
{
    const char *const parts[] = {digest, text};
    char next[33];
    hash(2, parts, next);
    memcpy(digest, next, sizeof next);
    fprintf(file, "%s,\"digest\":\"%s\"}\n", text, digest);
}

/* The manifest of n segments of three batches of seven rows, none of them there. */
static void write_manifest(const char *path, uint64_t n)
{
    char digest[33] = "", text[600];
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    put_line(file, digest,
             "{\"format\":2,\"log_id\":\"" LOG_ID "\",\"sources\":1,\"made_from\":null");
    put_line(file, digest, "{\"epoch\":41");
    for (uint64_t i = 0; i < n; i++) {
        const unsigned long batches = PER_SEGMENT * (i + 1), rows = ROWS * batches;
        snprintf(text, sizeof text,
                 "{\"segment\":%lu,\"first_place\":%lu,\"batches\":3,\"next_seq\":[%lu],"
                 "\"rows\":[%lu],\"read\":%lu,\"counted\":%lu,\"quarantined\":0,"
                 "\"dropped\":[0,0,0,%lu,0,0,0],\"file\":\"%032lx\",\"records\":\"%032lx\"",
                 (unsigned long)i, batches - PER_SEGMENT, batches, rows, rows, rows - batches,
                 batches, (unsigned long)i, batches);
        put_line(file, digest, text);
    }
    ck_assert_int_eq(fclose(file), 0);
}

static size_t size_of(const char *path)
{
    struct stat about;
    ck_assert_int_eq(stat(path, &about), 0);
    return (size_t)about.st_size;
}

static void seal_three(log_folder *folder)
{
    struct sample_batch *samples[PER_SEGMENT];
    struct segment_batch batches[PER_SEGMENT];
    for (size_t b = 0; b < PER_SEGMENT; b++) {
        samples[b] = sample_batch_make(0, log_folder_next_seq(folder, 0) + b, 2, 0);
        batches[b] = samples[b]->batch;
    }
    ck_assert_int_eq(log_folder_seal(folder, PER_SEGMENT, batches), STATUS_OK);
    for (size_t b = 0; b < PER_SEGMENT; b++)
        free(samples[b]);
}

static log_folder *open_log(void)
{
    log_folder *folder;
    ck_assert_int_eq(
        log_folder_open(&folder, &segment_images, scratch_path("log"), LOG_ID, 1, NULL), STATUS_OK);
    return folder;
}

/* Bytes that sealing one more segment, and then another, adds to the manifest. */
static void seal_two(log_folder *folder, size_t grown[2])
{
    const char *path = scratch_path("log/manifest.jsonl");
    for (size_t i = 0; i < 2; i++) {
        const size_t before = size_of(path);
        seal_three(folder);
        grown[i] = size_of(path) - before;
    }
}

START_TEST(a_log_of_100000_segments_opens_by_its_manifest_alone_and_seals_as_cheaply_as_a_new_one)
{
    size_t late[2], early[2];
    ck_assert_int_eq(mkdir(scratch_path("log"), 0777), 0);
    write_manifest(scratch_path("log/manifest.jsonl"), LONG);
    log_folder *folder = open_log();
    ck_assert_uint_eq(log_folder_segments(folder), LONG);
    ck_assert_uint_eq(log_folder_places(folder), PER_SEGMENT * LONG);
    ck_assert_uint_eq(log_folder_epoch(folder), 42);
    const struct tally tally = log_folder_tally(folder);
    ck_assert_uint_eq(tally.read, PER_SEGMENT * ROWS * LONG);
    ck_assert_uint_eq(tally.dropped[DROP_NO_JET], PER_SEGMENT * LONG);
    ck_assert_uint_eq(log_folder_rows(folder, 0), PER_SEGMENT * ROWS * LONG);
    seal_two(folder, late);
    log_folder_close(&folder);
    folder = open_log();
    ck_assert_uint_eq(log_folder_segments(folder), LONG + 2);
    log_folder_close(&folder);
    scratch_remove_tree(scratch_path("log"));
    folder = open_log();
    seal_two(folder, early);
    log_folder_close(&folder);
    /* The same line, with up to six digits more in each of eight numbers. */
    ck_assert_uint_lt(late[0], early[0] + 8 * 6);
    ck_assert_uint_lt(late[1], early[1] + 8 * 6);
}
END_TEST

START_TEST(a_segment_of_a_long_log_is_missed_when_it_is_used)
{
    ck_assert_int_eq(mkdir(scratch_path("log"), 0777), 0);
    write_manifest(scratch_path("log/manifest.jsonl"), 5);
    log_folder *folder = open_log();
    segment *part;
    char why[LOG_FOLDER_WHY];
    ck_assert_int_eq(segment_images_load(folder, 3, &part, why), STATUS_BAD_SHAPE);
    ck_assert_str_eq(why, "is missing");
    log_folder_close(&folder);
}
END_TEST

/* What earlier versions wrote: one object, with a digest of its compact text with sorted keys. */
static void put_old(const char *path, json_t *root)
{
    char hex[33];
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    hash(1, (const char *const[]){text}, hex);
    free(text);
    json_object_set_new(root, "digest", json_string(hex));
    ck_assert_int_eq(json_dump_file(root, path, JSON_INDENT(1) | JSON_REAL_PRECISION(17)), 0);
    json_decref(root);
}

static void hash_file(const char *path, char hex[33])
{
    size_t size;
    uint8_t digest[16];
    uint8_t *bytes = file_bytes(path, &size);
    crypto_generichash(digest, sizeof digest, bytes, size, NULL, 0);
    sodium_bin2hex(hex, 33, digest, sizeof digest);
    free(bytes);
}

/* Turns a log of two segments into what earlier versions left. */
static void make_old(void)
{
    char first[33], second[33];
    log_folder *folder = open_log();
    seal_three(folder);
    seal_three(folder);
    log_folder_close(&folder);
    ck_assert_int_eq(unlink(scratch_path("log/manifest.jsonl")), 0);
    hash_file(scratch_path("log/segment-000000.h5"), first);
    hash_file(scratch_path("log/segment-000001.h5"), second);
    put_old(scratch_path("log/manifest.json"),
            json_pack("{s:i, s:s, s:i, s:i, s:{s:i}, s:b, s:[{s:i, s:i, s:[i], s:s}, "
                      "{s:i, s:i, s:[i], s:s}]}",
                      "format", 1, "log_id", LOG_ID, "epoch", 17, "sources", 1, "made_from", "x", 5,
                      "complete", 1, "segments", "first_place", 0, "batches", 3, "next_seq", 3,
                      "digest", first, "first_place", 3, "batches", 3, "next_seq", 6, "digest",
                      second));
}

static void check_taken_over(log_folder *folder)
{
    ck_assert_uint_eq(log_folder_places(folder), 6);
    ck_assert_uint_eq(log_folder_next_seq(folder, 0), 6);
    ck_assert_uint_eq(log_folder_rows(folder, 0), 6 * 7); /* two events and five rows more each */
    ck_assert_uint_eq(log_folder_tally(folder).counted, 6 * 2);
    ck_assert(log_folder_complete(folder));
    ck_assert_int_eq(json_integer_value(json_object_get(log_folder_made_from(folder), "x")), 5);
}

START_TEST(an_old_manifest_is_taken_over_whole)
{
    make_old();
    for (uint64_t time = 0; time < 2; time++) {
        log_folder *folder = open_log();
        check_taken_over(folder);
        ck_assert_uint_eq(log_folder_epoch(folder), 18 + time);
        log_folder_close(&folder);
        ck_assert(!file_exists(scratch_path("log/manifest.json")));
        ck_assert(file_exists(scratch_path("log/manifest.jsonl")));
    }
}
END_TEST

START_TEST(or_not_at_all)
{
    make_old();
    file_flip(scratch_path("log/segment-000001.h5"), 700);
    log_folder *folder;
    captured_begin();
    ck_assert_int_eq(
        log_folder_open(&folder, &segment_images, scratch_path("log"), LOG_ID, 1, NULL),
        STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "segment-000001.h5 is damaged");
    ck_assert(file_exists(scratch_path("log/manifest.json")));
    ck_assert(!file_exists(scratch_path("log/manifest.jsonl")));
    ck_assert(!file_exists(scratch_path("log/manifest.jsonl.tmp")));
}
END_TEST

static void take_over(const char *path, int acknowledge)
{
    log_folder *folder;
    log_init(NULL, LOG_ERROR);
    if (log_folder_open(&folder, &segment_images, path, LOG_ID, 1, NULL) != STATUS_OK ||
        write(acknowledge, "o", 1) != 1)
        _exit(1);
    _exit(0);
}

START_TEST(an_old_manifest_survives_a_kill_at_any_moment_of_being_taken_over)
{
    int traced = 1, alive = 1;
    long stop = 1;
    log_init(NULL, LOG_ERROR);
    for (; alive && traced; stop += 3) {
        scratch_remove_tree(scratch_path("log"));
        make_old();
        size_t done;
        alive = kill_at(take_over, scratch_path("log"), stop, &traced, &done);
        log_folder *folder = open_log();
        check_taken_over(folder);
        ck_assert_uint_ge(log_folder_epoch(folder), 18 + done);
        log_folder_close(&folder);
    }
    if (!traced)
        SKIP("no process may be traced here");
    ck_assert_int_gt(stop, 60);
}
END_TEST

START_TEST(an_old_manifest_can_be_read_and_is_left_as_it_is)
{
    make_old();
    log_folder *folder;
    ck_assert_int_eq(log_folder_read(&folder, &segment_images, scratch_path("log")), STATUS_OK);
    ck_assert_uint_eq(log_folder_epoch(folder), 17);
    ck_assert_int_eq(log_folder_count(folder), STATUS_OK);
    check_taken_over(folder);
    log_folder_close(&folder);
    ck_assert(file_exists(scratch_path("log/manifest.json")));
}
END_TEST

/* A line may be whole and yet say what cannot be. */
START_TEST(lines_that_do_not_follow_from_those_before_are_refused)
{
    static const char *const wrong[] = {
        "{\"segment\":0,\"first_place\":0,\"batches\":3,\"next_seq\":[4],\"rows\":[3],\"read\":3,"
        "\"counted\":3,\"quarantined\":0,\"dropped\":[0,0,0,0,0,0,0],"
        "\"file\":\"00000000000000000000000000000000\","
        "\"records\":\"00000000000000000000000000000000\"", /* three batches, four seqs */
        "{\"segment\":0,\"first_place\":0,\"batches\":3,\"next_seq\":[3],\"rows\":[3],\"read\":3,"
        "\"counted\":2,\"quarantined\":0,\"dropped\":[0,0,0,0,0,0,0],"
        "\"file\":\"00000000000000000000000000000000\","
        "\"records\":\"00000000000000000000000000000000\"", /* a row unaccounted for */
        "{\"segment\":0,\"first_place\":0,\"batches\":3,\"next_seq\":[3],\"rows\":[4],\"read\":3,"
        "\"counted\":3,\"quarantined\":0,\"dropped\":[0,0,0,0,0,0,0],"
        "\"file\":\"00000000000000000000000000000000\","
        "\"records\":\"00000000000000000000000000000000\"", /* rows of the source, and read */
        "{\"segment\":0,\"first_place\":0,\"batches\":-3,\"next_seq\":[3],\"rows\":[3],\"read\":3,"
        "\"counted\":3,\"quarantined\":0,\"dropped\":[0,0,0,0,0,0,0],"
        "\"file\":\"00000000000000000000000000000000\","
        "\"records\":\"00000000000000000000000000000000\"",
        "{\"epoch\":41",
        "{\"cut\":0,\"epoch\":50",
        "{\"extents\":[1,2]",
        "{\"other\":7",
        "{\"complete\":false"};
    ck_assert_uint_eq(sizeof wrong / sizeof *wrong, 9);
    char digest[33] = "";
    ck_assert_int_eq(mkdir(scratch_path("log"), 0777), 0);
    FILE *file = fopen(scratch_path("log/manifest.jsonl"), "w");
    ck_assert_ptr_nonnull(file);
    put_line(file, digest,
             "{\"format\":2,\"log_id\":\"" LOG_ID "\",\"sources\":1,\"made_from\":null");
    put_line(file, digest, "{\"epoch\":41");
    put_line(file, digest, wrong[_i]);
    ck_assert_int_eq(fclose(file), 0);
    log_folder *folder;
    captured_begin();
    ck_assert_int_eq(log_folder_read(&folder, &segment_images, scratch_path("log")),
                     STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "manifest.jsonl: damaged: line 3 does not fit its digest or the lines "
                            "before it");
}
END_TEST

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    TCase *cases = tcase_create("log_manifest");
    tcase_add_checked_fixture(cases, scratch_make, scratch_remove);
    tcase_add_test(
        cases,
        a_log_of_100000_segments_opens_by_its_manifest_alone_and_seals_as_cheaply_as_a_new_one);
    tcase_add_test(cases, a_segment_of_a_long_log_is_missed_when_it_is_used);
    tcase_add_test(cases, an_old_manifest_is_taken_over_whole);
    tcase_add_test(cases, or_not_at_all);
    tcase_add_test(cases, an_old_manifest_survives_a_kill_at_any_moment_of_being_taken_over);
    tcase_add_test(cases, an_old_manifest_can_be_read_and_is_left_as_it_is);
    tcase_add_loop_test(cases, lines_that_do_not_follow_from_those_before_are_refused, 0, 9);
    return run_case(cases, "store/log_manifest");
}
