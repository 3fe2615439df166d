/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spectrum_accumulator, called bare: jets go to their nearest centre, events to their bin. */
#include "stages/spectrum_accumulator/spectrum_accumulator.h"

#include <string.h>

#include "tests/support/bare_stage.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

enum { MODELS, IMAGES };

static void *accumulator;
static const struct stage_input inputs[] = {[MODELS] = {.type = MESSAGE_MODEL, .copies = 1},
                                            [IMAGES] = {.type = MESSAGE_IMAGE_BATCH, .copies = 1}};

static void create_copy(uint32_t replica, uint32_t replicas)
{
    const struct stage_setup setup = {.analysis = bare_analysis(),
                                      .replica = replica,
                                      .replicas = replicas,
                                      .n_inputs = 2,
                                      .inputs = inputs};
    ck_assert_int_eq(spectrum_accumulator_create(&accumulator, &setup), STATUS_OK);
}

static void create(void)
{
    create_copy(0, 1);
}

static void destroy(void)
{
    spectrum_accumulator_destroy(&accumulator);
    ck_assert_ptr_null(accumulator);
}

/* Cluster 0 is pixel 3 alone, cluster 1 pixel 12. */
static status take_model(uint32_t clusters)
{
    static float prototype[2][16];
    static const double scale[2] = {1, 1}, bias[2];
    static const uint16_t map[2] = {0, 1};
    prototype[0][3] = prototype[1][12] = 1.0F;
    const union record model = {.model = {.generation = 1,
                                          .clusters = clusters,
                                          .prototypes = 2,
                                          .pixels = 16,
                                          .cutoff = INFINITY,
                                          .prototype = prototype[0],
                                          .scale = scale,
                                          .bias = bias,
                                          .map = map}};
    struct bare_outlet nothing = BARE_OUTLET(NULL);
    return bare_process(spectrum_accumulator_process, accumulator, MODELS, MESSAGE_MODEL, 0, &model,
                        &nothing);
}

static struct bare_outlet outlet;
static uint64_t slices[4], counts[4][6], signals[4][6], in_window[4];

static void keep_spectra(const void *record)
{
    const struct spectra_record *spectra = record;
    ck_assert_uint_le(outlet.n, 4);
    slices[outlet.n - 1] = spectra->slice;
    in_window[outlet.n - 1] = spectra->in_window;
    memcpy(counts[outlet.n - 1], spectra->counts, sizeof counts[0]);
    memcpy(signals[outlet.n - 1], spectra->signal, sizeof signals[0]);
}

static status take_images(uint64_t place)
{
    static const uint16_t pixel[] = {3, 12, 12, 12};
    static const float m_jj[] = {3050, 3250};
    static const int8_t label[] = {0, 1};
    const union record images = bare_images(2, pixel, m_jj, label);
    return bare_process(spectrum_accumulator_process, accumulator, IMAGES, MESSAGE_IMAGE_BATCH,
                        place, &images, &outlet);
}

START_TEST(a_slice_is_told_when_its_last_place_has_come_and_the_rest_at_the_end)
{
    outlet = (struct bare_outlet)BARE_OUTLET(keep_spectra);
    ck_assert_int_eq(take_model(2), STATUS_OK);
    ck_assert_int_eq(spectrum_accumulator_finish(accumulator, MODELS, 1, &outlet.outlet),
                     STATUS_OK);
    ck_assert_int_eq(take_images(0), STATUS_OK);
    ck_assert_uint_eq(outlet.n, 0);
    ck_assert_int_eq(take_images(1), STATUS_OK);
    ck_assert_uint_eq(outlet.n, 1);
    /* [cluster][bin], twice the batch */
    static const uint64_t two[] = {2, 0, 0, 2, 4, 0}, two_signal[] = {0, 0, 0, 0, 4, 0};
    ck_assert_uint_eq(slices[0], 0);
    ck_assert_uint_eq(in_window[0], 4);
    ck_assert_int_eq(memcmp(counts[0], two, sizeof two), 0);
    ck_assert_int_eq(memcmp(signals[0], two_signal, sizeof two_signal), 0);
    ck_assert_int_eq(take_images(2), STATUS_OK);
    ck_assert_uint_eq(outlet.n, 1);
    ck_assert_int_eq(spectrum_accumulator_finish(accumulator, IMAGES, 3, &outlet.outlet),
                     STATUS_OK);
    ck_assert_uint_eq(outlet.n, 2);
    static const uint64_t three[] = {3, 0, 0, 3, 6, 0};
    ck_assert_uint_eq(slices[1], 1);
    ck_assert_int_eq(memcmp(counts[1], three, sizeof three), 0);
}
END_TEST

START_TEST(a_copy_asks_for_its_places_and_tells_slices_without_any_of_them)
{
    destroy();
    create_copy(1, 4);
    struct feed_filter filter = {.modulus = 1};
    spectrum_accumulator_filter(accumulator, IMAGES, &filter);
    ck_assert_uint_eq(filter.modulus, 4);
    ck_assert_uint_eq(filter.remainder, 1);
    ck_assert_double_eq(filter.mass[0], 3000);
    ck_assert_double_eq(filter.mass[1], 3600);
    outlet = (struct bare_outlet)BARE_OUTLET(keep_spectra);
    ck_assert_int_eq(take_model(2), STATUS_OK);
    ck_assert_int_eq(take_images(1), STATUS_OK); /* the only one of places 0 and 1 */
    ck_assert_int_eq(take_images(5), STATUS_OK); /* ends slice 1, which had none, and 2 */
    ck_assert_uint_eq(outlet.n, 3);
    ck_assert_uint_eq(slices[2], 2);
    ck_assert_uint_eq(in_window[1], 2);
    ck_assert_uint_eq(in_window[2], 4);
}
END_TEST

START_TEST(a_model_of_another_analysis_or_none_is_refused)
{
    captured_begin();
    ck_assert_int_eq(take_model(3), STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "with 3 clusters of 16 pixels: expected one of 1 members, 2 clusters");
    captured_begin();
    ck_assert_int_eq(spectrum_accumulator_finish(accumulator, MODELS, 0, &outlet.outlet),
                     STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "ended without a model of member 0");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("spectrum_accumulator");
    tcase_add_checked_fixture(cases, create, destroy);
    tcase_add_test(cases, a_slice_is_told_when_its_last_place_has_come_and_the_rest_at_the_end);
    tcase_add_test(cases, a_copy_asks_for_its_places_and_tells_slices_without_any_of_them);
    tcase_add_test(cases, a_model_of_another_analysis_or_none_is_refused);
    return run_case(cases, "spectrum_accumulator");
}
