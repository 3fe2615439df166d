/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of event_file: every layout and chunking gives the same events; everything else is
 * refused with its reason. */
#include <hdf5.h>
#include <math.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "common/store/events/event_file.h"
#include "common/store/events/event_writer.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/small_disk.h"

enum { WIDTH = 2101, ROWS = 37, PARTICLES = 23 };

/* Number c of row r of our made-up table: PARTICLES + r % 5 particles with a padded one in their
 * midst, label of every third row 1. Values need more digits than float32 has. */
static double value_at(size_t r, size_t c)
{
    if (c == WIDTH - 1)
        return r % 3 == 0;
    const size_t p = c / 3;
    if (p == 4 || p >= PARTICLES + r % 5)
        return 0;
    return c % 3 == 0 ? 0.1 + (double)(r * 7 + p) / 3
                      : ((double)p - 11.1) / (double)(c % 3 + r + 1);
}

/* How a table is stored. chunk 0 x 0: contiguous. */
struct storage {
    hsize_t chunk[2];
    bool shuffle;
    int gzip;
    bool bare_edge; /* the chunks that reach past the last row go through no filter */
    bool float32;
    H5Z_filter_t filter; /* or 0 */
};

static void write_table(const char *path, const char *key, hsize_t rows, hsize_t width,
                        const struct storage *how)
{
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t group = H5Gcreate2(file, key, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(2, (hsize_t[]){rows, width}, NULL);
    const hid_t made = H5Pcreate(H5P_DATASET_CREATE);
    if (how->chunk[0] > 0)
        H5Pset_chunk(made, 2, how->chunk);
    if (how->shuffle)
        H5Pset_shuffle(made);
    if (how->gzip > 0)
        H5Pset_deflate(made, (unsigned)how->gzip);
    if (how->filter > 0)
        H5Pset_filter(made, how->filter, 0, 0, NULL);
    if (how->bare_edge)
        H5Pset_chunk_opts(made, H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS);
    const hid_t dataset =
        H5Dcreate2(group, "block0_values", how->float32 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE, space,
                   H5P_DEFAULT, made, H5P_DEFAULT);
    ck_assert_int_ge(dataset, 0);
    double *values = malloc((rows * width + 1) * sizeof *values);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c++)
            values[r * width + c] = value_at(r, c);
    if (rows > 0)
        ck_assert_int_ge(
            H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    free(values);
    H5Pclose(made);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Gclose(group);
    H5Fclose(file);
}

static const struct storage plain = {.gzip = 0};

/* The batch is rows first .. of the made-up table, padding left out. */
static void check_table_batch(const struct event_batch *batch, uint64_t first, uint32_t n,
                              bool labelled)
{
    ck_assert_uint_eq(batch->first_row, first);
    ck_assert_uint_eq(batch->events, n);
    ck_assert_uint_eq(batch->offset[0], 0);
    ck_assert_uint_eq(batch->offset[n], batch->particles);
    ck_assert_int_eq(batch->label != NULL, labelled);
    for (uint32_t e = 0; e < n; e++) {
        const size_t r = first + e;
        uint32_t at = batch->offset[e];
        for (size_t p = 0; p < 700; p++) {
            if (value_at(r, 3 * p) == 0)
                continue;
            ck_assert(batch->pt[at] == (float)value_at(r, 3 * p));
            ck_assert(batch->eta[at] == (float)value_at(r, 3 * p + 1));
            ck_assert(batch->phi[at] == (float)value_at(r, 3 * p + 2));
            at++;
        }
        ck_assert_uint_eq(at, batch->offset[e + 1]);
        if (labelled)
            ck_assert_int_eq(batch->label[e], r % 3 == 0);
    }
}

static event_file *open_file(const char *path, const char *masterkey)
{
    event_file *file;
    ck_assert_int_eq(event_file_open(&file, path, masterkey), STATUS_OK);
    return file;
}

/* The file is refused when it is opened, and the message says `because` and names the file. */
static void check_refused(const char *path, const char *masterkey, const char *because)
{
    event_file *file;
    captured_begin();
    const status outcome = event_file_open(&file, path, masterkey);
    const char *said = captured_end();
    ck_assert_int_eq(outcome, STATUS_BAD_INPUT);
    ck_assert_ptr_null(file);
    CK_SAYS(said, because);
    ck_assert_msg(strchr(said, '\n') == said + strlen(said) - 1, "not one line: '%s'", said);
}

static const struct storage storages[] = {
    {.chunk = {0, 0}},
    {.chunk = {7, WIDTH}},
    {.chunk = {30, WIDTH}, .gzip = 4},
    {.chunk = {1, WIDTH}},
    {.chunk = {5, 19}, .gzip = 1}, /* narrower than a row, as h5py guesses
                                      them */
    {.chunk = {ROWS, 1}},
    {.chunk = {7, WIDTH}, .shuffle = true},
    {.chunk = {10, WIDTH}, .shuffle = true, .gzip = 6},
    {.chunk = {10, WIDTH}, .gzip = 6, .bare_edge = true},
    {.chunk = {ROWS, WIDTH}, .shuffle = true, .gzip = 1},
};
enum { STORAGES = sizeof storages / sizeof *storages };

START_TEST(any_chunking_gives_the_same_events_in_any_order)
{
    const char *path = scratch_path("table.h5");
    write_table(path, "df", ROWS, WIDTH, &storages[_i]);
    event_file *file = open_file(path, NULL);
    ck_assert_int_eq(event_file_layout(file), LAYOUT_LHCO_TABLE);
    ck_assert_str_eq(event_layout_name(event_file_layout(file)), "lhco-table");
    ck_assert_uint_eq(event_file_events(file), ROWS);
    ck_assert(event_file_has_labels(file));
    ck_assert_str_eq(event_file_shape(file), "/df/block0_values 37 x 2101 float64");
    const struct {
        uint64_t first;
        uint32_t n;
    } reads[] = {{0, 11}, {11, 26}, {0, ROWS}, {36, 1}, {3, 5}, {17, 0}, {2, 34}};
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        struct event_batch batch;
        ck_assert_int_eq(event_file_read(file, reads[i].first, reads[i].n, &batch), STATUS_OK);
        check_table_batch(&batch, reads[i].first, reads[i].n, true);
    }
    event_file_close(&file);
    ck_assert_ptr_null(file);
    event_file_close(&file);
}
END_TEST

START_TEST(a_table_of_float32_or_under_another_key_is_read_too)
{
    const char *path = scratch_path("table.h5");
    const struct storage how = {.chunk = {9, 500}, .float32 = true};
    write_table(path, "Particles", ROWS, WIDTH, &how);
    event_file *file = open_file(path, NULL);
    ck_assert_str_eq(event_file_shape(file), "/Particles/block0_values 37 x 2101 float32");
    struct event_batch batch;
    ck_assert_int_eq(event_file_read(file, 0, ROWS, &batch), STATUS_OK);
    check_table_batch(&batch, 0, ROWS, true);
    event_file_close(&file);
}
END_TEST

/* An HDF5 filter that changes nothing and counts how often a chunk is decoded. */
enum { COUNTING_FILTER = 300 };
static size_t decoded;
static size_t count_chunk(unsigned flags, size_t n, const unsigned values[], size_t bytes,
                          size_t *size, void **buffer)
{
    (void)n, (void)values, (void)size, (void)buffer;
    if (flags & H5Z_FLAG_REVERSE)
        decoded++;
    return bytes;
}

static void register_counting_filter(void)
{
    static const H5Z_class2_t counting = {.version = H5Z_CLASS_T_VERS,
                                          .id = COUNTING_FILTER,
                                          .encoder_present = 1,
                                          .decoder_present = 1,
                                          .name = "counting",
                                          .filter = count_chunk};
    ck_assert_int_ge(H5Zregister(&counting), 0);
    decoded = 0;
}

START_TEST(reading_a_table_forward_touches_every_chunk_once)
{
    /* 53 chunks a stripe of rows; each is larger than a 53rd of HDF5's default cache. */
    const struct storage how = {.chunk = {300, 40}, .filter = COUNTING_FILTER};
    register_counting_filter();
    const char *path = scratch_path("table.h5");
    write_table(path, "df", 1000, WIDTH, &how);
    decoded = 0;
    event_file *file = open_file(path, NULL);
    for (uint64_t first = 0; first < 1000; first += 125) {
        struct event_batch batch;
        ck_assert_int_eq(event_file_read(file, first, 125, &batch), STATUS_OK);
    }
    ck_assert_uint_eq(decoded, 4 * 53);
    event_file_close(&file);
}
END_TEST

START_TEST(a_second_read_of_the_same_size_uses_the_same_memory)
{
    const char *path = scratch_path("table.h5");
    write_table(path, "df", ROWS, WIDTH, &plain);
    event_file *file = open_file(path, NULL);
    struct event_batch first, second;
    ck_assert_int_eq(event_file_read(file, 0, 15, &first), STATUS_OK);
    ck_assert_int_eq(event_file_read(file, 15, 15, &second), STATUS_OK);
    ck_assert_ptr_eq(first.pt, second.pt);
    ck_assert_ptr_eq(first.offset, second.offset);
    event_file_close(&file);
}
END_TEST

START_TEST(a_table_without_labels_has_none)
{
    const char *path = scratch_path("table.h5");
    write_table(path, "df", ROWS, WIDTH - 1, &plain);
    event_file *file = open_file(path, NULL);
    ck_assert(!event_file_has_labels(file));
    struct event_batch batch;
    ck_assert_int_eq(event_file_read(file, 5, 20, &batch), STATUS_OK);
    check_table_batch(&batch, 5, 20, false);
    event_file_close(&file);
}
END_TEST

/* A masterkey of n labels as value_at has them, the first line replaced by `first`. */
static const char *write_masterkey(size_t n, const char *first)
{
    static const char *const spellings[2][3] = {{"0", "0.0", "0.000000000000000000e+00"},
                                                {"1", "1.0\r", " 1.000000000000000000e+00 "}};
    const char *path = scratch_path("key.masterkey");
    FILE *file = fopen(path, "w");
    for (size_t r = 0; r < n; r++)
        fprintf(file, "%s\n", r == 0 ? first : spellings[r % 3 == 0][r % 7 % 3]);
    fclose(file);
    return path;
}

START_TEST(a_masterkey_gives_the_labels_of_a_table_without)
{
    const char *path = scratch_path("table.h5");
    write_table(path, "df", ROWS, WIDTH - 1, &plain);
    event_file *file = open_file(path, write_masterkey(ROWS, "1.0"));
    ck_assert(event_file_has_labels(file));
    struct event_batch batch;
    ck_assert_int_eq(event_file_read(file, 4, 33, &batch), STATUS_OK);
    check_table_batch(&batch, 4, 33, true);
    event_file_close(&file);
}
END_TEST

START_TEST(a_masterkey_that_does_not_fit_is_refused)
{
    const char *path = scratch_path("table.h5");
    write_table(path, "df", ROWS, WIDTH - 1, &plain);
    check_refused(path, write_masterkey(ROWS - 1, "1"), "holds 36 labels, expected 37");
    check_refused(path, write_masterkey(ROWS + 1, "1"), "holds 38 labels, expected 37");
    check_refused(path, write_masterkey(ROWS, "200"), "label 1 is '200', expected an integer");
    check_refused(path, write_masterkey(ROWS, "1 0"), "label 1 is '1 0'");
    check_refused(path, write_masterkey(ROWS, "signal"), "label 1 is 'signal'");
    check_refused(path, scratch_path("absent"), "No such file");
    write_table(path, "df", ROWS, WIDTH, &plain);
    check_refused(path, write_masterkey(ROWS, "1"), "this file has labels");
}
END_TEST

START_TEST(labels_mean_what_the_settings_say)
{
    const char *path = scratch_path("table.h5");
    write_table(path, "df", ROWS, WIDTH - 1, &plain);
    event_file *file = open_file(path, write_masterkey(ROWS, "2"));
    struct event_batch batch;
    struct event_labels labels;
    captured_begin();
    ck_assert_int_eq(event_file_read(file, 0, 3, &batch), STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "row 0: label 2, expected 0 or 1 (the reader's settings.labels");
    json_t *settings =
        json_pack("{s:[i], s:[i, i]}", "labels.background", 0, "labels.signal", 1, 2);
    event_labels_from_settings(&labels, settings);
    json_decref(settings);
    event_file_set_labels(file, &labels);
    ck_assert_int_eq(event_file_read(file, 0, 3, &batch), STATUS_OK);
    ck_assert_int_eq(batch.label[0], 1);
    event_file_close(&file);
}
END_TEST

START_TEST(an_empty_frame_has_no_events)
{
    const struct {
        hsize_t rows, width;
    } empty[] = {{1, 1}, {0, WIDTH}};
    const char *path = scratch_path("empty.h5");
    write_table(path, "df", empty[_i].rows, empty[_i].width, &plain);
    event_file *file = open_file(path, NULL);
    ck_assert_int_eq(event_file_layout(file), LAYOUT_LHCO_TABLE);
    ck_assert_uint_eq(event_file_events(file), 0);
    struct event_batch batch;
    ck_assert_int_eq(event_file_read(file, 0, 0, &batch), STATUS_OK);
    ck_assert_uint_eq(batch.particles, 0);
    event_file_close(&file);
}
END_TEST

START_TEST(a_table_of_another_width_is_refused_with_both_shapes)
{
    const char *path = scratch_path("table.h5");
    write_table(path, "df", ROWS, 14, &plain); /* the high-level features of the LHC Olympics */
    check_refused(path, NULL, "/df/block0_values has shape 37 x 14, expected N x 2101");
}
END_TEST

/* Overwrites one number of a dataset of one or two dimensions. */
static void spoil(const char *path, const char *name, const hsize_t at[], double value)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t space = H5Dget_space(dataset), one = H5Screate(H5S_SCALAR);
    ck_assert_int_ge(H5Sselect_elements(space, H5S_SELECT_SET, 1, at), 0);
    ck_assert_int_ge(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, one, space, H5P_DEFAULT, &value), 0);
    H5Sclose(one);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
}

/* Reading all rows fails, and the message says `because`. */
static void check_unreadable(const char *path, const char *because)
{
    event_file *file = open_file(path, NULL);
    struct event_batch batch;
    captured_begin();
    const status outcome = event_file_read(file, 0, (uint32_t)event_file_events(file), &batch);
    const char *said = captured_end();
    ck_assert_int_eq(outcome, STATUS_BAD_INPUT);
    CK_SAYS(said, because);
    CK_SAYS(said, path);
    event_file_close(&file);
}

START_TEST(a_label_that_is_neither_0_nor_1_is_refused_with_its_row)
{
    const char *path = scratch_path("table.h5");
    write_table(path, "df", ROWS, WIDTH, &plain);
    spoil(path, "df/block0_values", (hsize_t[]){33, WIDTH - 1}, 0.5);
    check_unreadable(path, "row 33: label 0.5, expected an integer from -128 to 127");
}
END_TEST

START_TEST(numbers_that_are_not_finite_are_passed_on)
{
    const char *path = scratch_path("table.h5");
    write_table(path, "df", ROWS, WIDTH, &plain);
    spoil(path, "df/block0_values", (hsize_t[]){1, 0}, NAN);
    spoil(path, "df/block0_values", (hsize_t[]){1, 4}, -INFINITY);
    event_file *file = open_file(path, NULL);
    struct event_batch batch;
    ck_assert_int_eq(event_file_read(file, 1, 1, &batch), STATUS_OK);
    ck_assert(isnan(batch.pt[0]));
    ck_assert(isinf(batch.eta[1]));
    event_file_close(&file);
}
END_TEST

START_TEST(links_and_data_in_other_files_are_not_followed)
{
    const char *there = scratch_path("there.h5"), *here = scratch_path("here.h5");
    write_table(there, "df", ROWS, WIDTH, &plain);
    hid_t file = H5Fcreate(here, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external(there, "/df", file, "df", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    check_refused(here, NULL, "soft or external link");

    file = H5Fcreate(here, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(H5Gcreate2(file, "df", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Lcreate_soft("/elsewhere", file, "/df/block0_values", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    check_refused(here, NULL, "soft or external link");

    file = H5Fcreate(here, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(H5Gcreate2(file, "df", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    const hid_t space = H5Screate_simple(2, (hsize_t[]){3, WIDTH}, NULL);
    const hid_t made = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(made, there, 0, H5F_UNLIMITED);
    H5Dclose(H5Dcreate2(file, "df/block0_values", H5T_IEEE_F64LE, space, H5P_DEFAULT, made,
                        H5P_DEFAULT));
    H5Pclose(made);
    H5Sclose(space);
    H5Fclose(file);
    check_refused(here, NULL, "lie in other files");
}
END_TEST

/* A file with the tables /df and /lhco/rd/few, which holds the first 5 rows. */
static const char *write_two_tables(void)
{
    const char *path = scratch_path("table.h5"), *other = scratch_path("other.h5");
    write_table(path, "df", ROWS, WIDTH, &plain);
    write_table(other, "few", 5, WIDTH, &plain);
    const hid_t to = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t from = H5Fopen(other, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    ck_assert_int_ge(H5Ocopy(from, "few", to, "lhco/rd/few", H5P_DEFAULT, links), 0);
    H5Pclose(links);
    H5Fclose(from);
    H5Fclose(to);
    return path;
}

START_TEST(of_two_tables_one_must_be_named)
{
    static const struct {
        const char *key;
        uint64_t events;
    } tables[] = {{"df", ROWS}, {"/df", ROWS}, {"lhco/rd/few", 5}, {"/lhco/rd/few", 5}};
    const char *path = write_two_tables();
    check_refused(path, NULL, "more than one table of events: /df and /lhco/rd/few. Name one");
    char name[300];
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        snprintf(name, sizeof name, "%s:%s", path, tables[i].key);
        event_file *file = open_file(name, NULL);
        ck_assert_uint_eq(event_file_events(file), tables[i].events);
        event_file_close(&file);
    }
    snprintf(name, sizeof name, "%s:few", path);
    check_refused(name, NULL, "no table /few/block0_values; tables of this file are /df and");
}
END_TEST

START_TEST(one_table_is_found_wherever_it_is_and_under_two_names_is_one)
{
    const char *path = scratch_path("table.h5");
    write_table(path, "df", ROWS, WIDTH, &plain);
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Gclose(H5Gcreate2(file, "deep", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Lmove(file, "df", file, "deep/df", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(file, "deep/df", file, "deep/again", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    event_file *opened = open_file(path, NULL);
    ck_assert_uint_eq(event_file_events(opened), ROWS);
    event_file_close(&opened);
}
END_TEST

START_TEST(what_is_no_event_file_is_refused_with_the_reason)
{
    check_refused(scratch_path("absent.h5"), NULL, "No such file");
    check_refused(scratch, NULL, "found a folder");
    file_put(scratch_path("text.h5"), 6, "hello\n");
    check_refused(scratch_path("text.h5"), NULL, "not an HDF5 file");
    file_put(scratch_path("nothing.h5"), 0, "");
    check_refused(scratch_path("nothing.h5"), NULL, "found an empty file");
    ck_assert_int_eq(mkfifo(scratch_path("pipe.h5"), 0600), 0);
    check_refused(scratch_path("pipe.h5"), NULL, "no regular file");
    H5Fclose(H5Fcreate(scratch_path("other.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    check_refused(scratch_path("other.h5"), NULL, "unknown layout");
}
END_TEST

START_TEST(a_truncated_file_is_refused)
{
    const char *path = scratch_path("table.h5");
    write_table(path, "df", ROWS, WIDTH, &storages[_i]);
    size_t size;
    uint8_t *bytes = file_bytes(path, &size);
    file_put(path, size / 2, bytes);
    check_refused(path, NULL, "truncated or damaged");
    free(bytes);
}
END_TEST

START_TEST(a_damaged_chunk_is_refused_with_its_rows)
{
    const struct storage how = {.chunk = {10, WIDTH}, .shuffle = _i == 1, .gzip = 6};
    const char *path = scratch_path("table.h5");
    write_table(path, "df", ROWS, WIDTH, &how);
    size_t size;
    uint8_t *bytes = file_bytes(path, &size);
    /* The chunks are what is large in this file: its middle is inside one. */
    memset(bytes + size / 2, 0xee, 64);
    file_put(path, size, bytes);
    free(bytes);
    check_unreadable(path, "cannot be read: truncated or damaged");
}
END_TEST

START_TEST(a_filter_that_is_missing_is_named)
{
    const char *path = scratch_path("table.h5");
    const struct storage how = {.chunk = {10, WIDTH}, .filter = COUNTING_FILTER};
    register_counting_filter();
    write_table(path, "df", ROWS, WIDTH, &how);
    H5Zunregister(COUNTING_FILTER);
    check_refused(path, NULL, "/df/block0_values needs HDF5 filter 300");
}
END_TEST

#define REAL_FILE SHARED_FOLDER "/data/events_anomalydetection_tiny.h5"

START_TEST(without_the_blosc_plugin_its_package_is_named)
{
    if (!file_exists(REAL_FILE))
        SKIP("%s is not there", REAL_FILE);
    H5PLset_loading_state(0);
    check_refused(REAL_FILE, NULL, "hdf5-filter-plugin-blosc-serial");
}
END_TEST

START_TEST(the_real_events_have_their_published_properties)
{
    if (!file_exists(REAL_FILE))
        SKIP("%s is not there", REAL_FILE);
    event_file *file = open_file(REAL_FILE, NULL);
    ck_assert_uint_eq(event_file_events(file), 1000);
    struct event_batch batch;
    ck_assert_int_eq(event_file_read(file, 0, 1000, &batch), STATUS_OK);
    /* README of the shared data: particles per event 173.5 +- 63.2 (QCD), 133.0 +- 32.7 (signal),
     * largest 482, 93 signal events; given to four digits. */
    double n[2] = {0}, sum[2] = {0}, squares[2] = {0};
    uint32_t most = 0;
    for (uint32_t e = 0; e < 1000; e++) {
        const uint32_t particles = batch.offset[e + 1] - batch.offset[e];
        const int label = batch.label[e];
        n[label]++;
        sum[label] += particles;
        squares[label] += (double)particles * particles;
        most = particles > most ? particles : most;
    }
    ck_assert_uint_eq(most, 482);
    ck_assert_double_eq(n[1], 93);
    for (int label = 0; label < 2; label++) {
        const double mean = sum[label] / n[label];
        ck_assert_double_eq_tol(mean, label ? 133.0 : 173.5, 0.05);
        ck_assert_double_eq_tol(sqrt(squares[label] / n[label] - mean * mean), label ? 32.7 : 63.2,
                                0.05);
    }
    /* Row 503 through h5py and numpy: 159 particles, first and last as float32. */
    const uint32_t from = batch.offset[503], to = batch.offset[504];
    ck_assert_uint_eq(to - from, 159);
    ck_assert(batch.pt[from] == 0.13220544159412384f);
    ck_assert(batch.eta[from] == -2.1550722122192383f);
    ck_assert(batch.phi[from] == -0.6762314438819885f);
    ck_assert(batch.pt[to - 1] == 0.2670934796333313f);
    ck_assert(batch.eta[to - 1] == 4.95516300201416f);
    ck_assert(batch.phi[to - 1] == 2.109783411026001f);
    event_file_close(&file);
}
END_TEST

/* Sums over rows of the stand-in files, computed with h5py and numpy (float32 values summed in
 * double). Ours add up in another order: 1e-9 is far above the rounding of 6e4 additions and far
 * below the smallest particle. */
static const struct {
    const char *path;
    uint64_t events, first;
    uint32_t n;
    uint32_t particles, signal;
    double pt, eta, phi;
} stand_ins[] = {
    {SHARED_FOLDER "/data/stand-in/lhco-table.h5", 11000, 10900, 100, 17145, 6, 289276.01230050623,
     NAN, NAN},
    {SHARED_FOLDER "/data/stand-in/qcd-1.h5", 159651, 20000, 511, 57610, 0, 1453085.48828125,
     -1280.28125, -3632.876953125},
    {SHARED_FOLDER "/data/stand-in/signal-3500-500-100.h5", 25000, 20000, 511, 50398, 511,
     1624135.6293945312, 98.61328125, -738.68359375},
};

static double total(uint32_t n, const float x[])
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

START_TEST(the_stand_in_events_are_those_h5py_reads)
{
    if (!file_exists(stand_ins[_i].path))
        SKIP("%s is not there", stand_ins[_i].path);
    event_file *file = open_file(stand_ins[_i].path, NULL);
    ck_assert_uint_eq(event_file_events(file), stand_ins[_i].events);
    struct event_batch batch;
    ck_assert_int_eq(event_file_read(file, stand_ins[_i].first, stand_ins[_i].n, &batch),
                     STATUS_OK);
    ck_assert_uint_eq(batch.particles, stand_ins[_i].particles);
    uint32_t signal = 0;
    for (uint32_t e = 0; e < batch.events; e++)
        signal += batch.label[e] == 1 ? 1u : 0u;
    ck_assert_uint_eq(signal, stand_ins[_i].signal);
    ck_assert_double_eq_tol(total(batch.particles, batch.pt) / stand_ins[_i].pt, 1, 1e-9);
    if (!isnan(stand_ins[_i].eta)) {
        ck_assert_double_eq_tol(total(batch.particles, batch.eta), stand_ins[_i].eta, 1e-6);
        ck_assert_double_eq_tol(total(batch.particles, batch.phi), stand_ins[_i].phi, 1e-6);
    }
    event_file_close(&file);
}
END_TEST

/* Particles of event e of our made-up columns. */
static uint32_t column_particles(uint64_t e)
{
    return (uint32_t)(e * 5 % 13);
}

/* Rows first .. first + n - 1 of the made-up columns, in one buffer that is used again. */
static const struct event_batch *column_batch(uint64_t first, uint32_t n, bool labelled)
{
    enum { EVENTS = 64 };
    static uint32_t offset[EVENTS + 1];
    static float pt[EVENTS * 13], eta[EVENTS * 13], phi[EVENTS * 13];
    static int8_t label[EVENTS];
    static struct event_batch batch;
    ck_assert_uint_le(n, EVENTS);
    for (uint32_t e = 0; e < n; e++) {
        offset[e + 1] = offset[e] + column_particles(first + e);
        for (uint32_t p = offset[e]; p < offset[e + 1]; p++) {
            pt[p] = 1.5f + (float)(first + e) + (float)(p - offset[e]) / 16;
            eta[p] = (float)(p - offset[e]) / 3 - 1;
            phi[p] = (float)(first + e) / 77;
        }
        label[e] = (int8_t)((first + e) % 4 == 1);
    }
    batch = (struct event_batch){.first_row = first,
                                 .events = n,
                                 .particles = offset[n],
                                 .offset = offset,
                                 .pt = pt,
                                 .eta = eta,
                                 .phi = phi,
                                 .label = labelled ? label : NULL};
    return &batch;
}

/* Writes the first 61 made-up events in batches of 7. */
static const char *write_columns(const char *name, bool labelled)
{
    const char *path = scratch_path(name);
    event_writer *writer;
    ck_assert_int_eq(event_writer_create(&writer, path), STATUS_OK);
    for (uint64_t first = 0; first < 61; first += 7)
        ck_assert_int_eq(
            event_writer_add(writer, column_batch(first, first + 7 > 61 ? 5 : 7, labelled)),
            STATUS_OK);
    ck_assert_int_eq(event_writer_commit(&writer), STATUS_OK);
    ck_assert_ptr_null(writer);
    return path;
}

static void check_columns_batch(const struct event_batch *is, bool labelled)
{
    const struct event_batch *must = column_batch(is->first_row, is->events, labelled);
    ck_assert_uint_eq(is->particles, must->particles);
    ck_assert_mem_eq(is->offset, must->offset, (is->events + 1) * sizeof *is->offset);
    ck_assert_mem_eq(is->pt, must->pt, is->particles * sizeof *is->pt);
    ck_assert_mem_eq(is->eta, must->eta, is->particles * sizeof *is->eta);
    ck_assert_mem_eq(is->phi, must->phi, is->particles * sizeof *is->phi);
    ck_assert_int_eq(is->label != NULL, labelled);
    if (labelled)
        ck_assert_mem_eq(is->label, must->label, is->events);
}

START_TEST(what_the_writer_wrote_the_reader_reads)
{
    const bool labelled = _i == 1;
    event_file *file = open_file(write_columns("columns.h5", labelled), NULL);
    ck_assert_int_eq(event_file_layout(file), LAYOUT_COLUMNS);
    ck_assert_str_eq(event_layout_name(event_file_layout(file)), "columns");
    ck_assert_uint_eq(event_file_events(file), 61);
    ck_assert_int_eq(event_file_has_labels(file), labelled);
    ck_assert_str_eq(event_file_shape(file), "/events 61 events, 362 particles float32");
    for (uint64_t first = 0; first < 61; first += 20) {
        struct event_batch batch;
        ck_assert_int_eq(event_file_read(file, first, first == 60 ? 1 : 20, &batch), STATUS_OK);
        check_columns_batch(&batch, labelled);
    }
    event_file_close(&file);
}
END_TEST

START_TEST(a_file_without_events_can_be_written_and_read)
{
    const char *path = scratch_path("none.h5");
    event_writer *writer;
    ck_assert_int_eq(event_writer_create(&writer, path), STATUS_OK);
    ck_assert_int_eq(event_writer_add(writer, column_batch(0, 0, true)), STATUS_OK);
    ck_assert_int_eq(event_writer_commit(&writer), STATUS_OK);
    event_file *file = open_file(path, NULL);
    ck_assert_uint_eq(event_file_events(file), 0);
    ck_assert(event_file_has_labels(file));
    struct event_batch batch;
    ck_assert_int_eq(event_file_read(file, 0, 0, &batch), STATUS_OK);
    ck_assert_uint_eq(batch.particles, 0);
    event_file_close(&file);
}
END_TEST

START_TEST(a_file_appears_only_when_it_is_complete)
{
    const char *path = scratch_path("columns.h5");
    file_put(path, 4, "past");
    event_writer *writer;
    ck_assert_int_eq(event_writer_create(&writer, path), STATUS_OK);
    ck_assert_int_eq(event_writer_add(writer, column_batch(0, 9, true)), STATUS_OK);
    event_writer *second;
    ck_assert_int_eq(event_writer_create(&second, path), STATUS_LOCKED);
    event_writer_destroy(&writer);
    ck_assert_ptr_null(writer);
    size_t size;
    uint8_t *bytes = file_bytes(path, &size);
    ck_assert_uint_eq(size, 4);
    free(bytes);
    ck_assert(!file_exists(scratch_path("columns.h5.tmp")));
    write_columns("columns.h5", true);
    event_file *file = open_file(path, NULL);
    event_file_close(&file);
    ck_assert(!file_exists(scratch_path("columns.h5.tmp")));
}
END_TEST

START_TEST(a_file_that_cannot_be_made_is_refused)
{
    event_writer *writer;
    ck_assert_int_eq(event_writer_create(&writer, scratch_path("absent/x.h5")), STATUS_BAD_INPUT);
    ck_assert_ptr_null(writer);
    ck_assert_int_eq(event_writer_create(&writer, scratch), STATUS_BAD_INPUT);
}
END_TEST

START_TEST(a_full_disk_leaves_no_file)
{
    const char *disk = scratch_path("disk");
    if (!small_disk_mount(disk))
        SKIP("no small file system can be mounted here (%s)", strerror(errno));
    const char *path = scratch_path("disk/columns.h5");
    event_writer *writer;
    ck_assert_int_eq(event_writer_create(&writer, path), STATUS_OK);
    status outcome = STATUS_OK;
    for (uint64_t first = 0; outcome == STATUS_OK && first < 500000; first += 61)
        outcome = event_writer_add(writer, column_batch(first, 61, true));
    if (outcome == STATUS_OK)
        outcome = event_writer_commit(&writer);
    ck_assert_int_eq(outcome, STATUS_NO_SPACE);
    event_writer_destroy(&writer);
    ck_assert(!file_exists(path));
    ck_assert(!file_exists(scratch_path("disk/columns.h5.tmp")));
    small_disk_unmount(disk);
}
END_TEST

START_TEST(the_same_events_give_the_same_bytes)
{
    size_t first_size, second_size;
    uint8_t *first = file_bytes(write_columns("first.h5", true), &first_size);
    uint8_t *second = file_bytes(write_columns("second.h5", true), &second_size);
    ck_assert_uint_eq(first_size, second_size);
    ck_assert_mem_eq(first, second, first_size);
    free(first);
    free(second);
}
END_TEST

START_TEST(reading_columns_forward_touches_every_chunk_once)
{
    enum { EVENTS = 3000, EACH = 40, CHUNK = 37000 };
    register_counting_filter();
    const char *path = scratch_path("columns.h5");
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(H5Gcreate2(file, "events", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    static double values[EVENTS * EACH];
    const char *const names[] = {"events/pt", "events/eta", "events/phi", "events/offset"};
    for (size_t d = 0; d < 4; d++) {
        const bool offset = d == 3;
        for (size_t i = 0; i < EVENTS * EACH; i++)
            values[i] = offset ? (double)(i * EACH) : 1;
        const hsize_t length = offset ? EVENTS + 1 : EVENTS * EACH, chunk = offset ? 701 : CHUNK;
        const hid_t space = H5Screate_simple(1, &length, NULL);
        const hid_t made = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(made, 1, &chunk);
        if (!offset) /* opening looks at both ends of the offsets */
            H5Pset_filter(made, COUNTING_FILTER, 0, 0, NULL);
        const hid_t dataset = H5Dcreate2(file, names[d], offset ? H5T_STD_U64LE : H5T_IEEE_F64LE,
                                         space, H5P_DEFAULT, made, H5P_DEFAULT);
        ck_assert_int_ge(
            H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
        H5Dclose(dataset);
        H5Pclose(made);
        H5Sclose(space);
    }
    H5Fclose(file);
    decoded = 0;
    event_file *events = open_file(path, NULL);
    for (uint64_t first = 0; first < EVENTS; first += 100) {
        struct event_batch batch;
        ck_assert_int_eq(event_file_read(events, first, 100, &batch), STATUS_OK);
        ck_assert_uint_eq(batch.particles, 100 * EACH);
    }
    ck_assert_uint_eq(decoded, 3 * 4); /* 120,000 numbers in chunks of 37,000 */
    event_file_close(&events);
}
END_TEST

static void write_numbers(hid_t file, const char *name, hid_t type, hsize_t n,
                          const double values[], bool shuffle)
{
    const hsize_t chunk = 211;
    const hid_t space = H5Screate_simple(1, &n, NULL);
    const hid_t made = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(made, 1, &chunk);
    if (shuffle)
        H5Pset_shuffle(made);
    H5Pset_deflate(made, 4);
    const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, made, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values),
                     0);
    H5Dclose(dataset);
    H5Pclose(made);
    H5Sclose(space);
}

START_TEST(deflated_columns_are_read_shuffled_or_not)
{
    enum { EVENTS = 301, EACH = 7, N = EVENTS * EACH };
    const char *path = scratch_path("columns.h5");
    const char *const names[] = {"events/pt", "events/eta", "events/phi"};
    static double values[N], offsets[EVENTS + 1];
    for (size_t e = 0; e <= EVENTS; e++)
        offsets[e] = (double)(e * EACH);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(H5Gcreate2(file, "events", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    write_numbers(file, "events/offset", H5T_STD_U64LE, EVENTS + 1, offsets, _i == 1);
    for (size_t d = 0; d < 3; d++) {
        for (size_t i = 0; i < N; i++)
            values[i] = 0.37 * (double)i - (double)(1000 * d);
        write_numbers(file, names[d], H5T_IEEE_F32LE, N, values, _i == 1);
    }
    H5Fclose(file);
    event_file *events = open_file(path, NULL);
    const uint64_t firsts[] = {0, 200, 47, 300}; /* 47: over the ends of chunks */
    for (size_t r = 0; r < 4; r++) {
        struct event_batch batch;
        const uint32_t n = firsts[r] == 300 ? 1 : 100;
        ck_assert_int_eq(event_file_read(events, firsts[r], n, &batch), STATUS_OK);
        ck_assert_uint_eq(batch.particles, n * EACH);
        for (uint32_t i = 0; i < batch.particles; i++) {
            const double value = 0.37 * (double)(firsts[r] * EACH + i);
            ck_assert(batch.pt[i] == (float)value);
            ck_assert(batch.eta[i] == (float)(value - 1000));
            ck_assert(batch.phi[i] == (float)(value - 2000));
        }
    }
    event_file_close(&events);
}
END_TEST

START_TEST(offsets_that_do_not_fit_are_refused)
{
    const char *path = write_columns("columns.h5", true);
    spoil(path, "events/offset", (hsize_t[]){0}, 3);
    check_refused(path, NULL, "/events/offset runs from 3 to 362, expected 0 to 362");
    path = write_columns("columns.h5", true);
    spoil(path, "events/offset", (hsize_t[]){61}, 363);
    check_refused(path, NULL, "/events/offset runs from 0 to 363, expected 0 to 362");
    path = write_columns("columns.h5", true);
    spoil(path, "events/offset", (hsize_t[]){40}, 1);
    check_unreadable(path, "row 39: /events/offset goes from");
    path = write_columns("columns.h5", true);
    spoil(path, "events/offset", (hsize_t[]){40}, 1e12);
    check_unreadable(path, "row 39: /events/offset goes from");
}
END_TEST

START_TEST(a_column_label_that_is_neither_0_nor_1_is_refused_with_its_row)
{
    const char *path = write_columns("columns.h5", true);
    spoil(path, "events/label", (hsize_t[]){17}, -1);
    check_unreadable(path, "row 17: label -1, expected 0 or 1");
}
END_TEST

/* Replaces a column by n zeros of a type. */
static void replace_column(const char *path, const char *name, hid_t type, hsize_t n)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, name, H5P_DEFAULT);
    if (n > 0) {
        const hid_t space = H5Screate_simple(1, &n, NULL);
        const hid_t made = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_alloc_time(made, H5D_ALLOC_TIME_EARLY);
        H5Dclose(H5Dcreate2(file, name, type, space, H5P_DEFAULT, made, H5P_DEFAULT));
        H5Pclose(made);
        H5Sclose(space);
    }
    H5Fclose(file);
}

START_TEST(columns_of_wrong_length_or_type_are_refused)
{
    const char *path = write_columns("columns.h5", true);
    replace_column(path, "events/phi", H5T_IEEE_F32LE, 361);
    check_refused(path, NULL, "/events/phi has 361 elements, expected 362");
    replace_column(path, "events/phi", H5T_STD_I32LE, 362);
    check_refused(path, NULL, "/events/phi has elements of 32-bit integer, expected float32");
    replace_column(path, "events/phi", H5T_IEEE_F64LE, 0);
    check_refused(path, NULL, "there is no dataset /events/phi");
    replace_column(path, "events/phi", H5T_IEEE_F64LE, 362);
    replace_column(path, "events/label", H5T_STD_I8LE, 60);
    check_refused(path, NULL, "/events/label has 60 elements, expected 61");
    replace_column(path, "events/label", H5T_STD_I64BE, 61);
    event_file *file = open_file(path, NULL); /* float64 angles and wide labels are welcome */
    struct event_batch batch;
    ck_assert_int_eq(event_file_read(file, 0, 61, &batch), STATUS_OK);
    ck_assert_float_eq(batch.phi[100], 0);
    event_file_close(&file);
    check_refused(path, write_masterkey(61, "1"), "is for tables without labels only");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("event_file");
    tcase_add_checked_fixture(cases, scratch_make, scratch_remove);
    tcase_add_test(cases, without_the_blosc_plugin_its_package_is_named);
    tcase_add_loop_test(cases, any_chunking_gives_the_same_events_in_any_order, 0, STORAGES);
    tcase_add_test(cases, a_table_of_float32_or_under_another_key_is_read_too);
    tcase_add_test(cases, reading_a_table_forward_touches_every_chunk_once);
    tcase_add_test(cases, a_second_read_of_the_same_size_uses_the_same_memory);
    tcase_add_test(cases, a_table_without_labels_has_none);
    tcase_add_test(cases, a_masterkey_gives_the_labels_of_a_table_without);
    tcase_add_test(cases, a_masterkey_that_does_not_fit_is_refused);
    tcase_add_test(cases, labels_mean_what_the_settings_say);
    tcase_add_loop_test(cases, an_empty_frame_has_no_events, 0, 2);
    tcase_add_test(cases, a_table_of_another_width_is_refused_with_both_shapes);
    tcase_add_test(cases, a_label_that_is_neither_0_nor_1_is_refused_with_its_row);
    tcase_add_test(cases, numbers_that_are_not_finite_are_passed_on);
    tcase_add_test(cases, links_and_data_in_other_files_are_not_followed);
    tcase_add_test(cases, of_two_tables_one_must_be_named);
    tcase_add_test(cases, one_table_is_found_wherever_it_is_and_under_two_names_is_one);
    tcase_add_test(cases, what_is_no_event_file_is_refused_with_the_reason);
    tcase_add_loop_test(cases, a_truncated_file_is_refused, 0, STORAGES);
    tcase_add_loop_test(cases, a_damaged_chunk_is_refused_with_its_rows, 0, 2);
    tcase_add_test(cases, a_filter_that_is_missing_is_named);
    tcase_add_test(cases, the_real_events_have_their_published_properties);
    tcase_add_loop_test(cases, the_stand_in_events_are_those_h5py_reads, 0, 3);
    tcase_add_loop_test(cases, what_the_writer_wrote_the_reader_reads, 0, 2);
    tcase_add_test(cases, a_file_without_events_can_be_written_and_read);
    tcase_add_test(cases, a_file_appears_only_when_it_is_complete);
    tcase_add_test(cases, a_file_that_cannot_be_made_is_refused);
    tcase_add_test(cases, a_full_disk_leaves_no_file);
    tcase_add_test(cases, the_same_events_give_the_same_bytes);
    tcase_add_test(cases, reading_columns_forward_touches_every_chunk_once);
    tcase_add_loop_test(cases, deflated_columns_are_read_shuffled_or_not, 0, 2);
    tcase_add_test(cases, offsets_that_do_not_fit_are_refused);
    tcase_add_test(cases, a_column_label_that_is_neither_0_nor_1_is_refused_with_its_row);
    tcase_add_test(cases, columns_of_wrong_length_or_type_are_refused);
    return run_case(cases, "event_file");
}
