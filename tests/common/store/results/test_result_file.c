/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of result_file: the contract of results.h5, as h5py and as our own reader see it. */
#include <hdf5.h>
#include <malloc.h>
#include <math.h>

#include "common/store/results/result_file.h"
#include "common/store/results/result_summary.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/sample_result.h"
#include "tests/support/scratch_folder.h"

static const char *write_sample(const char *name)
{
    const char *path = scratch_path(name);
    const struct result result = sample_result();
    ck_assert_int_eq(result_file_write(path, &result), STATUS_OK);
    return path;
}

START_TEST(what_was_written_is_read_back)
{
    struct result_summary read;
    ck_assert_int_eq(result_summary_read(&read, write_sample("results.h5")), STATUS_OK);
    const struct result must = sample_result();
    ck_assert_str_eq(read.run_id, must.run_id);
    ck_assert_str_eq(read.log_id, must.log_id);
    ck_assert_str_eq(read.version, must.version);
    ck_assert_str_eq(read.analysis, must.analysis);
    ck_assert_mem_eq(&read.tally, &must.selection->summed.tally, sizeof read.tally);
    ck_assert_uint_eq(read.bins, SAMPLE_BINS);
    for (uint32_t i = 0; i <= SAMPLE_BINS; i++)
        ck_assert_double_eq(read.edges[i], 3000 + 100.0 * i);
    ck_assert_uint_eq(read.members, SAMPLE_MEMBERS);
    ck_assert_uint_eq(read.clusters, SAMPLE_CLUSTERS);
    ck_assert_uint_eq(read.slices, SAMPLE_SLICES);
    ck_assert_mem_eq(read.mls, sample_mls, sizeof sample_mls);
    ck_assert_mem_eq(read.bin, sample_bin, sizeof sample_bin);
    ck_assert_mem_eq(read.label, sample_label, sizeof sample_label);
    ck_assert_mem_eq(read.rich, sample_rich, sizeof sample_rich);
    ck_assert_mem_eq(read.background, sample_background, sizeof sample_background);
    ck_assert_double_eq(read.mls_mean, must.score->mean);
    ck_assert_double_eq(read.mls_median, must.score->median);
    ck_assert_double_eq(read.mls_max, must.score->max);
    ck_assert_double_eq(read.mls_min, must.score->min);
    result_summary_fini(&read);
    ck_assert_ptr_null(read.edges);
    result_summary_fini(&read);
}
END_TEST

/* Every name, type and shape of the contract; values as sample_result.h makes them. */
static const char contract[] =
    "import h5py, sys, numpy as np\n"
    "f = h5py.File(sys.argv[1], 'r')\n"
    "a = f.attrs\n"
    "assert sorted(a) == sorted(['run_id', 'log_id', 'version', 'analysis', 'events_read', "
    "'events_counted', 'events_dropped', 'events_quarantined', 'final']), list(a)\n"
    "for n in ('run_id', 'log_id', 'version', 'analysis'):\n"
    "    t = h5py.check_string_dtype(a.get_id(n).dtype)\n"
    "    assert t.encoding == 'utf-8' and t.length is None\n"
    "assert a['analysis'] == 'stream:\\n  batch: 512 # \\u00e9v\\u00e9nements\\n'\n"
    "assert a['run_id'] == a['log_id'][::-1] == '0123456789abcdef' * 2 and a['version'] == "
    "'0.1.0'\n"
    "assert [int(a['events_' + n]) for n in ('read', 'counted', 'dropped', 'quarantined')] == "
    "[1000, 988, 10, 2]\n"
    "assert a['events_read'].dtype == np.uint64\n"
    "t = h5py.check_string_dtype(f['dropped/reason'].dtype)\n"
    "assert t.encoding == 'utf-8' and t.length is not None\n"
    "d = dict(zip([r.decode() for r in f['dropped/reason'][:]], f['dropped/count'][:].tolist()))\n"
    "assert d == {'not_finite': 0, 'negative_pt': 0, 'eta_range': 0, 'no_jet': 0, 'one_jet': 9, "
    "'empty_image': 1, 'too_many': 0}, d\n"
    "must = {'dropped/reason': None, 'dropped/count': ('u8', (7,)), 'edges': ('f8', (8,)),\n"
    " 'codebook/centres': ('f4', (3, 5, 16)), 'codebook/inertia': ('f8', (3,)),\n"
    " 'codebook/steps': ('u8', (3,)), 'codebook/seed': ('u8', (3,)),\n"
    " 'spectra/counts': ('u8', (3, 5, 7)), 'selection/z': ('f8', (3, 5, 7)),\n"
    " 'selection/label': ('u1', (3, 5)), 'selection/rich': ('u8', (3, 7)),\n"
    " 'selection/depleted': ('u8', (3, 7)), 'selection/background': ('f8', (3, 7)),\n"
    " 'score/mls': ('f8', (3,)), 'score/bin': ('i4', (3,)), 'score/mls_mean': ('f8', ()),\n"
    " 'score/mls_median': ('f8', ()), 'score/mls_max': ('f8', ()), 'score/mls_min': ('f8', ()),\n"
    " 'history/events': ('u8', (4,)), 'history/mls_mean': ('f8', (4,)),\n"
    " 'truth/signal_counts': ('u8', (3, 5, 7)), 'verdict/name': None, 'verdict/state': None,\n"
    " 'verdict/text': None, 'refused/file': None, 'refused/reason': None,\n"
    " 'quarantined/file': None, 'quarantined/reason': None,\n"
    " 'quarantined/first_row': ('u8', (1,)), 'quarantined/rows': ('u8', (1,))}\n"
    "found = []\n"
    "f.visititems(lambda n, o: found.append(n) if isinstance(o, h5py.Dataset) else None)\n"
    "assert sorted(found) == sorted(must), found\n"
    "for n, m in must.items():\n"
    "    assert m is None or (f[n].dtype == '<' + m[0] and f[n].shape == m[1]), n\n"
    "    assert f[n].attrs['description'] and f[n].attrs['units'] is not None, n\n"
    "assert f['edges'].attrs['units'] == b'GeV' or f['edges'].attrs['units'] == 'GeV'\n"
    "assert int(a['final']) == 1\n"
    "v = [t.decode() for t in f['verdict/state'][:]]\n"
    "assert v[0] == 'bad' and v[6] == 'doubtful' and v.count('good') == 6, v\n"
    "assert f['verdict/text'][0].decode() == 'too few \u00e9v\u00e9nements'\n"
    "assert f['refused/file'][:].tolist() == [b'a.h5']\n"
    "assert f['quarantined/file'][:].tolist() == [b'b \"2\".h5']\n"
    "assert f['quarantined/first_row'][0] == 512 and f['quarantined/rows'][0] == 2\n"
    "assert (f['edges'][:] == 3000 + 100 * np.arange(8)).all()\n"
    "i = np.arange(105).reshape(3, 5, 7)\n"
    "assert (f['spectra/counts'][:] == 1000 + i).all()\n"
    "assert (f['truth/signal_counts'][:] == i % 3).all()\n"
    "assert (f['selection/z'][:] == i / 7 - 5).all()\n"
    "c = (np.arange(3)[:, None] * 100 + np.arange(80)).astype('f4') / np.float32(3)\n"
    "assert (f['codebook/centres'][:].reshape(3, 80) == c).all()\n"
    "assert f['codebook/seed'][1] == 2**64 - 2\n"
    "assert f['score/bin'][:].tolist() == [-1, 3, 5] and f['score/mls_mean'][()] == "
    "2.8000000000000003\n"
    "assert f['history/events'][:].tolist() == [250, 500, 750, 1000]\n";

START_TEST(h5py_finds_everything_the_contract_promises)
{
    if (system("/usr/bin/python3 -c 'import h5py, numpy' 2>/dev/null") != 0)
        SKIP("no python3 with h5py here");
    file_put(scratch_path("check.py"), sizeof contract - 1, contract);
    char command[1200];
    snprintf(command, sizeof command, "/usr/bin/python3 %s %s", scratch_path("check.py"),
             write_sample("results.h5"));
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(the_same_result_gives_the_same_bytes_whatever_memory_held_before)
{
    size_t first_size, second_size;
    mallopt(M_PERTURB, 0x5a);
    uint8_t *first = file_bytes(write_sample("first.h5"), &first_size);
    mallopt(M_PERTURB, 0xa7);
    uint8_t *second = file_bytes(write_sample("second.h5"), &second_size);
    ck_assert_uint_eq(first_size, second_size);
    ck_assert_mem_eq(first, second, first_size);
    free(first);
    free(second);
}
END_TEST

static int has_truth(const char *path)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const int has = H5Lexists(file, "truth", H5P_DEFAULT) > 0;
    H5Fclose(file);
    return has;
}

START_TEST(truth_is_told_only_if_every_label_is_known)
{
    const char *path = scratch_path("results.h5");
    struct result result = sample_result();
    sample_selection.summed.labelled = 699;
    ck_assert_int_eq(result_file_write(path, &result), STATUS_OK);
    ck_assert(!has_truth(path));
    sample_selection.summed.labelled = sample_selection.summed.in_window = 0;
    ck_assert_int_eq(result_file_write(path, &result), STATUS_OK);
    ck_assert(!has_truth(path));
    result = sample_result();
    ck_assert_int_eq(result_file_write(path, &result), STATUS_OK);
    ck_assert(has_truth(path));
}
END_TEST

START_TEST(a_tally_that_does_not_add_up_is_refused_and_the_old_file_stays)
{
    const char *path = scratch_path("results.h5");
    file_put(path, 3, "old");
    const struct result result = sample_result();
    sample_selection.summed.tally.counted++;
    captured_begin();
    const status outcome = result_file_write(path, &result);
    const char *said = captured_end();
    ck_assert_int_eq(outcome, STATUS_BAD_SHAPE);
    CK_SAYS(said, "1000 events read, but 989 counted + 10 dropped + 2 quarantined");
    size_t size;
    free(file_bytes(path, &size));
    ck_assert_uint_eq(size, 3);
    ck_assert(!file_exists(scratch_path("results.h5.tmp")));
}
END_TEST

START_TEST(parts_that_do_not_fit_are_refused)
{
    struct result result = sample_result();
    result.members = 2;
    ck_assert_int_eq(result_file_write(scratch_path("x.h5"), &result), STATUS_BAD_SHAPE);
    result = sample_result();
    result.bins.n = 16;
    ck_assert_int_eq(result_file_write(scratch_path("x.h5"), &result), STATUS_BAD_SHAPE);
    result = sample_result();
    sample_models[2].clusters = 4;
    ck_assert_int_eq(result_file_write(scratch_path("x.h5"), &result), STATUS_BAD_SHAPE);
    ck_assert(!file_exists(scratch_path("x.h5")));
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_refused)
{
    const struct result result = sample_result();
    ck_assert_int_eq(result_file_write(scratch_path("absent/x.h5"), &result), STATUS_BAD_INPUT);
}
END_TEST

/* The file is refused, and the message says `because`. */
static void check_refused(const char *path, const char *because)
{
    struct result_summary read;
    captured_begin();
    const status outcome = result_summary_read(&read, path);
    const char *said = captured_end();
    ck_assert_int_eq(outcome, STATUS_BAD_INPUT);
    ck_assert_ptr_null(read.run_id);
    ck_assert_ptr_null(read.mls);
    CK_SAYS(said, path);
    CK_SAYS(said, because);
}

START_TEST(what_is_no_result_file_is_refused)
{
    check_refused(scratch_path("absent.h5"), "No such file");
    file_put(scratch_path("text.h5"), 6, "hello\n");
    check_refused(scratch_path("text.h5"), "not an HDF5 file");
    H5Fclose(H5Fcreate(scratch_path("other.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    check_refused(scratch_path("other.h5"), "attribute run_id");
}
END_TEST

/* One element of a dataset gets another value. */
static void spoil(const char *path, const char *name, hsize_t at, double value)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t space = H5Dget_space(dataset), one = H5Screate(H5S_SCALAR);
    ck_assert_int_ge(H5Sselect_elements(space, H5S_SELECT_SET, 1, &at), 0);
    ck_assert_int_ge(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, one, space, H5P_DEFAULT, &value), 0);
    H5Sclose(one);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
}

static const struct {
    const char *name;
    hsize_t at;
    double value;
    const char *because;
} spoils[] = {
    {"dropped/count", 0, 1, "1000 events read, but 988 counted + 10 dropped + 2 quarantined"},
    {"score/bin", 1, 7, "/score/bin holds an impossible number"},
    {"score/mls", 2, NAN, "/score/mls holds an impossible number"},
    {"edges", 4, 3000, "/edges holds an impossible number"},
};

START_TEST(impossible_numbers_are_refused)
{
    const char *path = write_sample("results.h5");
    spoil(path, spoils[_i].name, spoils[_i].at, spoils[_i].value);
    check_refused(path, spoils[_i].because);
}
END_TEST

START_TEST(a_reason_that_is_not_known_is_refused)
{
    const char *path = write_sample("results.h5");
    size_t size;
    uint8_t *bytes = file_bytes(path, &size);
    uint8_t *reason = memmem(bytes, size, "one_jet", 7);
    ck_assert_ptr_nonnull(reason);
    memcpy(reason, "two_jet", 7);
    file_put(path, size, bytes);
    free(bytes);
    check_refused(path, "/dropped/reason names 'two_jet'");
}
END_TEST

START_TEST(a_missing_dataset_is_named)
{
    const char *path = write_sample("results.h5");
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, "selection/background", H5P_DEFAULT);
    H5Fclose(file);
    check_refused(path, "/selection/background is missing");
}
END_TEST

START_TEST(a_file_cut_anywhere_is_refused)
{
    const char *path = write_sample("results.h5");
    size_t size;
    uint8_t *bytes = file_bytes(path, &size);
    for (size_t kept = 0; kept < size; kept += 1999) {
        struct result_summary read;
        file_put(path, kept, bytes);
        ck_assert_int_eq(result_summary_read(&read, path), STATUS_BAD_INPUT);
    }
    free(bytes);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("result_file");
    tcase_add_checked_fixture(cases, scratch_make, scratch_remove);
    tcase_add_test(cases, what_was_written_is_read_back);
    tcase_add_test(cases, h5py_finds_everything_the_contract_promises);
    tcase_add_test(cases, the_same_result_gives_the_same_bytes_whatever_memory_held_before);
    tcase_add_test(cases, truth_is_told_only_if_every_label_is_known);
    tcase_add_test(cases, a_tally_that_does_not_add_up_is_refused_and_the_old_file_stays);
    tcase_add_test(cases, parts_that_do_not_fit_are_refused);
    tcase_add_test(cases, a_folder_that_is_not_there_is_refused);
    tcase_add_test(cases, what_is_no_result_file_is_refused);
    tcase_add_loop_test(cases, impossible_numbers_are_refused, 0,
                        (int)(sizeof spoils / sizeof *spoils));
    tcase_add_test(cases, a_reason_that_is_not_known_is_refused);
    tcase_add_test(cases, a_missing_dataset_is_named);
    tcase_add_test(cases, a_file_cut_anywhere_is_refused);
    return run_case(cases, "result_file");
}
