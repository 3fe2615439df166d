/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Smearing, scores and labels against scipy and against the dense definition. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/random.h"
#include "common/kernels/clustering/model_internal.h"
#include "common/kernels/image/power.h"
#include "tests/support/check_main.h"

/* ---- the dense definition, written independently ---- */

/* Where a walk of `steps` ends that starts at i and turns round at the borders, as it does in
 * an image that goes on as d c b a | a b c d | d c b a: turning takes one step. */
static int walk(int i, int steps, int side)
{
    int direction = steps < 0 ? -1 : 1;
    for (int s = abs(steps); s > 0; s--) {
        if (i + direction < 0 || i + direction >= side)
            direction = -direction;
        else
            i += direction;
    }
    return i;
}

static void smear_axis(int side, double sigma, int stride, int other, const double in[],
                       double out[])
{
    const int radius = (int)(4.0 * sigma + 0.5);
    double norm = 0.0;
    for (int d = -radius; d <= radius; d++)
        norm += sigma > 0.0 ? exp(-0.5 * d * d / (sigma * sigma)) : 1.0;
    for (int line = 0; line < side; line++)
        for (int i = 0; i < side; i++) {
            double sum = 0.0;
            for (int d = -radius; d <= radius; d++) {
                const double g = sigma > 0.0 ? exp(-0.5 * d * d / (sigma * sigma)) : 1.0;
                sum += g / norm * in[line * other + walk(i, d, side) * stride];
            }
            out[line * other + i * stride] = sum;
        }
}

static void dense_smear(int side, double sigma, const double in[], double out[])
{
    double *half = calloc((size_t)(side * side), sizeof *half);
    smear_axis(side, sigma, side, 1, in, half);
    smear_axis(side, sigma, 1, side, half, out);
    free(half);
}

static double dense_distance2(size_t n, const double a[], const double b[])
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* ---- random images and centres ---- */

enum { IMAGES = 301, LIT_MAX = 23 };

struct sample {
    uint64_t offset[IMAGES + 1];
    uint16_t pixel[IMAGES * LIT_MAX];
    float value[IMAGES * LIT_MAX];
};

static struct sparse_images draw_images(struct sample *self, uint32_t pixels, uint64_t seed)
{
    struct random_state random;
    random_init(&random, seed, 0, 0);
    self->offset[0] = 0;
    for (size_t i = 0; i < IMAGES; i++) {
        uint64_t end = self->offset[i];
        const uint64_t wanted = 1 + random_below(&random, LIT_MAX);
        for (uint32_t p = 0; p < pixels && end < self->offset[i] + wanted; p++)
            if (random_below(&random, pixels) < 2 * wanted) {
                self->pixel[end] = (uint16_t)p;
                self->value[end++] = (float)(0.01 + random_uniform(&random));
            }
        if (end == self->offset[i]) {
            self->pixel[end] = (uint16_t)random_below(&random, pixels);
            self->value[end++] = 1.0f;
        }
        float *value = self->value + self->offset[i];
        image_to_power((size_t)(end - self->offset[i]), value, 0.5, value);
        self->offset[i + 1] = end;
    }
    return (struct sparse_images){IMAGES, self->offset, self->pixel, self->value};
}

/* Centres as k-means makes them: each the mean of the first few images after the c-th. */
static float *mean_centres(size_t k, size_t pixels, const struct sparse_images *images)
{
    float *centres = calloc(k * pixels, sizeof *centres);
    for (size_t c = 0; c < k; c++)
        for (size_t i = c; i < c + 3; i++)
            for (uint64_t j = images->offset[i]; j < images->offset[i + 1]; j++)
                centres[c * pixels + images->pixel[j]] += images->value[j] / 3.0f;
    return centres;
}

static void make_dense(const struct sparse_images *images, size_t i, size_t pixels, double out[])
{
    memset(out, 0, pixels * sizeof *out);
    for (uint64_t j = images->offset[i]; j < images->offset[i + 1]; j++)
        out[images->pixel[j]] = (double)images->value[j];
}

static smearing *new_smearing(uint32_t side, double sigma)
{
    smearing *smear;
    ck_assert_int_eq(smearing_create(&smear, side, sigma), STATUS_OK);
    return smear;
}

static model *new_model(size_t k, const float centres[], const smearing *smear)
{
    model *fitted;
    ck_assert_int_eq(model_create_nearest(&fitted, k, centres, smear), STATUS_OK);
    return fitted;
}

static void check_close(size_t n, const double found[], const double expected[], double tolerance)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_double_eq_tol(found[i], expected[i], tolerance);
}

/* ---- powers ---- */

START_TEST(powers_are_divided_by_their_sum)
{
    static const float intensity[4] = {0.5f, 0.25f, 0.2f, 0.05f};
    /* numpy 1.24.2, x**p / (x**p).sum() in double; the results are rounded to float once. */
    static const double half[4] = {0.3765357831390906, 0.26625100561703824, 0.23814214082924753,
                                   0.11907107041462377};
    static const double third[4] = {0.3254045871468152, 0.26431065569531215, 0.24719613158707276,
                                    0.16308862557079995};
    float out[4];
    image_to_power(4, intensity, 0.5, out);
    for (int i = 0; i < 4; i++)
        ck_assert_float_eq(out[i], (float)half[i]);
    image_to_power(4, intensity, 0.3, out);
    for (int i = 0; i < 4; i++)
        ck_assert_float_eq(out[i], (float)third[i]);
}
END_TEST

START_TEST(power_zero_is_occupancy)
{
    float image[3] = {0.7f, 0.2f, 0.1f};
    image_to_power(3, image, 0.0, image); /* in place */
    for (int i = 0; i < 3; i++)
        ck_assert_float_eq(image[i], 1.0f / 3.0f);
}
END_TEST

/* ---- smearing: scipy 1.10.1, ndimage.gaussian_filter(image, sigma), once or twice. Its sums
 * run in another order: 1e-15 is a few units in the last place of values below 1. ---- */

static const double five[25] = {[0] = 0.5, [8] = 0.25, [22] = 0.125, [24] = 0.125};
static const double five_once[25] = {
    0.2057247622359873,   0.09884237845030838,  0.036643258863711184, 0.03131811159092249,
    0.02195304729089985,  0.09533725464264725,  0.04938237252054207,  0.03332135738094023,
    0.04166063294819137,  0.03026492485152541,  0.01942606012768785,  0.013714800198269407,
    0.019700453473342663, 0.02847763619001741,  0.02302461086153829,  0.0036910652238344235,
    0.010530069290890062, 0.02032167413251478,  0.025361088144401606, 0.029867374455184514,
    0.004739340795522727, 0.019843318999551426, 0.03692187703976702,  0.043567691162637465,
    0.05636483912916485};
static const double five_norm2 = 0.0814096680735416; /* sum of squares of five_once */
static const double five_twice[25] = {
    0.12883618486348694,  0.08984167105237942,  0.052012056751982186, 0.034413686052500066,
    0.028233792763899992, 0.08449055896413811,  0.061624880966996295, 0.04094597356180196,
    0.032357364984496394, 0.029009386076450983, 0.03779703829629137,  0.031826246504081855,
    0.028511022959789405, 0.029015845587769103, 0.02920777381396684,  0.01533289852816206,
    0.01890387922004708,  0.025077547671989324, 0.030957395428791223, 0.03427830863775119,
    0.010651890565871458, 0.018229061792283816, 0.028522998736348084, 0.037227659789680706,
    0.042694876429044154};
static const double three[9] = {[1] = 0.75, [8] = 0.25};
/* sigma 1: radius 4; sigma 2.5: radius 10. Both reach beyond the mirror image. */
static const double three_once[9] = {0.14332134455315407, 0.20068996463888342, 0.1524220473888318,
                                     0.07041749071453972, 0.11248095241992702, 0.11319796056745313,
                                     0.02408063783009154, 0.06670857831378976, 0.11668102357332957};
static const double three_once_wide[9] = {
    0.11252992137985621, 0.11381889420995957, 0.11510423676253992,
    0.10975658953008545, 0.1111113376688876,  0.11246268733016326,
    0.10698594336230649, 0.10840649995973216, 0.10982388979646901};

static void check_once(uint32_t side, double sigma, const double image[], const double expected[])
{
    smearing *smear = new_smearing(side, sigma);
    double out[25];
    smearing_once(smear, image, out);
    check_close((size_t)side * side, out, expected, 1e-15);
    smearing_destroy(&smear);
}

START_TEST(smearing_agrees_with_scipy)
{
    check_once(5, 1.0, five, five_once);
}
END_TEST

START_TEST(smearing_wider_than_the_image_is_mirrored_again_and_again)
{
    check_once(3, 1.0, three, three_once);
    check_once(3, 2.5, three, three_once_wide);
}
END_TEST

START_TEST(sigma_zero_leaves_the_image_alone)
{
    check_once(5, 0.0, five, five);
    smearing *smear = new_smearing(5, 0.0);
    double out[25], scratch[25];
    smearing_twice(smear, 1, five, out, scratch);
    for (int p = 0; p < 25; p++)
        ck_assert_double_eq(out[p], five[p]);
    smearing_destroy(&smear);
}
END_TEST

START_TEST(smearing_twice_smears_every_lane_like_scipy)
{
    enum { LANES = 11 };
    static double in[25 * LANES], out[25 * LANES], scratch[25 * LANES];
    smearing *smear = new_smearing(5, 1.0);
    for (size_t p = 0; p < 25; p++)
        for (size_t lane = 0; lane < LANES; lane++)
            in[p * LANES + lane] = five[p] * (double)lane;
    smearing_twice(smear, LANES, in, out, scratch);
    for (size_t p = 0; p < 25; p++)
        for (size_t lane = 0; lane < LANES; lane++)
            ck_assert_double_eq_tol(out[p * LANES + lane], five_twice[p] * (double)lane, 1e-14);
    smearing_destroy(&smear);
}
END_TEST

START_TEST(the_norm_of_a_sparse_image_agrees_with_scipy)
{
    static const uint16_t pixel[4] = {0, 8, 22, 24};
    static const float value[4] = {0.5f, 0.25f, 0.125f, 0.125f};
    smearing *smear = new_smearing(5, 1.0);
    ck_assert_double_eq_tol(smearing_norm2(smear, 4, pixel, value), five_norm2, 1e-15);
    ck_assert_double_eq(smearing_norm2(smear, 0, pixel, value), 0.0);
    smearing_destroy(&smear);
}
END_TEST

START_TEST(norms_agree_with_the_dense_definition_at_full_size)
{
    enum { SIDE = 40, PIXELS = SIDE * SIDE };
    static struct sample sample;
    static double dense[PIXELS], smeared[PIXELS];
    static const double zero[PIXELS];
    const struct sparse_images images = draw_images(&sample, PIXELS, 4);
    smearing *smear = new_smearing(SIDE, 1.0);
    for (size_t i = 0; i < 17; i++) {
        make_dense(&images, i, PIXELS, dense);
        dense_smear(SIDE, 1.0, dense, smeared);
        const double expected = dense_distance2(PIXELS, smeared, zero);
        const uint64_t first = images.offset[i];
        ck_assert_double_eq_tol(smearing_norm2(smear, (size_t)(images.offset[i + 1] - first),
                                               images.pixel + first, images.value + first),
                                expected, 1e-13 * expected);
    }
    smearing_destroy(&smear);
}
END_TEST

/* Norms where much is mirrored, nothing is, and the smearing is wider than the short cut allows. */
START_TEST(norms_on_every_path_agree_with_the_dense_definition_to_the_same_bits)
{
    enum { SIDE_MAX = 23 };
    static const struct {
        uint32_t side;
        double sigma;
    } cases[] = {{23, 1.0}, {9, 1.0},  {10, 1.0}, {7, 1.0},
                 {23, 0.0}, {23, 0.6}, {23, 2.0}, {1, 0.0}};
    static struct sample sample;
    static double dense[SIDE_MAX * SIDE_MAX], smeared[SIDE_MAX * SIDE_MAX], first[IMAGES];
    static const double zero[SIDE_MAX * SIDE_MAX];
    const uint32_t side = cases[_i].side;
    const size_t pixels = (size_t)side * side;
    const struct sparse_images images = draw_images(&sample, (uint32_t)pixels, 14);
    smearing *smear = new_smearing(side, cases[_i].sigma);
    for (int path = INSTRUCTION_SET_PLAIN; path <= (int)instruction_set_best(); path++) {
        smearing_use(smear, (enum instruction_set)path);
        for (size_t i = 0; i < IMAGES; i++) {
            const uint64_t begin = images.offset[i];
            const double norm2 = smearing_norm2(smear, (size_t)(images.offset[i + 1] - begin),
                                                images.pixel + begin, images.value + begin);
            if (path == INSTRUCTION_SET_PLAIN) {
                make_dense(&images, i, pixels, dense);
                dense_smear((int)side, cases[_i].sigma, dense, smeared);
                const double expected = dense_distance2(pixels, smeared, zero);
                ck_assert_double_eq_tol(norm2, expected, 1e-13 * expected);
                first[i] = norm2;
            }
            ck_assert_double_eq(norm2, first[i]);
        }
    }
    smearing_destroy(&smear);
}
END_TEST

START_TEST(every_path_smears_to_the_same_bits)
{
    enum { SIDE = 13, LANES = 27, SIZE = SIDE * SIDE * LANES };
    static double in[SIZE], out[SIZE], first[SIZE], scratch[SIZE];
    struct random_state random;
    random_init(&random, 8, 0, 0);
    for (size_t i = 0; i < SIZE; i++)
        in[i] = random_gaussian(&random);
    smearing *smear = new_smearing(SIDE, 1.0);
    smearing_use(smear, INSTRUCTION_SET_PLAIN);
    smearing_twice(smear, LANES, in, first, scratch);
    for (int path = INSTRUCTION_SET_PLAIN; path <= (int)instruction_set_best(); path++) {
        smearing_use(smear, (enum instruction_set)path);
        smearing_twice(smear, LANES, in, out, scratch);
        ck_assert_mem_eq(out, first, sizeof out);
    }
    smearing_destroy(&smear);
}
END_TEST

/* ---- labels ---- */

/* Labels and scores of the fitted against distances between dense smeared images. */
static void check_against_dense(const model *fitted, size_t k, const float centres[], int side,
                                double sigma, const smearing *smear,
                                const struct sparse_images *images)
{
    const size_t pixels = (size_t)(side * side);
    static uint16_t label[IMAGES];
    static double score[IMAGES];
    double *dense = calloc((k + 2) * pixels, sizeof *dense);
    double *image = dense + k * pixels, *smeared = image + pixels;
    for (size_t c = 0; c < k; c++) {
        for (size_t p = 0; p < pixels; p++)
            image[p] = (double)centres[c * pixels + p];
        dense_smear(side, sigma, image, dense + c * pixels);
    }
    model_label(fitted, images, label, score);
    for (size_t i = 0; i < images->n; i++) {
        make_dense(images, i, pixels, image);
        dense_smear(side, sigma, image, smeared);
        double least = INFINITY;
        for (size_t c = 0; c < k; c++)
            least = fmin(least, dense_distance2(pixels, smeared, dense + c * pixels));
        ck_assert_uint_lt(label[i], k);
        const double own = dense_distance2(pixels, smeared, dense + label[i] * pixels);
        const uint64_t first = images->offset[i];
        const double norm2 = smearing_norm2(smear, (size_t)(images->offset[i + 1] - first),
                                            images->pixel + first, images->value + first);
        /* Norms are below 1, so sums of products are good to some 1e-15. */
        ck_assert_double_le(own, least + 1e-14);
        ck_assert_double_eq_tol(norm2 + score[i], least, 1e-14);
    }
    free(dense);
}

static void check_all_paths(size_t k, uint32_t side, double sigma)
{
    static struct sample sample;
    const struct sparse_images images = draw_images(&sample, side * side, k);
    float *centres = mean_centres(k, (size_t)side * side, &images);
    smearing *smear = new_smearing(side, sigma);
    model *fitted = new_model(k, centres, smear);
    static uint16_t first_label[IMAGES], label[IMAGES];
    static double first_score[IMAGES], score[IMAGES];
    for (int path = INSTRUCTION_SET_PLAIN; path <= (int)instruction_set_best(); path++) {
        model_use(fitted, (enum instruction_set)path);
        check_against_dense(fitted, k, centres, (int)side, sigma, smear, &images);
        model_label(fitted, &images, label, score);
        if (path == INSTRUCTION_SET_PLAIN) {
            memcpy(first_label, label, sizeof label);
            memcpy(first_score, score, sizeof score);
        }
        ck_assert_mem_eq(label, first_label, sizeof label);
        ck_assert_mem_eq(score, first_score, sizeof score);
        model_label(fitted, &images, label, NULL);
        ck_assert_mem_eq(label, first_label, sizeof label);
    }
    model_destroy(&fitted);
    smearing_destroy(&smear);
    free(centres);
}

START_TEST(labels_and_scores_agree_with_the_dense_definition_on_every_path)
{
    static const size_t ks[] = {1, 17, 50, 65, 129};
    check_all_paths(ks[_i], 11, 1.0);
}
END_TEST

START_TEST(labels_without_smearing_agree_with_the_dense_definition)
{
    check_all_paths(17, 9, 0.0);
}
END_TEST

START_TEST(labels_with_smearing_wider_than_the_image_agree_with_the_dense_definition)
{
    check_all_paths(17, 3, 1.0);
}
END_TEST

START_TEST(labels_at_full_size_agree_with_the_dense_definition)
{
    check_all_paths(7, 40, 1.0);
}
END_TEST

START_TEST(an_empty_image_is_as_far_away_as_the_smeared_centre_is_long)
{
    enum { SIDE = 9, PIXELS = SIDE * SIDE, K = 5 };
    static struct sample sample;
    double centre[PIXELS], smeared[PIXELS];
    static const double zero[PIXELS];
    const struct sparse_images images = draw_images(&sample, PIXELS, 3);
    float *centres = mean_centres(K, PIXELS, &images);
    smearing *smear = new_smearing(SIDE, 1.0);
    static const uint64_t offset[2] = {0, 0};
    const struct sparse_images empty = {1, offset, images.pixel, images.value};
    for (size_t c = 0; c < K; c++) {
        model *fitted = new_model(1, centres + c * PIXELS, smear);
        uint16_t label;
        double score;
        for (size_t p = 0; p < PIXELS; p++)
            centre[p] = (double)centres[c * PIXELS + p];
        dense_smear(SIDE, 1.0, centre, smeared);
        model_label(fitted, &empty, &label, &score);
        ck_assert_double_eq_tol(score, dense_distance2(PIXELS, smeared, zero), 1e-15);
        model_destroy(&fitted);
    }
    smearing_destroy(&smear);
    free(centres);
}
END_TEST

/* The scores in double by their definition: bias and products summed in pixel order. */
static void scores_in_double(size_t k, size_t pixels, const float centres[], const smearing *smear,
                             const struct sparse_images *images, double score[])
{
    double *in = calloc(3 * pixels * k, sizeof *in), *out = in + pixels * k;
    double *bias = calloc(k, sizeof *bias);
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < k; c++)
            in[p * k + c] = (double)centres[c * pixels + p];
    smearing_twice(smear, k, in, out, out + pixels * k);
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < k; c++)
            bias[c] += in[p * k + c] * out[p * k + c];
    for (size_t i = 0; i < images->n; i++)
        for (size_t c = 0; c < k; c++) {
            score[i * k + c] = bias[c];
            for (uint64_t j = images->offset[i]; j < images->offset[i + 1]; j++)
                score[i * k + c] += -2.0 * out[images->pixel[j] * k + c] * (double)images->value[j];
        }
    free(bias);
    free(in);
}

static size_t least_of(size_t k, const double score[])
{
    size_t least = 0;
    for (size_t c = 1; c < k; c++)
        if (score[c] < score[least])
            least = c;
    return least;
}

static size_t least_of_rounded(size_t k, const double score[])
{
    size_t least = 0;
    for (size_t c = 1; c < k; c++)
        if ((float)score[c] < (float)score[least])
            least = c;
    return least;
}

/* All centres are copies of one, each a little off in a few pixels by `step` of their value;
 * every second pixel has the other sign if mixed. */
static float *near_copies(size_t k, size_t pixels, double step, bool mixed)
{
    struct random_state random;
    random_init(&random, 77, 0, 0);
    float *centres = calloc(k * pixels, sizeof *centres);
    for (size_t p = 0; p < pixels; p++)
        centres[p] = (float)(random_uniform(&random) / (double)pixels) *
                     (mixed && p % 2 == 1 ? -1.0f : 1.0f);
    for (size_t c = 1; c < k; c++)
        for (size_t p = 0; p < pixels; p++) {
            const double sign = (double)random_below(&random, 3) - 1.0;
            centres[c * pixels + p] = (float)((double)centres[p] * (1.0 + step * sign));
        }
    return centres;
}

static void check_near_ties(size_t k, double step, bool mixed)
{
    enum { SIDE = 11, PIXELS = SIDE * SIDE };
    static struct sample sample;
    static uint16_t label[IMAGES];
    static double score[IMAGES];
    const struct sparse_images images = draw_images(&sample, PIXELS, 5);
    float *centres = near_copies(k, PIXELS, step, mixed);
    double *expected = calloc(IMAGES * k, sizeof *expected);
    smearing *smear = new_smearing(SIDE, 1.0);
    scores_in_double(k, PIXELS, centres, smear, &images, expected);
    model *fitted = new_model(k, centres, smear);
    for (int path = INSTRUCTION_SET_PLAIN; path <= (int)instruction_set_best(); path++) {
        model_use(fitted, (enum instruction_set)path);
        model_label(fitted, &images, label, score);
        size_t hard = 0;
        for (size_t i = 0; i < IMAGES; i++) {
            const size_t least = least_of(k, expected + i * k);
            ck_assert_uint_eq(label[i], least);
            ck_assert_double_eq(score[i], expected[i * k + least]);
            hard += least != least_of_rounded(k, expected + i * k);
        }
        /* Even exact scores, rounded to float, would name the wrong cluster here. */
        ck_assert_uint_gt(hard, 5);
    }
    model_destroy(&fitted);
    smearing_destroy(&smear);
    free(expected);
    free(centres);
}

START_TEST(values_that_do_not_sum_to_1_are_labelled_by_the_same_definition)
{
    enum { SIDE = 11, PIXELS = SIDE * SIDE, K = 50 };
    static struct sample sample;
    static uint16_t label[IMAGES];
    struct sparse_images images = draw_images(&sample, PIXELS, 21);
    float *centres = mean_centres(K, PIXELS, &images);
    double *expected = calloc(IMAGES * K, sizeof *expected);
    smearing *smear = new_smearing(SIDE, 1.0);
    model *fitted = new_model(K, centres, smear);
    size_t others = 0; /* that have another label than with sum 1 */
    model_label(fitted, &images, label, NULL);
    for (size_t i = 0; i < images.offset[IMAGES]; i++)
        sample.value[i] *= 3.0f;
    scores_in_double(K, PIXELS, centres, smear, &images, expected);
    for (size_t i = 0; i < IMAGES; i++)
        others += label[i] != least_of(K, expected + i * K);
    ck_assert_uint_gt(others, 5);
    model_label(fitted, &images, label, NULL);
    for (size_t i = 0; i < IMAGES; i++)
        ck_assert_uint_eq(label[i], least_of(K, expected + i * K));
    model_destroy(&fitted);
    smearing_destroy(&smear);
    free(expected);
    free(centres);
}
END_TEST

START_TEST(near_ties_are_decided_in_double_on_every_path)
{
    check_near_ties(2, 1e-6, false);
    check_near_ties(17, 1e-6, false);
    check_near_ties(67, 3e-6, false);
}
END_TEST

START_TEST(near_ties_of_centres_of_any_sign_are_decided_in_double_on_every_path)
{
    check_near_ties(17, 3e-7, true);
    check_near_ties(50, 3e-7, true);
}
END_TEST

/* What column c of a row is as a number: by the words of vector_loops.h. */
static float entry(const struct score_table *table, size_t pixel, size_t c)
{
    const uint32_t word = (uint32_t)table->word[pixel * (table->stride / 2) + c / 32 * 16 + c % 16];
    return c % 32 < 16 ? (float)((int16_t)(word & 0xffff)) * 65536.0f : (float)(int32_t)word;
}

/* The two least of fmaf scores, one column at a time. */
static struct nearest two_least(const struct score_table *table, size_t n, const uint16_t pixel[],
                                const float value[])
{
    struct nearest least = {.best = INFINITY, .second = INFINITY};
    for (size_t i = 0; i < n; i++)
        least.sum += value[i];
    for (size_t c = 0; c < table->stride; c++) {
        float score = table->start[c];
        for (size_t i = 0; i < n; i++)
            score = fmaf(entry(table, pixel[i], c), value[i], score);
        if (score < least.best)
            least = (struct nearest){score, least.best, least.sum, (uint32_t)c};
        else if (score < least.second)
            least.second = score;
    }
    return least;
}

START_TEST(every_path_finds_the_two_least_scores_to_the_bit)
{
    enum { PIXELS = 49, STRIDE_MAX = 3 * VECTOR_BLOCK, FIRST = 3 };
    static struct sample sample;
    static struct nearest found[IMAGES];
    static _Alignas(64) float start[STRIDE_MAX];
    static _Alignas(64) int32_t word[PIXELS * STRIDE_MAX / 2];
    struct random_state random;
    random_init(&random, 12, 0, 0);
    const struct sparse_images images = draw_images(&sample, PIXELS, 9);
    const struct score_table table = {VECTOR_BLOCK * (size_t)_i, start, word};
    for (size_t c = 0; c < table.stride; c++)
        start[c] = (float)(1e9 * random_uniform(&random));
    for (size_t j = 0; j < PIXELS * table.stride / 2; j++)
        word[j] = (int32_t)(uint32_t)random_u64(&random);
    for (int path = INSTRUCTION_SET_PLAIN; path <= (int)instruction_set_best(); path++) {
        const uint64_t skipped = images.offset[FIRST];
        vector_loops_of((enum instruction_set)path)
            ->find_nearest(&table, IMAGES - FIRST, images.offset + FIRST, images.pixel + skipped,
                           images.value + skipped, found + FIRST);
        for (size_t i = FIRST; i < IMAGES; i++) {
            const uint64_t first = images.offset[i];
            const struct nearest expected =
                two_least(&table, (size_t)(images.offset[i + 1] - first), images.pixel + first,
                          images.value + first);
            ck_assert_float_eq(found[i].best, expected.best);
            ck_assert_float_eq(found[i].second, expected.second);
            ck_assert_float_eq(found[i].sum, expected.sum);
            ck_assert_uint_eq(found[i].index, expected.index);
        }
    }
}
END_TEST

START_TEST(every_path_takes_the_roots_that_the_library_takes)
{
    enum { N = 53 };
    float in[N], out[N];
    struct random_state random;
    random_init(&random, 5, 0, 0);
    for (size_t i = 0; i < N; i++)
        in[i] = (float)random_uniform(&random);
    in[17] = 0.0f;
    for (int path = INSTRUCTION_SET_PLAIN; path <= (int)instruction_set_best(); path++) {
        vector_loops_of((enum instruction_set)path)->take_roots(N, in, out);
        for (size_t i = 0; i < N; i++)
            ck_assert_float_eq(out[i], sqrtf(in[i]));
    }
}
END_TEST

/* ---- several models, and labels straight from fractions ---- */

enum { MODELS = 3 };

/* Models of k near copies each, `step` apart, of images of side 11; the smearing they are of. */
static smearing *new_models(model *several[MODELS], size_t k, double step)
{
    smearing *smear = new_smearing(11, 1.0);
    for (size_t b = 0; b < MODELS; b++) {
        float *centres = near_copies(k - b, 121, step * (double)(b + 1), false);
        several[b] = new_model(k - b, centres, smear);
        free(centres);
    }
    return smear;
}

/* Labels from fractions are those of the definition: power in double, then one fitted after the
 * other. Many images stand one behind the other, so that they do not go through together. */
static void check_fractions(size_t k, double step, double power)
{
    enum { TIMES = 9, N = TIMES * IMAGES };
    static struct sample sample;
    static uint64_t offset[N + 1];
    static uint16_t pixel[N * LIT_MAX], label[MODELS * N], expected[N];
    static float fraction[N * LIT_MAX], value[N * LIT_MAX];
    const struct sparse_images images = draw_images(&sample, 121, 5);
    struct random_state random;
    random_init(&random, 99, 0, 0);
    for (size_t i = 0; i < N; i++) {
        const uint64_t first = images.offset[i % IMAGES];
        const uint64_t lit = images.offset[i % IMAGES + 1] - first;
        memcpy(pixel + offset[i], images.pixel + first, lit * sizeof *pixel);
        for (uint64_t j = offset[i]; j < offset[i] + lit; j++)
            fraction[j] = (float)(0.001 + random_uniform(&random) * random_uniform(&random));
        image_to_power(lit, fraction + offset[i], power, value + offset[i]);
        offset[i + 1] = offset[i] + lit;
    }
    const struct sparse_images fractions = {N, offset, pixel, fraction};
    const struct sparse_images powers = {N, offset, pixel, value};
    model *several[MODELS];
    smearing *smear = new_models(several, k, step);
    for (int path = INSTRUCTION_SET_PLAIN; path <= (int)instruction_set_best(); path++) {
        for (size_t b = 0; b < MODELS; b++)
            model_use(several[b], (enum instruction_set)path);
        memset(label, 0xff, sizeof label);
        models_label_fractions(MODELS, several, power, &fractions, label);
        for (size_t b = 0; b < MODELS; b++) {
            model_label(several[b], &powers, expected, NULL);
            ck_assert_mem_eq(label + b * N, expected, sizeof expected);
        }
        memset(label, 0xff, sizeof label);
        models_label(MODELS, several, &powers, label);
        for (size_t b = 0; b < MODELS; b++) {
            model_label(several[b], &powers, expected, NULL);
            ck_assert_mem_eq(label + b * N, expected, sizeof expected);
        }
        models_label_fractions(1, several, power, &fractions, label);
        model_label(several[0], &powers, expected, NULL);
        ck_assert_mem_eq(label, expected, sizeof expected);
    }
    for (size_t b = 0; b < MODELS; b++)
        model_destroy(&several[b]);
    smearing_destroy(&smear);
}

START_TEST(labels_straight_from_fractions_are_those_of_their_power)
{
    static const double powers[] = {0.5, 0.3, 0.0};
    check_fractions(50, 0.01, powers[_i]);
    check_fractions(69, 0.01, powers[_i]);
}
END_TEST

START_TEST(near_ties_straight_from_fractions_are_decided_in_double)
{
    /* Nearer than the roundings of a float: so near_ties_are_decided_in_double_on_every_path. */
    check_fractions(17, 1e-6, 0.5);
    check_fractions(67, 3e-6, 0.5);
}
END_TEST

START_TEST(an_image_without_pixels_has_a_label_also_among_fractions)
{
    enum { PIXELS = 25, K = 3 };
    static float centres[K * PIXELS];
    centres[0 * PIXELS + 7] = 0.5f;
    centres[1 * PIXELS + 12] = 0.25f;
    centres[2 * PIXELS + 3] = 1.0f;
    static const uint64_t offset[4] = {0, 1, 1, 2};
    static const uint16_t pixel[2] = {7, 3};
    static const float fraction[2] = {1.0f, 1.0f};
    static const double powers[2] = {0.5, 0.3};
    const struct sparse_images images = {3, offset, pixel, fraction};
    smearing *smear = new_smearing(5, 1.0);
    model *fitted = new_model(K, centres, smear);
    uint16_t label[3];
    models_label_fractions(1, &fitted, powers[_i], &images, label);
    ck_assert_uint_eq(label[0], 0);
    ck_assert_uint_eq(label[1], 1);
    ck_assert_uint_eq(label[2], 2);
    model_destroy(&fitted);
    smearing_destroy(&smear);
}
END_TEST

START_TEST(of_equal_centres_the_lowest_index_wins)
{
    enum { SIDE = 7, PIXELS = SIDE * SIDE, K = 70 };
    static struct sample sample;
    static uint16_t label[IMAGES];
    const struct sparse_images images = draw_images(&sample, PIXELS, 6);
    float *centres = mean_centres(K, PIXELS, &images);
    memcpy(centres + 5 * PIXELS, centres + 3 * PIXELS, PIXELS * sizeof *centres);
    memcpy(centres + 69 * PIXELS, centres + 3 * PIXELS, PIXELS * sizeof *centres);
    smearing *smear = new_smearing(SIDE, 1.0);
    model *fitted = new_model(K, centres, smear);
    for (int path = INSTRUCTION_SET_PLAIN; path <= (int)instruction_set_best(); path++) {
        model_use(fitted, (enum instruction_set)path);
        model_label(fitted, &images, label, NULL);
        size_t third = 0;
        for (size_t i = 0; i < IMAGES; i++) {
            ck_assert(label[i] != 5 && label[i] != 69);
            third += label[i] == 3;
        }
        ck_assert_uint_gt(third, 0);
    }
    model_destroy(&fitted);
    smearing_destroy(&smear);
    free(centres);
}
END_TEST

START_TEST(centres_too_large_for_float_are_compared_in_double)
{
    enum { PIXELS = 9, K = 3 };
    static float centres[K * PIXELS];
    for (size_t c = 0; c < K; c++) /* squares beyond the largest float, 3.4e38 */
        centres[c * PIXELS + 4] = (float)(3.0 - (double)c) * 1e20f;
    static const uint64_t offset[2] = {0, 1};
    static const uint16_t pixel[1] = {4};
    static const float value[1] = {1.0f};
    const struct sparse_images image = {1, offset, pixel, value};
    smearing *smear = new_smearing(3, 1.0);
    model *fitted = new_model(K, centres, smear);
    for (int path = INSTRUCTION_SET_PLAIN; path <= (int)instruction_set_best(); path++) {
        uint16_t label = 99;
        model_use(fitted, (enum instruction_set)path);
        model_label(fitted, &image, &label, NULL);
        ck_assert_uint_eq(label, 2);
    }
    model_destroy(&fitted);
    smearing_destroy(&smear);
}
END_TEST

START_TEST(an_image_without_pixels_goes_to_the_shortest_centre)
{
    enum { PIXELS = 25, K = 3 };
    static float centres[K * PIXELS];
    centres[0 * PIXELS + 7] = 0.5f;
    centres[1 * PIXELS + 12] = 0.25f;
    centres[2 * PIXELS + 3] = 1.0f;
    static const uint64_t offset[2] = {0, 0};
    static const uint16_t pixel[1] = {24};
    static const float value[1] = {1.0f};
    const struct sparse_images image = {1, offset, pixel, value};
    smearing *smear = new_smearing(5, 1.0);
    model *fitted = new_model(K, centres, smear);
    uint16_t label;
    model_label(fitted, &image, &label, NULL);
    ck_assert_uint_eq(label, 1);
    model_destroy(&fitted);
    smearing_destroy(&smear);
}
END_TEST

START_TEST(destroying_twice_is_harmless)
{
    static const float centre[4] = {0.25f, 0.25f, 0.25f, 0.25f};
    smearing *smear = new_smearing(2, 1.0);
    model *fitted = new_model(1, centre, smear);
    for (int i = 0; i < 2; i++) {
        model_destroy(&fitted);
        smearing_destroy(&smear);
        ck_assert_ptr_null(fitted);
        ck_assert_ptr_null(smear);
    }
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("model");
    tcase_add_test(cases, powers_are_divided_by_their_sum);
    tcase_add_test(cases, power_zero_is_occupancy);
    tcase_add_test(cases, smearing_agrees_with_scipy);
    tcase_add_test(cases, smearing_wider_than_the_image_is_mirrored_again_and_again);
    tcase_add_test(cases, sigma_zero_leaves_the_image_alone);
    tcase_add_test(cases, smearing_twice_smears_every_lane_like_scipy);
    tcase_add_test(cases, the_norm_of_a_sparse_image_agrees_with_scipy);
    tcase_add_test(cases, norms_agree_with_the_dense_definition_at_full_size);
    tcase_add_loop_test(cases, norms_on_every_path_agree_with_the_dense_definition_to_the_same_bits,
                        0, 8);
    tcase_add_test(cases, every_path_smears_to_the_same_bits);
    tcase_add_loop_test(cases, labels_and_scores_agree_with_the_dense_definition_on_every_path, 0,
                        5);
    tcase_add_test(cases, labels_without_smearing_agree_with_the_dense_definition);
    tcase_add_test(cases,
                   labels_with_smearing_wider_than_the_image_agree_with_the_dense_definition);
    tcase_add_test(cases, labels_at_full_size_agree_with_the_dense_definition);
    tcase_add_test(cases, an_empty_image_is_as_far_away_as_the_smeared_centre_is_long);
    tcase_add_test(cases, values_that_do_not_sum_to_1_are_labelled_by_the_same_definition);
    tcase_add_test(cases, near_ties_are_decided_in_double_on_every_path);
    tcase_add_test(cases, near_ties_of_centres_of_any_sign_are_decided_in_double_on_every_path);
    tcase_add_loop_test(cases, every_path_finds_the_two_least_scores_to_the_bit, 1, 4);
    tcase_add_test(cases, every_path_takes_the_roots_that_the_library_takes);
    tcase_add_loop_test(cases, labels_straight_from_fractions_are_those_of_their_power, 0, 3);
    tcase_add_test(cases, near_ties_straight_from_fractions_are_decided_in_double);
    tcase_add_loop_test(cases, an_image_without_pixels_has_a_label_also_among_fractions, 0, 2);
    tcase_add_test(cases, of_equal_centres_the_lowest_index_wins);
    tcase_add_test(cases, centres_too_large_for_float_are_compared_in_double);
    tcase_add_test(cases, an_image_without_pixels_goes_to_the_shortest_centre);
    tcase_add_test(cases, destroying_twice_is_harmless);
    return run_case(cases, "model");
}
