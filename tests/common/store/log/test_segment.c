/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of segment: what goes in comes out, byte for byte, and no damage gets through. */
#include <hdf5.h>
#include <malloc.h>

#include "common/store/log/segment.h"
#include "common/store/log/segment_build.h"
#include "tests/support/check_main.h"
#include "tests/support/sample_batch.h"
#include "tests/support/scratch_folder.h"

enum { BATCHES = 3 };
static struct sample_batch *samples[BATCHES];
static struct segment_batch batches[BATCHES];

/* A labelled one, one without events and one without labels. */
static void setup(void)
{
    scratch_make();
    samples[0] = sample_batch_make(0, 41, 7, 1);
    samples[1] = sample_batch_make(1, 12, 0, 0);
    samples[2] = sample_batch_make(0, 42, 5, 0);
    for (int b = 0; b < BATCHES; b++)
        batches[b] = samples[b]->batch;
}

static void teardown(void)
{
    for (int b = 0; b < BATCHES; b++)
        free(samples[b]);
    scratch_remove();
}

static const char *write_segment(void)
{
    uint8_t *bytes;
    size_t size;
    ck_assert_int_eq(segment_build(BATCHES, batches, &bytes, &size), STATUS_OK);
    const char *path = scratch_path("segment.h5");
    file_put(path, size, bytes);
    free(bytes);
    return path;
}

START_TEST(batches_come_back_as_they_were_given)
{
    segment *read;
    ck_assert_int_eq(segment_open(&read, write_segment()), STATUS_OK);
    ck_assert_uint_eq(segment_batches(read), BATCHES);
    for (size_t b = 0; b < BATCHES; b++) {
        struct segment_batch got;
        segment_get(read, b, &got);
        sample_batch_check(&got, &batches[b]);
    }
    segment_close(&read);
    ck_assert_ptr_null(read);
    segment_close(&read);
}
END_TEST

START_TEST(a_segment_without_any_event_comes_back)
{
    uint8_t *bytes;
    size_t size;
    ck_assert_int_eq(segment_build(1, &batches[1], &bytes, &size), STATUS_OK);
    const char *path = scratch_path("empty.h5");
    file_put(path, size, bytes);
    free(bytes);
    segment *read;
    ck_assert_int_eq(segment_open(&read, path), STATUS_OK);
    struct segment_batch got;
    segment_get(read, 0, &got);
    sample_batch_check(&got, &batches[1]);
    segment_close(&read);
}
END_TEST

START_TEST(the_same_batches_give_the_same_bytes_whatever_memory_held_before)
{
    uint8_t *first, *second;
    size_t first_size, second_size;
    mallopt(M_PERTURB, 0x5a);
    ck_assert_int_eq(segment_build(BATCHES, batches, &first, &first_size), STATUS_OK);
    mallopt(M_PERTURB, 0xa7);
    ck_assert_int_eq(segment_build(BATCHES, batches, &second, &second_size), STATUS_OK);
    ck_assert_uint_eq(first_size, second_size);
    ck_assert_mem_eq(first, second, first_size);
    free(first);
    free(second);
}
END_TEST

START_TEST(h5py_reads_the_columns)
{
    /* Expected numbers follow from sample_batch.h: rows 41 x 1009 + e, then 42 x 1009 + e. */
    static const char script[] =
        "import h5py, sys, numpy as np\n"
        "f = h5py.File(sys.argv[1], 'r')\n"
        "assert f['m_jj'].dtype == '<f4' and f['m_jj'].shape == (12,)\n"
        "assert f['row'][:].tolist() == [41 * 1009 + e for e in range(7)] + "
        "[42 * 1009 + e for e in range(5)]\n"
        "assert f['label'][:].tolist() == [0, 1, 0, 1, 0, 1, 0] + [-1] * 5\n"
        "assert f['seq'][:].tolist() == [41] * 7 + [42] * 5\n"
        "assert f['source'].dtype == '<u4' and not f['source'][:].any()\n"
        "assert f['batch/seq'][:].tolist() == [41, 12, 42]\n"
        "assert f['batch/events'][:].tolist() == [7, 0, 5]\n"
        "assert f['batch/read'][:].tolist() == [12, 5, 10]\n"
        "assert f['batch/dropped'][:].tolist() == [[1, 0, 0, 0, 3, 0, 0]] * 3\n"
        "off = f['offset'][:]\n"
        "assert off.dtype == '<u8' and off.shape == (25,) and off[-1] == f['pixel'].shape[0]\n"
        "sums = np.add.reduceat(f['intensity'][:], off[:-1].astype(int))\n"
        "assert np.allclose(sums, 1, atol=1e-5)\n" /* 41 float32 fractions: 41 x 6e-8 at most */
        "assert f['jet/tau3'].shape == (24,) and f['jet/constituents'].dtype == '<u2'\n"
        "assert f['jet/pt'].chunks is None\n";
    if (system("/usr/bin/python3 -c 'import h5py, numpy' 2>/dev/null") != 0)
        SKIP("no python3 with h5py here");
    char command[1024];
    file_put(scratch_path("check.py"), sizeof script - 1, script);
    snprintf(command, sizeof command, "/usr/bin/python3 %s %s", scratch_path("check.py"),
             write_segment());
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(a_file_cut_anywhere_is_refused)
{
    const char *path = write_segment();
    size_t size;
    uint8_t *bytes = file_bytes(path, &size);
    for (size_t kept = 0; kept < size; kept += 997) {
        segment *read;
        file_put(path, kept, bytes);
        ck_assert_int_eq(segment_open(&read, path), STATUS_BAD_INPUT);
        ck_assert_ptr_null(read);
    }
    free(bytes);
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

static double touch(const segment *read)
{
    double sum = 0;
    for (size_t b = 0; b < segment_batches(read); b++) {
        struct segment_batch got;
        segment_get(read, b, &got);
        const struct image_batch *images = &got.images;
        for (uint32_t r = 0; r < DROP_REASONS; r++)
            sum += images->dropped[r];
        for (uint32_t e = 0; e < images->events; e++)
            sum +=
                (double)images->row[e] + images->m_jj[e] + (images->label ? images->label[e] : 0);
        for (uint32_t j = 0; j < 2 * images->events; j++) {
            sum += images->pt[j] + images->tau3[j] + images->constituents[j];
            for (uint32_t p = images->offset[j]; p < images->offset[j + 1]; p++)
                sum += images->intensity[p] + images->pixel[p];
        }
    }
    return sum;
}

START_TEST(no_flipped_bit_crashes_a_reader)
{
    const char *path = write_segment();
    size_t size, opened = 0, refused = 0;
    uint8_t *bytes = file_bytes(path, &size);
    volatile double sink = 0;
    for (size_t at = 0; at < size; at += 11) {
        bytes[at] ^= (uint8_t)(1u << at % 8);
        file_put(path, size, bytes);
        segment *read;
        if (segment_open(&read, path) == STATUS_OK) {
            opened++;
            sink = sink + touch(read);
        } else {
            refused++;
        }
        segment_close(&read);
        bytes[at] ^= (uint8_t)(1u << at % 8);
    }
    free(bytes);
    /* Flips in intensities and padding are seen by the log folder's digest alone. */
    ck_assert_uint_gt(opened, 0);
    ck_assert_uint_gt(refused, 0);
}
END_TEST

/* Overwrites one element of a dataset of numbers. */
static void spoil(const char *path, const char *name, hsize_t at, int64_t value)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t space = H5Dget_space(dataset), one = H5Screate(H5S_SCALAR);
    ck_assert_int_ge(H5Sselect_elements(space, H5S_SELECT_SET, 1, &at), 0);
    ck_assert_int_ge(H5Dwrite(dataset, H5T_NATIVE_INT64, one, space, H5P_DEFAULT, &value), 0);
    H5Sclose(one);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
}

static const struct {
    const char *name;
    hsize_t at;
    int64_t value;
} spoils[] = {
    {"offset", 0, 1},                /* does not begin with 0 */
    {"offset", 5, 0},                /* goes backwards */
    {"offset", 24, 1000000},         /* past the end of /pixel */
    {"batch/events", 0, 6},          /* fewer events than /m_jj has */
    {"batch/events", 1, UINT32_MAX}, /* more events than rows */
    {"batch/quarantined", 2, 1000},  /* more quarantined than rows */
    {"label", 3, 7},                 /* no label */
    {"pixel", 2, 0},                 /* pixels not ascending */
};

START_TEST(inconsistent_numbers_are_refused)
{
    const char *path = write_segment();
    segment *read;
    spoil(path, spoils[_i].name, spoils[_i].at, spoils[_i].value);
    ck_assert_int_eq(segment_open(&read, path), STATUS_BAD_INPUT);
    ck_assert_ptr_null(read);
}
END_TEST

START_TEST(a_missing_or_linked_column_is_refused)
{
    const char *path = write_segment();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert_int_ge(H5Lmove(file, "jet/tau2", file, "jet/moved", H5P_DEFAULT, H5P_DEFAULT), 0);
    H5Fclose(file);
    segment *read;
    ck_assert_int_eq(segment_open(&read, path), STATUS_BAD_INPUT);
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert_int_ge(H5Lcreate_soft("/jet/moved", file, "jet/tau2", H5P_DEFAULT, H5P_DEFAULT), 0);
    H5Fclose(file);
    ck_assert_int_eq(segment_open(&read, path), STATUS_BAD_INPUT);
}
END_TEST

START_TEST(what_is_no_segment_is_refused)
{
    segment *read;
    ck_assert_int_eq(segment_open(&read, scratch_path("absent.h5")), STATUS_BAD_INPUT);
    ck_assert_int_eq(segment_open(&read, scratch), STATUS_BAD_INPUT);
    file_put(scratch_path("text.h5"), 6, "hello\n");
    ck_assert_int_eq(segment_open(&read, scratch_path("text.h5")), STATUS_BAD_INPUT);
    H5Fclose(H5Fcreate(scratch_path("other.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    ck_assert_int_eq(segment_open(&read, scratch_path("other.h5")), STATUS_BAD_INPUT);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("segment");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, batches_come_back_as_they_were_given);
    tcase_add_test(cases, a_segment_without_any_event_comes_back);
    tcase_add_test(cases, the_same_batches_give_the_same_bytes_whatever_memory_held_before);
    tcase_add_test(cases, h5py_reads_the_columns);
    tcase_add_test(cases, a_file_cut_anywhere_is_refused);
    tcase_add_test(cases, no_flipped_bit_crashes_a_reader);
    tcase_add_loop_test(cases, inconsistent_numbers_are_refused, 0,
                        (int)(sizeof spoils / sizeof *spoils));
    tcase_add_test(cases, a_missing_or_linked_column_is_refused);
    tcase_add_test(cases, what_is_no_segment_is_refused);
    return run_case(cases, "segment");
}
