/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kmeans_trainer, called bare: jets of two kinds give two centres. */
#include "stages/kmeans_trainer/kmeans_trainer.h"

#include "tests/support/bare_stage.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

static void *trainer;

static void create_with(uint64_t events)
{
    struct stage_setup setup = {.analysis = bare_analysis(), .replicas = 1};
    setup.analysis.training.events = events;
    ck_assert_int_eq(kmeans_trainer_create(&trainer, &setup), STATUS_OK);
}

static void create(void)
{
    create_with(0);
}

static void destroy(void)
{
    kmeans_trainer_destroy(&trainer);
    ck_assert_ptr_null(trainer);
}

static struct bare_outlet outlet;

static void see(const void *record)
{
    const struct model_record *found = record;
    ck_assert_uint_eq(found->member, 0);
    ck_assert_uint_eq(found->generation, 1);
    ck_assert_uint_eq(found->clusters, 2);
    ck_assert_uint_eq(found->pixels, 16);
    ck_assert_uint_eq(found->jets, 40);
    ck_assert_double_eq_tol(found->inertia, 0, 1e-9);
    ck_assert_str_eq(found->algorithm, "minibatch_kmeans");
    const size_t three = found->prototype[3] > 0.5F ? 0 : 1;
    ck_assert_float_eq_tol(found->prototype[16 * three + 3], 1, 1e-6F);
    ck_assert_float_eq_tol(found->prototype[16 * (1 - three) + 12], 1, 1e-6F);
    ck_assert_ptr_null(model_record_fault(found));
    ck_assert(model_record_is_plain(found)); /* only distances count */
}

/* Ten events, each with a jet of either kind. */
static status take_images(uint64_t place)
{
    uint16_t pixel[20];
    float m_jj[10];
    for (size_t j = 0; j < 20; j++) {
        pixel[j] = j % 2 == 0 ? 3 : 12;
        m_jj[j / 2] = 3100;
    }
    const union record images = bare_images(10, pixel, m_jj, NULL);
    return bare_process(kmeans_trainer_process, trainer, 0, MESSAGE_IMAGE_BATCH, place, &images,
                        &outlet);
}

START_TEST(jets_of_two_kinds_give_two_centres)
{
    outlet = (struct bare_outlet)BARE_OUTLET(see);
    for (uint64_t place = 0; place < 2; place++)
        ck_assert_int_eq(take_images(place), STATUS_OK);
    captured_begin();
    ck_assert_int_eq(kmeans_trainer_finish(trainer, 0, 2, &outlet.outlet), STATUS_OK);
    CK_SAYS(captured_end(), "training 1 members of 2 clusters on 40 jets");
    bool more = true;
    while (more)
        ck_assert_int_eq(kmeans_trainer_work(trainer, &outlet.outlet, &more), STATUS_OK);
    ck_assert_uint_eq(outlet.n, 1);
}
END_TEST

START_TEST(only_the_window_is_wanted_and_enough_is_enough)
{
    destroy();
    create_with(15);
    struct feed_filter filter = {.modulus = 1};
    kmeans_trainer_filter(trainer, 0, &filter);
    ck_assert_double_eq(filter.mass[0], 3000);
    ck_assert_double_eq(filter.mass[1], 3300);
    ck_assert_int_eq(take_images(0), STATUS_OK);
    char text[200] = "";
    kmeans_trainer_describe(trainer, sizeof text, text);
    CK_SAYS(text, "10 of 15 events in the training window so far");
    ck_assert_int_eq(take_images(1), STATUS_END);
    kmeans_trainer_describe(trainer, sizeof text, text);
    CK_SAYS(text, "15 of 15 events");
}
END_TEST

START_TEST(fewer_jets_than_clusters_are_refused)
{
    outlet = (struct bare_outlet)BARE_OUTLET(see);
    captured_begin();
    ck_assert_int_eq(kmeans_trainer_finish(trainer, 0, 0, &outlet.outlet), STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "[3000, 3300) GeV holds 0 jets, fewer than the 2 clusters");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("kmeans_trainer");
    tcase_add_checked_fixture(cases, create, destroy);
    tcase_add_test(cases, jets_of_two_kinds_give_two_centres);
    tcase_add_test(cases, only_the_window_is_wanted_and_enough_is_enough);
    tcase_add_test(cases, fewer_jets_than_clusters_are_refused);
    return run_case(cases, "kmeans_trainer");
}
