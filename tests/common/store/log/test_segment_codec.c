/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A log on disk keeps records of any type: here batches of numbers, by a codec of this test's own.
 */
#include "common/store/log/segment_codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/log/log_folder.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"

#define LOG_ID "00112233445566778899aabbccddeeff"
enum { SOURCES = 2, VALUES = 3 };

/* Three numbers that stand for as many rows; those below 0 were dropped. */
struct numbers {
    uint64_t source, seq;
    int64_t value[VALUES];
};

struct numbers_file {
    size_t n;
    struct numbers *batches;
};

static status build(size_t n, const void *batches, uint8_t **bytes, size_t *size)
{
    *size = n * sizeof(struct numbers);
    *bytes = malloc(*size);
    if (*bytes == NULL)
        return STATUS_NO_MEMORY;
    memcpy(*bytes, batches, *size);
    return STATUS_OK;
}

/* Any sum will do that notices a change. */
static status digest(size_t n, const void *batches, uint8_t out[16])
{
    const uint8_t *bytes = batches;
    memset(out, 0, 16);
    for (size_t i = 0; i < n * sizeof(struct numbers); i++)
        out[i % 16] = (uint8_t)(31 * out[i % 16] + bytes[i]);
    return STATUS_OK;
}

static status open_file(void **segment, const char *path)
{
    struct stat about;
    FILE *file = fopen(path, "rb");
    struct numbers_file *self = calloc(1, sizeof *self);
    ck_assert(file != NULL && self != NULL && fstat(fileno(file), &about) == 0);
    self->n = (size_t)about.st_size / sizeof(struct numbers);
    self->batches = calloc(self->n + 1, sizeof *self->batches);
    ck_assert_uint_eq(fread(self->batches, sizeof(struct numbers), self->n, file), self->n);
    fclose(file);
    *segment = self;
    return STATUS_OK;
}

static void close_file(void **segment)
{
    struct numbers_file *self = *segment;
    if (self != NULL)
        free(self->batches);
    free(self);
    *segment = NULL;
}

static const void *batches_of(const void *segment, size_t *n)
{
    const struct numbers_file *self = segment;
    *n = self->n;
    return self->batches;
}

static void account(const void *batches, size_t i, struct segment_account *out)
{
    const struct numbers *batch = (const struct numbers *)batches + i;
    *out = (struct segment_account){.source = (uint32_t)batch->source, .seq = batch->seq};
    out->rows.read = VALUES;
    for (size_t v = 0; v < VALUES; v++)
        if (batch->value[v] < 0)
            out->rows.dropped[0]++;
        else
            out->rows.counted++;
}

static const char *fault(const void *batches, size_t i, const json_t *made_from)
{
    const json_int_t most = json_integer_value(json_object_get(made_from, "most"));
    const struct numbers *batch = (const struct numbers *)batches + i;
    for (size_t v = 0; v < VALUES; v++)
        if (most > 0 && batch->value[v] > most)
            return "a number is too large";
    return NULL;
}

static const struct segment_codec codec = {.build = build,
                                           .digest = digest,
                                           .open = open_file,
                                           .close = close_file,
                                           .batches = batches_of,
                                           .account = account,
                                           .fault = fault};

static log_folder *open_folder(const char *made_from)
{
    log_folder *folder;
    ck_assert_int_eq(
        log_folder_open(&folder, &codec, scratch_path("log"), LOG_ID, SOURCES, made_from),
        STATUS_OK);
    return folder;
}

/* Segment i: the batches i of both sources. */
static void seal(log_folder *folder, uint64_t i, int64_t largest)
{
    const struct numbers batches[] = {{0, i, {1, -2, largest}}, {1, i, {4, 5, (int64_t)i}}};
    ck_assert_int_eq(log_folder_seal(folder, 2, batches), STATUS_OK);
}

START_TEST(records_of_any_type_are_sealed_counted_and_read_again)
{
    log_folder *folder = open_folder(NULL);
    for (uint64_t i = 0; i < 3; i++)
        seal(folder, i, 7);
    log_folder_close(&folder);
    folder = open_folder(NULL);
    ck_assert_uint_eq(log_folder_segments(folder), 3);
    ck_assert_uint_eq(log_folder_places(folder), 6);
    ck_assert_uint_eq(log_folder_next_seq(folder, 1), 3);
    ck_assert_uint_eq(log_folder_rows(folder, 0), 9);
    const struct tally tally = log_folder_tally(folder);
    ck_assert_uint_eq(tally.read, 18);
    ck_assert_uint_eq(tally.counted, 15);
    ck_assert_uint_eq(tally.dropped[0], 3);
    void *segment;
    char why[LOG_FOLDER_WHY];
    ck_assert_int_eq(log_folder_load(folder, 2, &segment, why), STATUS_OK);
    size_t n;
    const struct numbers *batches = codec.batches(segment, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert_int_eq(batches[1].value[2], 2);
    codec.close(&segment);
    log_folder_close(&folder);
}
END_TEST

START_TEST(a_reader_of_the_folder_goes_by_the_same_codec)
{
    log_folder *folder = open_folder(NULL);
    seal(folder, 0, 7);
    log_folder_close(&folder);
    void *segment;
    char why[LOG_FOLDER_WHY];
    size_t n;
    ck_assert_int_eq(log_folder_read(&folder, &codec, scratch_path("log")), STATUS_OK);
    ck_assert_str_eq(log_folder_log_id(folder), LOG_ID);
    ck_assert_uint_eq(log_folder_tally(folder).counted, 5);
    ck_assert_int_eq(log_folder_load(folder, 0, &segment, why), STATUS_OK);
    const struct numbers *batches = codec.batches(segment, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert_int_eq(batches[0].value[2], 7);
    codec.close(&segment);
    log_folder_close(&folder);
}
END_TEST

START_TEST(a_segment_with_a_changed_byte_is_given_up_and_its_batches_are_wanted_again)
{
    char path[4096 + sizeof ".damaged"], why[LOG_FOLDER_WHY];
    void *segment;
    log_folder *folder = open_folder(NULL);
    seal(folder, 0, 7);
    seal(folder, 1, 7);
    log_folder_path(folder, 1, 4096, path);
    log_folder_close(&folder);
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    fputc(9, file);
    fclose(file);
    folder = open_folder(NULL);
    ck_assert_int_eq(log_folder_load(folder, 1, &segment, why), STATUS_BAD_SHAPE);
    CK_SAYS(why, "does not fit the digest");
    captured_begin();
    ck_assert_int_eq(log_folder_cut(folder, 1, why), STATUS_OK);
    CK_SAYS(captured_end(), "damaged");
    strcat(path, ".damaged");
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_uint_eq(log_folder_next_seq(folder, 0), 1);
    seal(folder, 1, 7);
    ck_assert_int_eq(log_folder_load(folder, 1, &segment, why), STATUS_OK);
    codec.close(&segment);
    log_folder_close(&folder);
}
END_TEST

START_TEST(the_codec_says_what_is_wrong_inside_a_batch)
{
    char why[LOG_FOLDER_WHY];
    void *segment;
    log_folder *folder = open_folder("{\"most\": 100}");
    seal(folder, 0, 100);
    seal(folder, 1, 101);
    ck_assert_int_eq(log_folder_load(folder, 0, &segment, why), STATUS_OK);
    codec.close(&segment);
    ck_assert_int_eq(log_folder_load(folder, 1, &segment, why), STATUS_BAD_SHAPE);
    CK_SAYS(why, "batch 0: a number is too large");
    log_folder_close(&folder);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("segment_codec");
    tcase_add_checked_fixture(cases, scratch_make, scratch_remove);
    tcase_add_test(cases, records_of_any_type_are_sealed_counted_and_read_again);
    tcase_add_test(cases, a_reader_of_the_folder_goes_by_the_same_codec);
    tcase_add_test(cases,
                   a_segment_with_a_changed_byte_is_given_up_and_its_batches_are_wanted_again);
    tcase_add_test(cases, the_codec_says_what_is_wrong_inside_a_batch);
    return run_case(cases, "segment_codec");
}
