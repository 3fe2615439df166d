/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jet_image, called bare: every row becomes two images or a count with its reason. */
#include "stages/jet_image/jet_image.h"

#include <math.h>

#include "tests/support/bare_stage.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

static void *imager;

static void create(void)
{
    const struct stage_setup setup = {.analysis = bare_analysis()};
    ck_assert_int_eq(jet_image_create(&imager, &setup), STATUS_OK);
}

static void destroy(void)
{
    jet_image_destroy(&imager);
    ck_assert_ptr_null(imager);
    jet_image_destroy(&imager);
}

/* Rows 70 to 73: two particles back to back, one alone, none, and one that is not a number. */
static const uint32_t offset[] = {0, 2, 3, 3, 4};
static const float pt[] = {1000, 900, 500, NAN}, eta[] = {0.1F, -0.2F, 0, 0},
                   phi[] = {0, 3.14159265F, 1, 1};
static const int8_t label[] = {1, 0, 0, 0};
static const union record events = {.events = {.first_row = 70,
                                               .events = 4,
                                               .particles = 4,
                                               .offset = offset,
                                               .pt = pt,
                                               .eta = eta,
                                               .phi = phi,
                                               .label = label}};

static void see(const void *record)
{
    const struct image_batch *images = record;
    ck_assert_uint_eq(images->first_row, 70);
    ck_assert_uint_eq(images->read, 4);
    ck_assert_uint_eq(images->events, 1);
    ck_assert_uint_eq(images->quarantined, 0);
    ck_assert_uint_eq(images->dropped[DROP_ONE_JET], 1);
    ck_assert_uint_eq(images->dropped[DROP_NO_JET], 1);
    ck_assert_uint_eq(images->dropped[DROP_NOT_FINITE], 1);
    ck_assert_ptr_null(image_batch_account_fault(images));
    ck_assert_uint_eq(images->row[0], 70);
    ck_assert_int_eq(images->label[0], 1);
    /* m^2 = 2 pT1 pT2 (cosh(eta1 - eta2) - cos(phi1 - phi2)) of massless particles */
    ck_assert_double_eq_tol((double)images->m_jj[0], 1918.7520229127965, 1e-3);
    ck_assert_float_eq_tol(images->pt[0], 1000, 1e-3F);
    ck_assert_float_eq_tol(images->pt[1], 900, 1e-3F);
    ck_assert_uint_eq(images->constituents[0], 1);
    /* A single particle is its own centroid: half_width / 4 to the right of pixel 2's lower edge.
     */
    ck_assert_uint_eq(images->lit, 2);
    ck_assert_uint_eq(images->pixel[0], 10);
    ck_assert_float_eq(images->intensity[0], 1);
}

START_TEST(every_row_becomes_two_images_or_is_counted_with_its_reason)
{
    struct bare_outlet outlet = BARE_OUTLET(see);
    captured_begin();
    ck_assert_int_eq(
        bare_process(jet_image_process, imager, 0, MESSAGE_EVENT_BATCH, 9, &events, &outlet),
        STATUS_OK);
    CK_SAYS(captured_end(), "row 73: dropped as not_finite");
    ck_assert_uint_eq(outlet.n, 1);
}
END_TEST

static void see_nothing_known(const void *record)
{
    const struct image_batch *images = record;
    ck_assert_uint_eq(images->events, 1);
    ck_assert_ptr_null(images->label);
}

START_TEST(a_batch_without_labels_gives_images_without)
{
    union record unlabelled = events;
    unlabelled.events.label = NULL;
    struct bare_outlet outlet = BARE_OUTLET(see_nothing_known);
    for (size_t twice = 0; twice < 2; twice++) /* nothing is kept from one to the next */
        ck_assert_int_eq(bare_process(jet_image_process, imager, 0, MESSAGE_EVENT_BATCH, twice,
                                      &unlabelled, &outlet),
                         STATUS_OK);
    ck_assert_uint_eq(outlet.n, 2);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("jet_image");
    tcase_add_checked_fixture(cases, create, destroy);
    tcase_add_test(cases, every_row_becomes_two_images_or_is_counted_with_its_reason);
    tcase_add_test(cases, a_batch_without_labels_gives_images_without);
    return run_case(cases, "jet_image");
}
