/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training against templates it must find, dense inertia and scikit-learn's distribution. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/random.h"
#include "common/kernels/clustering/kmeans.h"
#include "common/kernels/clustering/model_internal.h"
#include "tests/support/check_main.h"

enum { SIDE = 9, PIXELS = SIDE * SIDE, JETS = 601, LIT = 6, K_MAX = 80 };

struct sample {
    size_t n;
    uint64_t offset[JETS + 1];
    uint16_t pixel[JETS * LIT];
    float value[JETS * LIT];
};

static struct sparse_images images_of(const struct sample *self)
{
    return (struct sparse_images){self->n, self->offset, self->pixel, self->value};
}

/* Adds the lit pixels of weight[PIXELS], divided by their sum. */
static void add_image(struct sample *self, const double weight[])
{
    double sum = 0.0;
    for (size_t p = 0; p < PIXELS; p++)
        sum += weight[p];
    uint64_t end = self->offset[self->n];
    for (size_t p = 0; p < PIXELS; p++)
        if (weight[p] > 0.0) {
            self->pixel[end] = (uint16_t)p;
            self->value[end++] = (float)(weight[p] / sum);
        }
    self->offset[++self->n] = end;
}

/* Corners and centre: four lit pixels each, nowhere near one another. */
enum { TEMPLATES = 5 };
static const size_t template_pixel[TEMPLATES] = {0, 7, 40, 63, 70};

/* n images, each a template whose pixels are off by up to a tenth. */
static void draw_templates(struct sample *self, size_t n)
{
    struct random_state random;
    random_init(&random, 31, 0, 0);
    *self = (struct sample){0};
    for (size_t i = 0; i < n; i++) {
        double weight[PIXELS] = {0.0};
        const size_t base = template_pixel[random_below(&random, TEMPLATES)];
        for (size_t j = 0; j < 4; j++)
            weight[base + j % 2 + SIDE * (j / 2)] = 1.0 + 0.2 * (random_uniform(&random) - 0.5);
        add_image(self, weight);
    }
}

struct trained {
    float centres[K_MAX * PIXELS];
    struct kmeans_result result;
};

static smearing *new_smearing(void)
{
    smearing *smear;
    ck_assert_int_eq(smearing_create(&smear, SIDE, 1.0), STATUS_OK);
    return smear;
}

static void train(struct trained *out, const struct sample *sample,
                  const struct kmeans_settings *settings, const smearing *smear)
{
    static double norm2[JETS];
    const struct sparse_images images = images_of(sample);
    kmeans_norms(smear, &images, norm2);
    ck_assert_int_eq(kmeans_train(settings, smear, &images, norm2, out->centres, &out->result),
                     STATUS_OK);
}

/* Sum over the jets of the squared distance to the nearest centre, everything dense. */
static double dense_inertia(const struct sample *sample, size_t k, const float centres[],
                            const smearing *smear)
{
    static double centre[K_MAX][PIXELS];
    double raw[PIXELS], image[PIXELS], inertia = 0.0;
    for (size_t c = 0; c < k; c++) {
        for (size_t p = 0; p < PIXELS; p++)
            raw[p] = (double)centres[c * PIXELS + p];
        smearing_once(smear, raw, centre[c]);
    }
    for (size_t i = 0; i < sample->n; i++) {
        memset(raw, 0, sizeof raw);
        for (uint64_t j = sample->offset[i]; j < sample->offset[i + 1]; j++)
            raw[sample->pixel[j]] = (double)sample->value[j];
        smearing_once(smear, raw, image);
        double least = INFINITY;
        for (size_t c = 0; c < k; c++) {
            double sum = 0.0;
            for (size_t p = 0; p < PIXELS; p++)
                sum += (image[p] - centre[c][p]) * (image[p] - centre[c][p]);
            least = fmin(least, sum);
        }
        inertia += least;
    }
    return inertia;
}

static struct sample sample;
static struct trained one, other;

START_TEST(every_template_becomes_a_centre)
{
    const struct kmeans_settings settings = {TEMPLATES, 100, 7, (uint64_t)_i};
    smearing *smear = new_smearing();
    draw_templates(&sample, JETS);
    train(&one, &sample, &settings, smear);
    for (size_t t = 0; t < TEMPLATES; t++) {
        size_t alike = 0;
        for (size_t c = 0; c < TEMPLATES; c++) {
            double off = 0.0; /* largest deviation from the template */
            for (size_t p = 0; p < PIXELS; p++) {
                const size_t from = p - template_pixel[t];
                const bool lit = p >= template_pixel[t] && (from <= 1 || from - SIDE <= 1);
                off = fmax(off, fabs((double)one.centres[c * PIXELS + p] - (lit ? 0.25 : 0.0)));
            }
            /* A pixel is uniform in 0.25 +- 0.025, the mean of dozens is good to 0.005. */
            alike += off < 0.005;
        }
        ck_assert_uint_eq(alike, 1);
    }
    smearing_destroy(&smear);
}
END_TEST

START_TEST(the_same_arguments_give_the_same_bytes_on_every_path)
{
    const struct kmeans_settings settings = {13, 50, 7, 3};
    smearing *smear = new_smearing();
    draw_templates(&sample, JETS);
    smearing_use(smear, INSTRUCTION_SET_PLAIN);
    train(&one, &sample, &settings, smear);
    for (int path = INSTRUCTION_SET_PLAIN; path <= (int)instruction_set_best(); path++) {
        smearing_use(smear, (enum instruction_set)path);
        train(&other, &sample, &settings, smear);
        ck_assert_mem_eq(other.centres, one.centres, 13 * PIXELS * sizeof(float));
        ck_assert_double_eq(other.result.inertia, one.result.inertia);
        ck_assert_uint_eq(other.result.steps, one.result.steps);
    }
    smearing_destroy(&smear);
}
END_TEST

START_TEST(another_seed_or_member_gives_other_centres)
{
    const struct kmeans_settings first = {13, 50, 7, 3};
    const struct kmeans_settings seed = {13, 50, 8, 3}, member = {13, 50, 7, 4};
    smearing *smear = new_smearing();
    draw_templates(&sample, JETS);
    train(&one, &sample, &first, smear);
    train(&other, &sample, &seed, smear);
    ck_assert_mem_ne(other.centres, one.centres, 13 * PIXELS * sizeof(float));
    train(&other, &sample, &member, smear);
    ck_assert_mem_ne(other.centres, one.centres, 13 * PIXELS * sizeof(float));
    smearing_destroy(&smear);
}
END_TEST

START_TEST(fewer_images_than_clusters_are_refused)
{
    static double norm2[JETS];
    float centres[1] = {42.0f};
    struct kmeans_result result = {42.0, 42};
    const struct kmeans_settings settings = {8, 50, 1, 1};
    smearing *smear = new_smearing();
    draw_templates(&sample, 7);
    const struct sparse_images images = images_of(&sample);
    kmeans_norms(smear, &images, norm2);
    ck_assert_int_eq(kmeans_train(&settings, smear, &images, norm2, centres, &result),
                     STATUS_BAD_SHAPE);
    ck_assert_float_eq(centres[0], 42.0f);
    ck_assert_double_eq(result.inertia, 42.0);
    ck_assert_uint_eq(result.steps, 42);
    smearing_destroy(&smear);
}
END_TEST

START_TEST(as_many_images_as_clusters_are_enough)
{
    const struct kmeans_settings settings = {7, 50, 1, 1};
    smearing *smear = new_smearing();
    draw_templates(&sample, 7);
    train(&one, &sample, &settings, smear);
    ck_assert(isfinite(one.result.inertia));
    smearing_destroy(&smear);
}
END_TEST

START_TEST(the_inertia_is_the_dense_one_of_the_centres_written)
{
    const struct kmeans_settings settings = {17, 64, 5, (uint64_t)_i};
    smearing *smear = new_smearing();
    draw_templates(&sample, JETS);
    train(&one, &sample, &settings, smear);
    const double expected = dense_inertia(&sample, 17, one.centres, smear);
    ck_assert_double_gt(expected, 0.0);
    ck_assert_double_eq_tol(one.result.inertia, expected, 1e-9 * expected);
    smearing_destroy(&smear);
}
END_TEST

START_TEST(a_batch_larger_than_the_sample_is_capped)
{
    /* A batch is then a pass: at most 100 steps. */
    const struct kmeans_settings large = {3, 2048, 5, 1}, exact = {3, 37, 5, 1};
    smearing *smear = new_smearing();
    draw_templates(&sample, 37);
    train(&one, &sample, &large, smear);
    train(&other, &sample, &exact, smear);
    ck_assert_mem_eq(one.centres, other.centres, 3 * PIXELS * sizeof(float));
    ck_assert_uint_eq(one.result.steps, other.result.steps);
    /* The first step, one that is the least so far, ten without improvement: not fewer. */
    ck_assert_uint_ge(one.result.steps, 12);
    ck_assert_uint_le(one.result.steps, 100);
    smearing_destroy(&smear);
}
END_TEST

START_TEST(one_pixel_images_are_found_exactly)
{
    static const size_t lit[7] = {0, 8, 20, 40, 44, 72, 80};
    const struct kmeans_settings settings = {7, 33, 5, (uint64_t)_i};
    smearing *smear = new_smearing();
    sample = (struct sample){0};
    for (size_t i = 0; i < 101; i++) {
        double weight[PIXELS] = {0.0};
        weight[lit[i % 7]] = 1.0;
        add_image(&sample, weight);
    }
    train(&one, &sample, &settings, smear);
    /* 101 squared distances that are 0 but for rounding of terms of about 0.1. */
    ck_assert_double_lt(one.result.inertia, 1e-13);
    for (size_t j = 0; j < 7; j++) {
        size_t exact = 0;
        for (size_t c = 0; c < 7; c++)
            exact += one.centres[c * PIXELS + lit[j]] == 1.0f;
        ck_assert_uint_eq(exact, 1);
    }
    smearing_destroy(&smear);
}
END_TEST

START_TEST(equal_images_make_equal_centres)
{
    const struct kmeans_settings settings = {3, 20, 5, 0};
    smearing *smear = new_smearing();
    sample = (struct sample){0};
    double weight[PIXELS] = {0.0};
    weight[12] = 0.75;
    weight[31] = 0.25;
    for (size_t i = 0; i < 41; i++)
        add_image(&sample, weight);
    train(&one, &sample, &settings, smear);
    ck_assert_double_lt(one.result.inertia, 1e-13);
    for (size_t c = 0; c < 3; c++) {
        ck_assert_float_eq(one.centres[c * PIXELS + 12], 0.75f);
        ck_assert_float_eq(one.centres[c * PIXELS + 31], 0.25f);
    }
    smearing_destroy(&smear);
}
END_TEST

/* ---- scikit-learn ---- */

static uint64_t next_number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* 601 images of six hits near one of twelve places, from a generator that is easily written in
 * any language. If skewed, nine of ten are nearly the same image, so that most centres are poor
 * and reassignment decides the outcome. */
static void make_reference_sample(bool skewed)
{
    uint64_t state = 1;
    sample = (struct sample){0};
    for (size_t i = 0; i < JETS; i++) {
        double weight[PIXELS] = {0.0};
        const bool narrow = skewed && next_number(&state) % 10 != 0;
        const uint64_t place = next_number(&state) % 12 * 37 % PIXELS;
        for (size_t j = 0; j < LIT; j++) {
            const uint64_t right = next_number(&state) % 3, down = next_number(&state) % 3;
            const uint64_t hit = 1 + next_number(&state) % 9;
            if (narrow)
                weight[j % 3 + SIDE * (j / 3)] += (double)(20 + hit);
            else
                weight[(place + right + SIDE * down) % PIXELS] += (double)hit;
        }
        add_image(&sample, weight);
    }
}

/* scikit-learn 1.2.1: MiniBatchKMeans(k, batch_size=batch, n_init=1, random_state=s) fitted to
 * the images smeared with scipy 1.10.1, gaussian_filter(image, 1.0), s = 0 .. 399; mean and
 * standard deviation of inertia_ and n_steps_. k = 80 is more than three batches, and more
 * centres are poor than half a batch has jets: which of those with equal counts start again
 * depends there on numpy's quicksort, so argsort(kind="stable") was put in its place. */
static const struct reference {
    bool skewed;
    size_t k, batch;
    double inertia, inertia_sd, steps, steps_sd;
} references[4] = {
    {false, 7, 50, 11.061698, 0.492147, 32.8100, 11.7403},
    {false, 20, 50, 5.148276, 0.226722, 41.8250, 11.7424},
    {false, 80, 23, 2.326110, 0.261961, 61.4400, 30.4897},
    {true, 20, 50, 1.733846, 0.474930, 30.1650, 13.0913},
};

START_TEST(the_reference_samples_are_those_scikit_learn_was_given)
{
    static const double expected[2] = {40.01862623722279, 57.980436553121486};
    static double norm2[JETS];
    smearing *smear = new_smearing();
    make_reference_sample(_i == 1);
    const struct sparse_images images = images_of(&sample);
    kmeans_norms(smear, &images, norm2);
    double sum = 0.0;
    for (size_t i = 0; i < JETS; i++)
        sum += norm2[i];
    /* numpy: sum of the squares of all smeared pixels. */
    ck_assert_double_eq_tol(sum, expected[_i], 1e-12);
    smearing_destroy(&smear);
}
END_TEST

START_TEST(inertia_and_steps_are_distributed_as_scikit_learns)
{
    enum { MEMBERS = 201 };
    const struct reference *expected = &references[_i];
    double inertia[MEMBERS], steps = 0.0, mean = 0.0, variance = 0.0;
    smearing *smear = new_smearing();
    make_reference_sample(expected->skewed);
    for (size_t m = 0; m < MEMBERS; m++) {
        const struct kmeans_settings settings = {expected->k, expected->batch, 2402, m};
        train(&one, &sample, &settings, smear);
        inertia[m] = one.result.inertia;
        mean += inertia[m] / MEMBERS;
        steps += (double)one.result.steps / MEMBERS;
    }
    for (size_t m = 0; m < MEMBERS; m++)
        variance += (inertia[m] - mean) * (inertia[m] - mean) / (MEMBERS - 1);
    /* Four standard errors of the difference of the two means. */
    const double errors = 4.0 * sqrt(1.0 / MEMBERS + 1.0 / 400.0);
    ck_assert_double_eq_tol(mean, expected->inertia, errors * expected->inertia_sd);
    ck_assert_double_eq_tol(steps, expected->steps, errors * expected->steps_sd);
    /* The same for standard deviations, sd / sqrt(2 n) each, twice as wide for long tails. */
    ck_assert_double_eq_tol(sqrt(variance), expected->inertia_sd,
                            errors * sqrt(2.0) * expected->inertia_sd);
    smearing_destroy(&smear);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("train");
    tcase_add_loop_test(cases, every_template_becomes_a_centre, 0, 5);
    tcase_add_test(cases, the_same_arguments_give_the_same_bytes_on_every_path);
    tcase_add_test(cases, another_seed_or_member_gives_other_centres);
    tcase_add_test(cases, fewer_images_than_clusters_are_refused);
    tcase_add_test(cases, as_many_images_as_clusters_are_enough);
    tcase_add_loop_test(cases, the_inertia_is_the_dense_one_of_the_centres_written, 0, 3);
    tcase_add_test(cases, a_batch_larger_than_the_sample_is_capped);
    tcase_add_loop_test(cases, one_pixel_images_are_found_exactly, 0, 5);
    tcase_add_test(cases, equal_images_make_equal_centres);
    tcase_add_loop_test(cases, the_reference_samples_are_those_scikit_learn_was_given, 0, 2);
    tcase_add_loop_test(cases, inertia_and_steps_are_distributed_as_scikit_learns, 0, 4);
    return run_case(cases, "train");
}
