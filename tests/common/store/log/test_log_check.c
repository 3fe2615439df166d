/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Segments that are whole files, fit their digest, and yet are not what the manifest says: as they
 * are once somebody has renewed the digest. */
#include <sodium.h>

#include "common/store/log/log_check.h"
#include "common/store/log/segment_build.h"
#include "common/store/log/segment_digest.h"
#include "common/store/log/segment_images.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/sample_batch.h"
#include "tests/support/scratch_folder.h"

enum { SOURCES = 2, BATCHES = 3, EVENTS = 5, ROWS = EVENTS + 5 };

static struct log_manifest manifest;
static struct sample_batch *samples[BATCHES];
static struct segment_batch batches[BATCHES];

/* Batches (0, 0), (1, 0), (0, 1) in one segment, of an analysis with 40 x 40 pixels. */
static void set_up(void)
{
    scratch_make();
    ck_assert_int_eq(log_manifest_init(&manifest, "x", SOURCES), STATUS_OK);
    manifest.made_from =
        json_pack("{s:{s:i}, s:{s:i}}", "image", "pixels", 40, "stream", "batch", ROWS);
    struct tally tally = {0};
    for (size_t b = 0; b < BATCHES; b++) {
        samples[b] = sample_batch_make(b % 2, b / 2, EVENTS, 0);
        batches[b] = samples[b]->batch;
        tally_add_batch(&tally, &batches[b].images);
    }
    struct log_folder_segment entry = {.batches = BATCHES};
    ck_assert_int_eq(segment_digest(BATCHES, batches, entry.records), STATUS_OK);
    ck_assert_int_eq(log_manifest_push(&manifest, &entry, &tally, (const uint64_t[]){2, 1},
                                       (const uint64_t[]){2 * ROWS, ROWS}),
                     STATUS_OK);
}

static void tear_down(void)
{
    for (size_t b = 0; b < BATCHES; b++)
        free(samples[b]);
    log_manifest_fini(&manifest);
    scratch_remove();
}

/* Writes the batches as the segment, its digest noted. */
static const char *write_segment(size_t n)
{
    const char *path = scratch_path("segment-000000.h5");
    uint8_t *bytes;
    size_t size;
    ck_assert_int_eq(segment_build(n, batches, &bytes, &size), STATUS_OK);
    file_put(path, size, bytes);
    crypto_generichash(manifest.segments[0].digest, 16, bytes, size, NULL, 0);
    free(bytes);
    return path;
}

static status check_segment(size_t n, char why[LOG_FOLDER_WHY])
{
    const char *path = write_segment(n);
    segment *part;
    ck_assert_int_eq(log_check_file(&manifest, 0, path, why), STATUS_OK);
    status found = segment_open(&part, path);
    if (found == STATUS_OK)
        found = log_check_records(&manifest, &segment_images, 0, part, why);
    segment_close(&part);
    return found;
}

static void check_refused(size_t n, const char *says)
{
    char why[LOG_FOLDER_WHY] = "";
    ck_assert_int_eq(check_segment(n, why), STATUS_BAD_SHAPE);
    CK_SAYS(why, says);
}

START_TEST(what_was_sealed_passes)
{
    char why[LOG_FOLDER_WHY];
    ck_assert_int_eq(check_segment(BATCHES, why), STATUS_OK);
}
END_TEST

START_TEST(another_number_of_batches_is_seen)
{
    check_refused(BATCHES - 1, "another number of batches");
}
END_TEST

START_TEST(a_batch_of_another_name_is_seen)
{
    batches[2].seq = 2;
    check_refused(BATCHES, "batch 2: it holds another batch than the manifest says");
    batches[2].seq = 1;
    batches[1].source = 7;
    check_refused(BATCHES, "batch 1: it holds another batch than the manifest says");
}
END_TEST

START_TEST(batches_of_other_sources_than_were_noted_are_seen)
{
    batches[2].source = 1;
    check_refused(BATCHES, "it holds other batches than the manifest says");
}
END_TEST

START_TEST(a_pixel_outside_the_image_of_this_analysis_is_seen)
{
    json_object_set_new(json_object_get(manifest.made_from, "image"), "pixels", json_integer(13));
    check_refused(BATCHES, "batch 0: pixels are not ascending or out of range");
}
END_TEST

START_TEST(more_rows_than_a_batch_may_have_are_seen)
{
    json_object_set_new(json_object_get(manifest.made_from, "stream"), "batch",
                        json_integer(ROWS - 1));
    check_refused(BATCHES, "batch 0: a batch has more rows than a batch may have");
}
END_TEST

START_TEST(rows_that_became_something_else_are_seen)
{
    samples[1]->dropped[DROP_ONE_JET]--;
    samples[1]->dropped[DROP_NO_JET]++;
    check_refused(BATCHES, "its rows are not those that the manifest has counted");
}
END_TEST

START_TEST(a_value_that_could_be_but_was_not_sealed_is_seen)
{
    samples[2]->m_jj[4] += 0.25f;
    check_refused(BATCHES, "its records are not those that were sealed");
    samples[2]->m_jj[4] -= 0.25f;
    batches[0].images.tau3 = batches[0].images.tau2;
    check_refused(BATCHES, "its records are not those that were sealed");
}
END_TEST

START_TEST(a_file_of_other_bytes_is_seen_unless_it_was_verified)
{
    char why[LOG_FOLDER_WHY];
    const char *path = write_segment(BATCHES);
    file_flip(path, 600);
    ck_assert_int_eq(log_check_file(&manifest, 0, path, why), STATUS_BAD_SHAPE);
    CK_SAYS(why, "does not fit the digest it was sealed with");
    manifest.segments[0].verified = true;
    ck_assert_int_eq(log_check_file(&manifest, 0, path, why), STATUS_OK);
}
END_TEST

/* A flipped bit can make HDF5 ask for terabytes: the sanitizer shall answer as malloc does. HDF5
 * loses a few hundred bytes of its own when metadata is damaged. */
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

/* Any byte changed, and the digest of the file renewed: refused, or the records are the same. */
START_TEST(no_changed_byte_crashes_or_makes_another_record)
{
    char why[LOG_FOLDER_WHY];
    const char *path = write_segment(BATCHES);
    size_t size, refused = 0;
    uint8_t *bytes = file_bytes(path, &size);
    captured_begin();
    for (size_t at = (size_t)_i; at < size; at += 97) {
        bytes[at] ^= 0x41;
        file_put(path, size, bytes);
        segment *part;
        status found = segment_open(&part, path);
        if (found == STATUS_OK)
            found = log_check_records(&manifest, &segment_images, 0, part, why);
        for (size_t b = 0; found == STATUS_OK && b < BATCHES; b++) {
            struct segment_batch got;
            segment_get(part, b, &got);
            sample_batch_check(&got, &batches[b]);
        }
        refused += found != STATUS_OK;
        segment_close(&part);
        bytes[at] ^= 0x41;
    }
    captured_end();
    free(bytes);
    ck_assert_uint_gt(refused, 10);
}
END_TEST

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    TCase *cases = tcase_create("log_check");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, what_was_sealed_passes);
    tcase_add_test(cases, another_number_of_batches_is_seen);
    tcase_add_test(cases, a_batch_of_another_name_is_seen);
    tcase_add_test(cases, batches_of_other_sources_than_were_noted_are_seen);
    tcase_add_test(cases, a_pixel_outside_the_image_of_this_analysis_is_seen);
    tcase_add_test(cases, more_rows_than_a_batch_may_have_are_seen);
    tcase_add_test(cases, rows_that_became_something_else_are_seen);
    tcase_add_test(cases, a_value_that_could_be_but_was_not_sealed_is_seen);
    tcase_add_test(cases, a_file_of_other_bytes_is_seen_unless_it_was_verified);
    tcase_add_loop_test(cases, no_changed_byte_crashes_or_makes_another_record, 0, 7);
    return run_case(cases, "store/log_check");
}
