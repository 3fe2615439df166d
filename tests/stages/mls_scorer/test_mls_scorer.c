/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mls_scorer, called bare: one excess, its significance, and the file that says so. */
#include "stages/mls_scorer/mls_scorer.h"

#include "common/store/results/result_attributes.h"
#include "common/store/results/result_file.h"
#include "common/store/results/result_summary.h"
#include "tests/support/bare_stage.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"

enum { MODELS, SELECTIONS };

static void *scorer;
static json_t *settings;
static const struct stage_input inputs[] = {
    [MODELS] = {.type = MESSAGE_MODEL, .copies = 1},
    [SELECTIONS] = {.type = MESSAGE_SELECTION, .copies = 1}};

static void create(void)
{
    scratch_make();
    settings = json_pack("{s:s}", "results", scratch_path("results.h5"));
    const struct stage_setup setup = {.run_id = "0123456789abcdef0123456789abcdef",
                                      .log_id = "fedcba9876543210fedcba9876543210",
                                      .analysis_text = "stream:\n  batch: 100\n",
                                      .analysis = bare_analysis(),
                                      .settings = settings,
                                      .folder = scratch,
                                      .sources = 1,
                                      .n_inputs = 2,
                                      .inputs = inputs};
    ck_assert_int_eq(mls_scorer_create(&scorer, &setup), STATUS_OK);
}

static void destroy(void)
{
    mls_scorer_destroy(&scorer);
    ck_assert_ptr_null(scorer);
    json_decref(settings);
    scratch_remove();
}

static struct bare_outlet outlet;

static void see(const void *record)
{
    const struct score_record *score = record;
    ck_assert_uint_eq(score->members, 1);
    ck_assert_int_eq(score->bin[0], 0);
    /* scipy: norm.isf(poisson.sf(30, 20)) */
    ck_assert_double_eq_tol(score->mls[0], 2.2122504812618686, 1e-9);
    ck_assert_double_eq(score->mean, score->mls[0]);
    ck_assert_double_eq(score->max, score->mls[0]);
}

static status take_model(void)
{
    static const float prototype[32];
    static const double scale[2] = {1, 1}, bias[2];
    static const uint16_t map[2] = {0, 1};
    const union record model = {.model = {.generation = 1,
                                          .algorithm = "minibatch_kmeans",
                                          .clusters = 2,
                                          .prototypes = 2,
                                          .pixels = 16,
                                          .window = {3000, 3300},
                                          .cutoff = INFINITY,
                                          .prototype = prototype,
                                          .scale = scale,
                                          .bias = bias,
                                          .map = map}};
    return bare_process(mls_scorer_process, scorer, MODELS, MESSAGE_MODEL, 0, &model, &outlet);
}

/* Cluster 0 is rich with 30, 10 and 20 jets, cluster 1 has 100 in every bin: 20 are expected. */
static status take_selection(uint64_t rich_first)
{
    static const uint64_t counts[] = {30, 10, 20, 100, 100, 100}, signal[6];
    static const double z[6];
    static const uint8_t label[] = {1, 0};
    const uint64_t rich[] = {rich_first, 10, 20}, depleted[] = {100, 100, 100};
    static const double background[] = {20, 20, 20};
    const union record selection = {.selection = {.summed = {.generation = 1,
                                                             .members = 1,
                                                             .clusters = 2,
                                                             .bins = 3,
                                                             .tally = {.read = 180, .counted = 180},
                                                             .in_window = 180,
                                                             .counts = counts,
                                                             .signal = signal},
                                                  .z = z,
                                                  .label = label,
                                                  .rich = rich,
                                                  .depleted = depleted,
                                                  .background = background}};
    return bare_process(mls_scorer_process, scorer, SELECTIONS, MESSAGE_SELECTION, 0, &selection,
                        &outlet);
}

START_TEST(the_largest_excess_is_scored_and_written)
{
    outlet = (struct bare_outlet)BARE_OUTLET(see);
    ck_assert_int_eq(take_model(), STATUS_OK);
    ck_assert_int_eq(mls_scorer_finish(scorer, MODELS, 1, &outlet.outlet), STATUS_OK);
    ck_assert_int_eq(take_selection(30), STATUS_OK);
    ck_assert_uint_eq(outlet.n, 1);
    char text[200] = "";
    mls_scorer_describe(scorer, sizeof text, text);
    CK_SAYS(text, "slice 1, 180 events read: mean MLS 2.21");
    char run_id[33];
    bool final;
    ck_assert(result_attributes_owner(scratch_path("results.h5"), run_id, &final));
    ck_assert(!final); /* there from the first score on */
    ck_assert_int_eq(mls_scorer_finish(scorer, SELECTIONS, 1, &outlet.outlet), STATUS_OK);
    ck_assert(result_attributes_owner(scratch_path("results.h5"), run_id, &final));
    ck_assert(final);
    ck_assert_str_eq(run_id, "0123456789abcdef0123456789abcdef");
}
END_TEST

START_TEST(a_selection_that_is_not_true_in_itself_is_refused)
{
    ck_assert_int_eq(take_model(), STATUS_OK);
    captured_begin();
    ck_assert_int_eq(take_selection(31), STATUS_BAD_INPUT);
    CK_SAYS(captured_end(), "selection of slice 0: ");
    ck_assert(!file_exists(scratch_path("results.h5")));
}
END_TEST

START_TEST(an_end_without_models_or_selections_is_refused)
{
    captured_begin();
    ck_assert_int_eq(mls_scorer_finish(scorer, MODELS, 0, &outlet.outlet), STATUS_BAD_INPUT);
    ck_assert_int_eq(mls_scorer_finish(scorer, SELECTIONS, 0, &outlet.outlet), STATUS_BAD_INPUT);
    const char *said = captured_end();
    CK_SAYS(said, "ended without a model of member 0");
    CK_SAYS(said, "there is nothing to score");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("mls_scorer");
    tcase_add_checked_fixture(cases, create, destroy);
    tcase_add_test(cases, the_largest_excess_is_scored_and_written);
    tcase_add_test(cases, a_selection_that_is_not_true_in_itself_is_refused);
    tcase_add_test(cases, an_end_without_models_or_selections_is_refused);
    return run_case(cases, "mls_scorer");
}
