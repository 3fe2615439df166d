/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of result_schema and result_dataset: one table, and a file that does not follow it. */
#include <hdf5.h>
#include <signal.h>

#include "common/store/results/result_dataset.h"
#include "common/store/results/result_tables.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/sample_result.h"
#include "tests/support/scratch_folder.h"

START_TEST(every_id_has_one_row_in_the_group_that_its_path_begins_with)
{
    enum result_id next = 0;
    for (const struct result_group *group = result_groups; group->datasets != NULL; group++) {
        const size_t length = strlen(group->name);
        for (size_t i = 0; i < group->n; i++) {
            const struct result_dataset *dataset = &group->datasets[i];
            ck_assert_int_eq(dataset->id, next++);
            ck_assert_ptr_eq(result_dataset(dataset->id), dataset);
            ck_assert_str_eq(result_group_name(dataset->id), group->name);
            ck_assert_int_eq(strncmp(dataset->path, group->name, length), 0);
            ck_assert(strchr(dataset->path, '/') == (length > 0 ? dataset->path + length : NULL));
            ck_assert(dataset->rank <= HDF5_RANK_MAX);
            ck_assert_str_ne(dataset->help, "");
        }
    }
    ck_assert_int_eq(next, RESULT_DATASETS);
}
END_TEST

START_TEST(numbers_of_another_type_are_not_written)
{
    const float edges[] = {1, 2};
    const struct result_access to = {.file = hdf5_memory_file(), .lengths = {[DIMENSION_EDGE] = 2}};
    result_write(&to, RESULT_EDGES, edges);
}
END_TEST

/* What a dataset is made anew as, and what the refusal says of it. */
static const struct {
    const char *name;
    enum hdf5_element element;
    size_t text_size; /* 0: texts of any length */
    int rank;
    hsize_t dims[HDF5_RANK_MAX];
    const char *because;
} replacements[] = {
    {"score/bin", HDF5_F64, 0, 1, {3}, "/score/bin has element type f64, expected i32"},
    {"score/bin", HDF5_U32, 0, 1, {3}, "/score/bin has element type u32, expected i32"},
    {"spectra/counts",
     HDF5_U16,
     0,
     3,
     {3, 5, 7},
     "/spectra/counts has element type u16, expected u64"},
    {"edges", HDF5_TEXT, 4, 1, {8}, "/edges has element type text, expected f64"},
    {"score/mls_mean", HDF5_F64, 0, 1, {1}, "/score/mls_mean has shape 1, expected a scalar"},
    {"selection/rich", HDF5_U64, 0, 1, {21}, "/selection/rich has shape 21, expected 3 x 7"},
    {"selection/label",
     HDF5_U8,
     0,
     2,
     {2, 5},
     "/selection/label has shape 2 x 5, expected 3 x any"},
    {"codebook/centres",
     HDF5_F32,
     0,
     3,
     {3, 4, 16},
     "/codebook/centres has shape 3 x 4 x 16, expected 3 x 5 x any"},
    {"history/mls_mean", HDF5_F64, 0, 1, {5}, "/history/mls_mean has shape 5, expected 4"},
    {"dropped/count", HDF5_U64, 0, 1, {6}, "/dropped/count has shape 6, expected 7"},
    {"dropped/reason",
     HDF5_U64,
     0,
     1,
     {7},
     "/dropped/reason has element type u64, expected text of a fixed length"},
    {"verdict/name",
     HDF5_TEXT,
     0,
     1,
     {8},
     "/verdict/name has element type text of any length, expected text of a fixed length"},
    {"verdict/text", HDF5_TEXT, 4, 1, {9}, "/verdict/text has shape 9, expected 8"},
    {"refused/file", HDF5_TEXT, 4, 0, {0}, "/refused/file has shape a scalar, expected any"},
    {"quarantined/rows", HDF5_U64, 0, 1, {2}, "/quarantined/rows has shape 2, expected 1"},
};

static void replace(const char *path, int i)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t space = replacements[i].rank > 0
                            ? H5Screate_simple(replacements[i].rank, replacements[i].dims, NULL)
                            : H5Screate(H5S_SCALAR);
    const bool texts = replacements[i].element == HDF5_TEXT;
    const hid_t type = H5Tcopy(texts ? H5T_C_S1 : hdf5_file_type(replacements[i].element));
    if (texts)
        H5Tset_size(type, replacements[i].text_size > 0 ? replacements[i].text_size : H5T_VARIABLE);
    ck_assert_int_ge(H5Ldelete(file, replacements[i].name, H5P_DEFAULT), 0);
    const hid_t dataset =
        H5Dcreate2(file, replacements[i].name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(dataset, 0);
    H5Dclose(dataset);
    H5Tclose(type);
    H5Sclose(space);
    H5Fclose(file);
}

START_TEST(another_type_or_shape_is_refused_with_what_was_found_and_expected)
{
    const char *path = scratch_path("results.h5");
    const struct result result = sample_result();
    struct result_tables read;
    ck_assert_int_eq(result_file_write(path, &result), STATUS_OK);
    replace(path, _i);
    captured_begin();
    const status outcome = result_tables_read(&read, path);
    const char *said = captured_end();
    ck_assert_int_eq(outcome, STATUS_BAD_INPUT);
    CK_SAYS(said, path);
    CK_SAYS(said, replacements[_i].because);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("result_dataset");
    tcase_add_checked_fixture(cases, scratch_make, scratch_remove);
    tcase_add_test(cases, every_id_has_one_row_in_the_group_that_its_path_begins_with);
    tcase_add_test_raise_signal(cases, numbers_of_another_type_are_not_written, SIGABRT);
    tcase_add_loop_test(cases, another_type_or_shape_is_refused_with_what_was_found_and_expected, 0,
                        (int)(sizeof replacements / sizeof *replacements));
    return run_case(cases, "result_dataset");
}
