/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Models that are no k-means: scales, biases, maps and cutoffs against dense sums. The smearing of
 * the dense images is the one that test_model.c holds against scipy. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "common/kernels/clustering/model.h"
#include "common/kernels/image/power.h"
#include "tests/support/check_main.h"

enum { SIDE = 11, PIXELS = SIDE * SIDE, LIT = 13, IMAGES = 5003, PROTOTYPES = 37, CLUSTERS = 9 };

static uint64_t offset[IMAGES + 1];
static uint16_t pixel[IMAGES * LIT];
static float fraction[IMAGES * LIT], value[IMAGES * LIT];
static double dense[IMAGES * PIXELS], dense_prototype[PROTOTYPES * PIXELS];
static float prototype[PROTOTYPES * PIXELS];
static double scale[PROTOTYPES], bias[PROTOTYPES];
static uint16_t map[PROTOTYPES], expected[IMAGES], label[2 * IMAGES];
static smearing *smear;
static const struct sparse_images powers = {IMAGES, offset, pixel, value};
static const struct sparse_images fractions = {IMAGES, offset, pixel, fraction};

static void draw_images(double power)
{
    struct random_state random;
    random_init(&random, 5, 0, 0);
    for (size_t i = 0; i < IMAGES; i++) {
        const uint64_t begin = offset[i];
        uint64_t end = begin;
        for (uint32_t p = 0; p < PIXELS && end < begin + LIT; p++)
            if (p == i % PIXELS || random_below(&random, 12) == 0) {
                pixel[end] = (uint16_t)p;
                fraction[end++] = (float)(0.01 + random_uniform(&random));
            }
        image_to_power((size_t)(end - begin), fraction + begin, power, value + begin);
        offset[i + 1] = end;
        double sharp[PIXELS] = {0.0};
        for (uint64_t j = begin; j < end; j++)
            sharp[pixel[j]] = (double)value[j];
        smearing_once(smear, sharp, dense + i * PIXELS);
    }
}

/* Prototypes are images, so that distances are small and scales and biases decide. */
static void draw_prototypes(void)
{
    struct random_state random;
    random_init(&random, 6, 0, 0);
    memset(prototype, 0, sizeof prototype);
    for (size_t q = 0; q < PROTOTYPES; q++) {
        for (uint64_t j = offset[7 * q]; j < offset[7 * q + 1]; j++)
            prototype[q * PIXELS + pixel[j]] = value[j];
        double sharp[PIXELS];
        for (size_t p = 0; p < PIXELS; p++)
            sharp[p] = (double)prototype[q * PIXELS + p];
        smearing_once(smear, sharp, dense_prototype + q * PIXELS);
        scale[q] = 1.0 + 4.0 * random_uniform(&random);
        bias[q] = 0.05 * random_gaussian(&random);
        map[q] = (uint16_t)random_below(&random, CLUSTERS - 1);
    }
}

static void setup(void)
{
    ck_assert_int_eq(smearing_create(&smear, SIDE, 1.0), STATUS_OK);
    draw_images(0.5);
    draw_prototypes();
}

static void teardown(void)
{
    smearing_destroy(&smear);
}

static struct model_record record_of(double cutoff)
{
    return (struct model_record){.algorithm = "test",
                                 .clusters = CLUSTERS,
                                 .prototypes = PROTOTYPES,
                                 .pixels = PIXELS,
                                 .cutoff = cutoff,
                                 .prototype = prototype,
                                 .scale = scale,
                                 .bias = bias,
                                 .map = map};
}

static double dense_score(size_t i, size_t q)
{
    double sum = 0.0;
    for (size_t p = 0; p < PIXELS; p++) {
        const double d = dense[i * PIXELS + p] - dense_prototype[q * PIXELS + p];
        sum += d * d;
    }
    return scale[q] * sum + bias[q];
}

static double least_dense_score(size_t i)
{
    double least = INFINITY;
    for (size_t q = 0; q < PROTOTYPES; q++)
        least = fmin(least, dense_score(i, q));
    return least;
}

/* Fills expected; scores are good to some 1e-15, so none may be as near as that to a decision. */
static void expect_labels(double cutoff, size_t *noise)
{
    *noise = 0;
    for (size_t i = 0; i < IMAGES; i++) {
        double least = INFINITY, second = INFINITY;
        size_t best = 0;
        for (size_t q = 0; q < PROTOTYPES; q++) {
            const double score = dense_score(i, q);
            if (score < least) {
                second = least;
                least = score;
                best = q;
            } else {
                second = fmin(second, score);
            }
        }
        ck_assert_double_gt(second - least, 1e-12);
        ck_assert(fabs(least - cutoff) > 1e-12);
        expected[i] = least > cutoff ? CLUSTERS - 1 : map[best];
        *noise += least > cutoff;
    }
}

static model *new_model(double cutoff)
{
    model *fitted;
    const struct model_record record = record_of(cutoff);
    ck_assert_ptr_null(model_record_fault(&record));
    ck_assert_int_eq(model_create(&fitted, &record, smear), STATUS_OK);
    return fitted;
}

/* All ways to labels, on every path, give what is expected. */
static void check_labels(model *fitted)
{
    for (int path = INSTRUCTION_SET_PLAIN; path <= (int)instruction_set_best(); path++) {
        model_use(fitted, (enum instruction_set)path);
        memset(label, 0xff, sizeof label);
        model_label(fitted, &powers, label, NULL);
        ck_assert_mem_eq(label, expected, sizeof expected);
        memset(label, 0xff, sizeof label);
        models_label(1, &fitted, &powers, label);
        ck_assert_mem_eq(label, expected, sizeof expected);
        memset(label, 0xff, sizeof label);
        models_label_fractions(1, &fitted, 0.5, &fractions, label);
        ck_assert_mem_eq(label, expected, sizeof expected);
    }
}

static void make_even(double all)
{
    for (size_t q = 0; q < PROTOTYPES; q++)
        scale[q] = all;
}

START_TEST(scales_and_biases_decide_as_in_the_dense_sum)
{
    size_t noise;
    expect_labels(INFINITY, &noise);
    model *fitted = new_model(INFINITY);
    check_labels(fitted);
    model_destroy(&fitted);
}
END_TEST

START_TEST(equal_scales_and_biases_decide_as_in_the_dense_sum)
{
    size_t noise;
    make_even(2.7);
    expect_labels(INFINITY, &noise);
    model *fitted = new_model(INFINITY);
    check_labels(fitted);
    model_destroy(&fitted);
}
END_TEST

START_TEST(what_is_beyond_the_cutoff_gets_the_last_cluster)
{
    size_t noise;
    if (_i == 1)
        make_even(1.0);
    const double cutoff = least_dense_score(_i == 1 ? 77 : 101) + 1e-9;
    expect_labels(cutoff, &noise);
    ck_assert_uint_gt(noise, 100);
    ck_assert_uint_gt(IMAGES - noise, 100);
    model *fitted = new_model(cutoff);
    check_labels(fitted);
    model_destroy(&fitted);
}
END_TEST

START_TEST(a_score_at_the_cutoff_is_no_noise)
{
    double score[IMAGES], again[IMAGES];
    model *fitted = new_model(1e300);
    model_label(fitted, &powers, label, score);
    model_destroy(&fitted);
    const uint16_t own = label[4711];
    fitted = new_model(score[4711]);
    model_label(fitted, &powers, label, again);
    ck_assert_uint_eq(label[4711], own);
    ck_assert_double_eq(again[4711], score[4711]);
    model_destroy(&fitted);
    fitted = new_model(nextafter(score[4711], -INFINITY));
    model_label(fitted, &powers, label, NULL);
    ck_assert_uint_eq(label[4711], CLUSTERS - 1);
    model_destroy(&fitted);
}
END_TEST

START_TEST(scores_are_those_of_the_dense_sum)
{
    double score[IMAGES];
    model *fitted = new_model(INFINITY);
    model_label(fitted, &powers, label, score);
    for (size_t i = 0; i < IMAGES; i++)
        ck_assert_double_eq_tol(score[i], least_dense_score(i), 1e-13);
    model_destroy(&fitted);
}
END_TEST

START_TEST(models_of_several_kinds_are_labelled_side_by_side)
{
    static uint16_t alone[3 * IMAGES], together[3 * IMAGES];
    model *several[3] = {new_model(INFINITY), NULL, NULL};
    make_even(1.0);
    several[1] = new_model(least_dense_score(77));
    ck_assert_int_eq(model_create_nearest(&several[2], PROTOTYPES, prototype, smear), STATUS_OK);
    static const double tried[] = {0.5, 0.3};
    for (size_t m = 0; m < 3; m++)
        models_label_fractions(1, &several[m], tried[_i], &fractions, alone + m * IMAGES);
    models_label_fractions(3, several, tried[_i], &fractions, together);
    ck_assert_mem_eq(together, alone, sizeof alone);
    for (size_t m = 0; m < 3; m++)
        model_destroy(&several[m]);
}
END_TEST

START_TEST(a_model_that_says_no_more_than_its_centres_labels_like_them)
{
    make_even(1.0);
    memset(bias, 0, sizeof bias);
    for (uint16_t q = 0; q < PROTOTYPES; q++)
        map[q] = q;
    struct model_record record = record_of(INFINITY);
    record.clusters = PROTOTYPES;
    double score[IMAGES], of_centres[IMAGES];
    model *fitted, *nearest;
    ck_assert_int_eq(model_create(&fitted, &record, smear), STATUS_OK);
    ck_assert_int_eq(model_create_nearest(&nearest, PROTOTYPES, prototype, smear), STATUS_OK);
    model_label(fitted, &powers, label, score);
    model_label(nearest, &powers, expected, of_centres);
    ck_assert_mem_eq(label, expected, sizeof expected);
    ck_assert_mem_eq(score, of_centres, sizeof score);
    model_destroy(&fitted);
    model_destroy(&nearest);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("model_terms");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, scales_and_biases_decide_as_in_the_dense_sum);
    tcase_add_test(cases, equal_scales_and_biases_decide_as_in_the_dense_sum);
    tcase_add_loop_test(cases, what_is_beyond_the_cutoff_gets_the_last_cluster, 0, 2);
    tcase_add_test(cases, a_score_at_the_cutoff_is_no_noise);
    tcase_add_test(cases, scores_are_those_of_the_dense_sum);
    tcase_add_loop_test(cases, models_of_several_kinds_are_labelled_side_by_side, 0, 2);
    tcase_add_test(cases, a_model_that_says_no_more_than_its_centres_labels_like_them);
    return run_case(cases, "model_terms");
}
