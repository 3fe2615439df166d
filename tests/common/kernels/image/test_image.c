/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image: against numpy, and what must not change an image. */
#include "common/kernels/image/image.h"

#include <math.h>
#include <string.h>

#include "tests/support/check_main.h"

enum { MOST = 233 };

struct jet_of_test {
    size_t n;
    uint32_t chosen[MOST];
    float pt[MOST], eta[MOST], phi[MOST];
};

struct image {
    size_t n;
    uint16_t pixel[IMAGE_CONSTITUENTS_MAX];
    float intensity[IMAGE_CONSTITUENTS_MAX];
};

static image_maker *maker;

static void start(void)
{
    ck_assert_int_eq(image_maker_create(&maker, 40, 0.8), STATUS_OK);
}

static void stop(void)
{
    image_maker_destroy(&maker);
    ck_assert_ptr_null(maker);
    image_maker_destroy(&maker);
    image_maker_destroy(NULL);
}

/* A spread-out jet of n constituents that crosses phi = 2 pi. Away from pixel edges: the
 * transformations below move positions by a few 1e-7, the rounding of floats near 6. */
static struct jet_of_test fan(size_t n)
{
    struct jet_of_test jet = {.n = n};
    for (size_t k = 0; k < n; k++) {
        const double i = (double)k;
        jet.chosen[k] = (uint32_t)k;
        jet.pt[k] = (float)(400 / pow(1 + i, 1.5));
        jet.eta[k] = (float)(0.3 + 0.6 * sin(1.7 * i) / (1 + 0.1 * i));
        jet.phi[k] = (float)(6.2 + 0.5 * cos(2.9 * i + 1) / (1 + 0.05 * i));
    }
    return jet;
}

static struct image make(const struct jet_of_test *jet)
{
    struct image out = {0};
    out.n = image_make(maker, jet->n, jet->chosen, jet->pt, jet->eta, jet->phi, out.pixel,
                       out.intensity);
    return out;
}

static void check_same(const struct image *found, const struct image *expected)
{
    ck_assert_uint_eq(found->n, expected->n);
    for (size_t i = 0; i < found->n; i++) {
        ck_assert_uint_eq(found->pixel[i], expected->pixel[i]);
        /* both are sums of the same weights, rounded once to float */
        ck_assert_float_eq_tol(found->intensity[i], expected->intensity[i], 1e-7f);
    }
}

/* The reference images come from a separate numpy 1.24.2 script: argsort of -pt cosh eta, numpy's
 * average for the shifts, numpy.linalg.eigh for the axis, numpy.histogram2d for the pixels. */
START_TEST(five_constituents_give_numpys_image)
{
    const struct jet_of_test jet = fan(5);
    const struct image found = make(&jet);
    const struct image expected = {
        5,
        {142, 641, 947, 980, 1140},
        {0.200831696f, 0.071004726f, 0.0508068465f, 0.568037808f, 0.109318927f}};
    check_same(&found, &expected);
}
END_TEST

START_TEST(thirty_seven_constituents_give_numpys_image)
{
    const struct jet_of_test jet = fan(37);
    const struct image found = make(&jet);
    const struct image expected = {36,
                                   {183, 258, 417, 536, 538, 541, 578, 642, 648, 650,  652,  694,
                                    697, 701, 729, 735, 777, 781, 786, 813, 817, 855,  859,  862,
                                    864, 899, 902, 938, 972, 976, 977, 981, 987, 1058, 1180, 1217},
                                   {0.154674888f,   0.0297671966f,  0.0062415353f,  0.0069628628f,
                                    0.00295275729f, 0.0093336124f,  0.0138345435f,  0.0546858348f,
                                    0.019334361f,   0.00528243789f, 0.00266245916f, 0.00220671599f,
                                    0.00202540122f, 0.00372089958f, 0.00753057096f, 0.00396618573f,
                                    0.00349989347f, 0.00211282121f, 0.0162032098f,  0.0032999306f,
                                    0.0105242934f,  0.00194384763f, 0.00311830919f, 0.00253467495f,
                                    0.00489124982f, 0.0083516594f,  0.00683572935f, 0.00280135288f,
                                    0.0119915633f,  0.00423965789f, 0.00230777729f, 0.437486678f,
                                    0.0391299985f,  0.00572869927f, 0.0841943473f,  0.0236220583f}};
    check_same(&found, &expected);
}
END_TEST

START_TEST(of_more_than_two_hundred_the_softest_are_left_out)
{
    const struct jet_of_test jet = fan(233);
    const struct image found = make(&jet);
    uint64_t pixels = 0;
    double moment = 0;
    for (size_t i = 0; i < found.n; i++) {
        pixels += found.pixel[i];
        moment += found.pixel[i] * (double)found.intensity[i];
    }
    /* numpy; the first 200 (by pT, not energy) would give a moment of 796.8651 */
    ck_assert_uint_eq(found.n, 67);
    ck_assert_uint_eq(pixels, 51044);
    ck_assert_double_eq_tol(moment, 796.8536914674332, 1e-3);
}
END_TEST

START_TEST(order_and_place_of_the_constituents_do_not_matter)
{
    struct jet_of_test jet = fan(233), spread = {.n = 31};
    const struct image once = make(&jet);
    for (size_t i = 0; i < jet.n; i++)
        jet.chosen[i] = (uint32_t)(i * 100 % jet.n); /* 233 is prime: every index once */
    const struct image shuffled = make(&jet);
    ck_assert_mem_eq(&once, &shuffled, sizeof once);

    const struct jet_of_test few = fan(31);
    for (uint32_t i = 0; i < few.n; i++) { /* the same ones behind other particles */
        spread.chosen[i] = 7 * i + 3;
        spread.pt[7 * i + 3] = few.pt[i];
        spread.eta[7 * i + 3] = few.eta[i];
        spread.phi[7 * i + 3] = few.phi[i];
    }
    const struct image near = make(&few), far = make(&spread);
    ck_assert_mem_eq(&near, &far, sizeof near);
}
END_TEST

START_TEST(a_shifted_jet_has_the_same_image)
{
    const struct jet_of_test jet = fan(37);
    const struct image expected = make(&jet);
    static const double shifts[][2] = {
        {0, -6.28318530717958648}, {0, -3.3}, {0.01, 0.1}, {-0.7, 9.5}, {1.1, -0.2}};
    for (size_t s = 0; s < sizeof shifts / sizeof *shifts; s++) {
        struct jet_of_test moved = jet;
        for (size_t i = 0; i < jet.n; i++) {
            moved.eta[i] = (float)((double)jet.eta[i] + shifts[s][0]);
            double phi = fmod((double)jet.phi[i] + shifts[s][1] + 100 * M_PI, 2 * M_PI);
            moved.phi[i] = (float)phi; /* on both sides of 0 for some */
        }
        const struct image found = make(&moved);
        check_same(&found, &expected);
    }
}
END_TEST

START_TEST(a_turned_or_mirrored_jet_has_the_same_image)
{
    const struct jet_of_test jet = fan(37);
    const struct image expected = make(&jet);
    for (int step = 0; step < 14; step++) {
        const double angle = 0.9 * (step / 2), mirror = step % 2 ? -1 : 1;
        struct jet_of_test turned = jet;
        for (size_t i = 0; i < jet.n; i++) {
            const double p = mirror * ((double)jet.phi[i] - 6.2), e = (double)jet.eta[i] - 0.3;
            turned.phi[i] = (float)(1 + p * cos(angle) - e * sin(angle));
            turned.eta[i] = (float)(p * sin(angle) + e * cos(angle));
        }
        const struct image found = make(&turned);
        check_same(&found, &expected);
    }
}
END_TEST

START_TEST(one_constituent_lights_the_pixel_at_the_centre)
{
    const struct jet_of_test jet = fan(1);
    const struct image found = make(&jet);
    ck_assert_uint_eq(found.n, 1);
    ck_assert_uint_eq(found.pixel[0], 820); /* position 0 is edge 20, and opens bin 20 */
    ck_assert_float_eq(found.intensity[0], 1);
}
END_TEST

START_TEST(no_constituent_lights_nothing)
{
    const struct jet_of_test jet = fan(0);
    ck_assert_uint_eq(make(&jet).n, 0);
}
END_TEST

/* Two equal constituents at -distance/2 and distance/2 on the phi axis, exactly. */
static struct jet_of_test pair(float distance)
{
    return (struct jet_of_test){.n = 2, .chosen = {0, 1}, .pt = {50, 50}, .phi = {0, distance}};
}

START_TEST(constituents_all_outside_light_nothing_and_leave_nothing_behind)
{
    const struct jet_of_test jet = fan(37), far = pair(1.75f);
    const struct image expected = make(&jet);
    ck_assert_uint_eq(make(&far).n, 0);
    const struct image found = make(&jet);
    ck_assert_mem_eq(&found, &expected, sizeof found);
}
END_TEST

START_TEST(both_outer_edges_belong_to_the_image)
{
    image_maker_destroy(&maker);
    ck_assert_int_eq(image_maker_create(&maker, 5, 0.75), STATUS_OK);
    const struct jet_of_test on = pair(1.5f), beyond = pair(nextafterf(1.5f, 2));
    const struct image found = make(&on);
    ck_assert_uint_eq(found.n, 2);
    ck_assert_uint_eq(found.pixel[0], 0 * 5 + 2);
    ck_assert_uint_eq(found.pixel[1], 4 * 5 + 2); /* last edge closed */
    ck_assert_float_eq(found.intensity[0], 0.5f);
    ck_assert_uint_eq(make(&beyond).n, 0);
}
END_TEST

START_TEST(an_inner_edge_belongs_to_the_upper_pixel)
{
    image_maker_destroy(&maker);
    ck_assert_int_eq(image_maker_create(&maker, 4, 1), STATUS_OK);
    const struct jet_of_test jet = pair(1);
    const struct image found = make(&jet);
    ck_assert_uint_eq(found.n, 2);
    ck_assert_uint_eq(found.pixel[0], 1 * 4 + 2);
    ck_assert_uint_eq(found.pixel[1], 3 * 4 + 2);
}
END_TEST

START_TEST(every_number_of_pixels_keeps_the_whole_jet)
{
    static const uint32_t sides[] = {1, 2, 41, 127, IMAGE_SIDE_MAX};
    const struct jet_of_test jet = fan(61);
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++) {
        image_maker_destroy(&maker);
        ck_assert_int_eq(image_maker_create(&maker, sides[s], 1.5), STATUS_OK);
        const struct image found = make(&jet);
        double sum = 0;
        for (size_t i = 0; i < found.n; i++) {
            sum += (double)found.intensity[i];
            ck_assert_uint_lt(found.pixel[i], sides[s] * sides[s]);
            ck_assert(i == 0 || found.pixel[i] > found.pixel[i - 1]);
        }
        ck_assert_double_eq_tol(sum, 1, 1e-6); /* 61 roundings to float */
    }
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("image");
    tcase_add_checked_fixture(cases, start, stop);
    tcase_add_test(cases, five_constituents_give_numpys_image);
    tcase_add_test(cases, thirty_seven_constituents_give_numpys_image);
    tcase_add_test(cases, of_more_than_two_hundred_the_softest_are_left_out);
    tcase_add_test(cases, order_and_place_of_the_constituents_do_not_matter);
    tcase_add_test(cases, a_shifted_jet_has_the_same_image);
    tcase_add_test(cases, a_turned_or_mirrored_jet_has_the_same_image);
    tcase_add_test(cases, one_constituent_lights_the_pixel_at_the_centre);
    tcase_add_test(cases, no_constituent_lights_nothing);
    tcase_add_test(cases, constituents_all_outside_light_nothing_and_leave_nothing_behind);
    tcase_add_test(cases, both_outer_edges_belong_to_the_image);
    tcase_add_test(cases, an_inner_edge_belongs_to_the_upper_pixel);
    tcase_add_test(cases, every_number_of_pixels_keeps_the_whole_jet);
    return run_case(cases, "image");
}
