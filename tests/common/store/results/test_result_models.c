/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Models of a result, written into a file in memory and read again. */
#include <math.h>
#include <string.h>

#include "common/store/disk/hdf5_util.h"
#include "common/store/results/result_models.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

enum { MEMBERS = 2, CLUSTERS = 3, PIXELS = 4, MOST = 5 };

static float prototype[MEMBERS][MOST * PIXELS];
static double scale[MEMBERS][MOST], bias[MEMBERS][MOST];
static uint16_t map[MEMBERS][MOST];
static struct model_record models[MEMBERS];
static hid_t file;

/* The file, of so many members. */
static struct result_access access_to(size_t members)
{
    return (struct result_access){
        .file = file,
        .path = "r.h5",
        .lengths = {[DIMENSION_MEMBER] = members,
                    [DIMENSION_CLUSTER] = CLUSTERS,
                    [DIMENSION_PROTOTYPE] = result_models_prototypes(MEMBERS, models),
                    [DIMENSION_PIXEL] = PIXELS}};
}

static bool write_models(void)
{
    const struct result_access to = access_to(MEMBERS);
    return result_models_write(&to, MEMBERS, models);
}

static void setup(void)
{
    hdf5_silence();
    file = hdf5_memory_file();
    ck_assert_int_ge(file, 0);
    for (size_t m = 0; m < MEMBERS; m++) {
        for (size_t q = 0; q < MOST; q++) {
            scale[m][q] = 1.0;
            bias[m][q] = 0.0;
            map[m][q] = (uint16_t)q;
        }
        for (size_t i = 0; i < MOST * PIXELS; i++)
            prototype[m][i] = (float)(100 * m + i) / 3;
        models[m] = (struct model_record){.algorithm = "minibatch_kmeans",
                                          .clusters = CLUSTERS,
                                          .prototypes = CLUSTERS,
                                          .pixels = PIXELS,
                                          .cutoff = INFINITY,
                                          .prototype = prototype[m],
                                          .scale = scale[m],
                                          .bias = bias[m],
                                          .map = map[m]};
    }
}

static void teardown(void)
{
    H5Fclose(file);
}

/* Member 1 has five prototypes of two clusters, scales, biases and a cutoff. */
static void make_general(void)
{
    static const uint16_t joined[MOST] = {1, 0, 1, 1, 0};
    models[1].prototypes = MOST;
    models[1].cutoff = 0.75;
    memcpy(map[1], joined, sizeof joined);
    for (size_t q = 0; q < MOST; q++) {
        scale[1][q] = 0.5 + (double)q;
        bias[1][q] = -1.0 - (double)q;
    }
}

static float *read_centres(void)
{
    hsize_t dims[3] = {MEMBERS, CLUSTERS, PIXELS};
    void *centres;
    ck_assert_int_eq(hdf5_read(file, "r.h5", "codebook/centres", HDF5_F32, 3, dims, &centres),
                     STATUS_OK);
    return centres;
}

static void expect_same(const struct model_record *found, size_t m)
{
    const size_t p = models[m].prototypes;
    ck_assert_uint_eq(found->clusters, CLUSTERS);
    ck_assert_uint_eq(found->prototypes, p);
    ck_assert_uint_eq(found->pixels, PIXELS);
    ck_assert_double_eq(found->cutoff, models[m].cutoff);
    ck_assert_mem_eq(found->prototype, prototype[m], p * PIXELS * sizeof(float));
    ck_assert_mem_eq(found->scale, scale[m], p * sizeof(double));
    ck_assert_mem_eq(found->bias, bias[m], p * sizeof(double));
    ck_assert_mem_eq(found->map, map[m], p * sizeof(uint16_t));
}

static void expect_all(const float centres[])
{
    struct result_models found;
    struct result_access from = access_to(MEMBERS);
    ck_assert_int_eq(result_models_read(&found, &from, centres), STATUS_OK);
    for (size_t m = 0; m < MEMBERS; m++)
        expect_same(&found.record[m], m);
    result_models_fini(&found);
}

START_TEST(the_models_of_a_k_means_are_their_centres_and_no_more)
{
    ck_assert(write_models());
    ck_assert_int_eq(hdf5_find(file, "model"), HDF5_MISSING);
    float *centres = read_centres();
    ck_assert_mem_eq(centres + CLUSTERS * PIXELS, prototype[1], CLUSTERS * PIXELS * sizeof(float));
    expect_all(centres);
    free(centres);
}
END_TEST

START_TEST(other_models_are_read_as_they_were_written)
{
    make_general();
    ck_assert(write_models());
    float *centres = read_centres();
    expect_all(centres);
    for (size_t i = 0; i < PIXELS; i++) {
        const double mean = ((double)prototype[1][PIXELS + i] + (double)prototype[1][16 + i]) / 2;
        ck_assert_float_eq(centres[CLUSTERS * PIXELS + i], (float)mean);       /* of 1 and 4 */
        ck_assert_float_eq(centres[CLUSTERS * PIXELS + 2 * PIXELS + i], 0.0f); /* of none */
    }
    free(centres);
}
END_TEST

START_TEST(a_model_with_a_fault_or_of_another_shape_is_refused)
{
    struct result_models found;
    make_general();
    map[1][3] = CLUSTERS - 1;
    scale[1][2] = -1.0;
    ck_assert(write_models());
    struct result_access from = access_to(MEMBERS);
    captured_begin();
    ck_assert_int_eq(result_models_read(&found, &from, NULL), STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "r.h5: damaged: model of member 1: a scale is not finite or not above");
    result_models_fini(&found);
    from = access_to(MEMBERS + 1);
    captured_begin();
    ck_assert_int_eq(result_models_read(&found, &from, NULL), STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "/model/prototypes");
    result_models_fini(&found);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("result_models");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, the_models_of_a_k_means_are_their_centres_and_no_more);
    tcase_add_test(cases, other_models_are_read_as_they_were_written);
    tcase_add_test(cases, a_model_with_a_fault_or_of_another_shape_is_refused);
    return run_case(cases, "result_models");
}
