/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The analysis block: JSON and back, the canonical text, and the table behind both. */
#include "common/topology/schema/analysis.h"

#include <string.h>

#include "common/topology/schema/schema.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

/* Every member away from its default; numbers without a short decimal form among them. */
static struct analysis odd_analysis(void)
{
    return (struct analysis){
        .stream = {.batch = 509, .slice = 61},
        .jets = {.radius = 1.0 / 3.0, .pt_min = 19.7, .engine = JET_ENGINE_FASTJET},
        .image = {.pixels = 37, .half_width = 0.1 + 0.2, .power = 0, .smear = 1e-7},
        .training = {.window = {2999.5, 3101},
                     .clusters = 47,
                     .batch = 2039,
                     .ensemble = 13,
                     .seed = 9007199254740991,
                     .events = 56486},
        .spectra = {.window = {3001, 4603}, .bins = 17},
        .selection = {.outlier_fraction = 0.19, .threshold = 2.9, .sd_factor = 1.51},
        .score = {.approximation = MLS_GAUSSIAN, .deviation = MLS_ABSOLUTE},
    };
}

/* memcmp would look at the padding too. */
static void assert_same(const struct analysis *a, const struct analysis *b)
{
    for (const struct key *key = schema_analysis; key->path != NULL; key++)
        ck_assert_msg(
            memcmp((const char *)a + key->offset, (const char *)b + key->offset, key->size) == 0,
            "%s differs", key->path);
}

/* The block as text and back, as it goes from `run` to a stage. */
static json_t *through_text(const struct analysis *analysis)
{
    json_t *block = analysis_to_json(analysis);
    char *text = json_dumps(block, JSON_REAL_PRECISION(17));
    ck_assert_ptr_nonnull(text);
    json_decref(block);
    block = json_loads(text, 0, NULL);
    free(text);
    return block;
}

START_TEST(an_analysis_survives_json_exactly)
{
    const struct analysis analysis = odd_analysis();
    json_t *block = through_text(&analysis);
    struct analysis back;
    ck_assert_int_eq(analysis_from_json(&back, block), STATUS_OK);
    assert_same(&analysis, &back);
    json_decref(block);
}
END_TEST

/* The decimal forms are those of Python's repr, the shortest that read back. */
START_TEST(the_canonical_text_has_every_key_in_schema_order)
{
    const struct analysis analysis = odd_analysis();
    char *text = analysis_to_yaml(&analysis);
    ck_assert_str_eq(text, "stream:\n"
                           "  batch: 509\n"
                           "  slice: 61\n"
                           "jets:\n"
                           "  algorithm: antikt\n"
                           "  radius: 0.3333333333333333\n"
                           "  pt_min: 19.7\n"
                           "  engine: fastjet\n"
                           "image:\n"
                           "  pixels: 37\n"
                           "  half_width: 0.30000000000000004\n"
                           "  power: 0\n"
                           "  smear: 1e-07\n"
                           "training:\n"
                           "  window: [2999.5, 3101]\n"
                           "  clusters: 47\n"
                           "  batch: 2039\n"
                           "  ensemble: 13\n"
                           "  seed: 9007199254740991\n"
                           "  events: 56486\n"
                           "spectra:\n"
                           "  window: [3001, 4603]\n"
                           "  bins: 17\n"
                           "selection:\n"
                           "  outlier_fraction: 0.19\n"
                           "  threshold: 2.9\n"
                           "  sd_factor: 1.51\n"
                           "score:\n"
                           "  approximation: gaussian\n"
                           "  deviation: absolute\n");
    free(text);
}
END_TEST

START_TEST(the_canonical_text_reads_back_to_the_same)
{
    const struct analysis analysis = odd_analysis();
    char *text = analysis_to_yaml(&analysis);
    json_t *block;
    ck_assert_int_eq(analysis_block_from_yaml(&block, "results.h5", text), STATUS_OK);
    struct analysis back;
    ck_assert_int_eq(analysis_from_json(&back, block), STATUS_OK);
    assert_same(&analysis, &back);
    json_decref(block);
    free(text);
}
END_TEST

START_TEST(a_text_that_is_no_mapping_is_refused_by_name)
{
    static const char *const texts[] = {"[1, 2]", "stream: {batch: 1, batch: 2}", "a: [", ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *block;
        captured_begin();
        const status done = analysis_block_from_yaml(&block, "odd.h5", texts[i]);
        const char *said = captured_end();
        ck_assert_int_eq(done, STATUS_BAD_INPUT);
        ck_assert_ptr_null(block);
        ck_assert_msg(strstr(said, "odd.h5") != NULL, "%s", said);
    }
}
END_TEST

/* Takes a sound block, lets `spoil` change it and asserts what is logged. */
static void assert_refused(void (*spoil)(json_t *block), const char *expected)
{
    const struct analysis analysis = odd_analysis();
    json_t *block = through_text(&analysis);
    spoil(block);
    struct analysis back;
    captured_begin();
    const status done = analysis_from_json(&back, block);
    const char *text = captured_end();
    json_decref(block);
    ck_assert_int_eq(done, STATUS_BAD_INPUT);
    ck_assert_str_eq(text, expected);
}

static void take_seed_away(json_t *block)
{
    json_object_del(json_object_get(block, "training"), "seed");
}

START_TEST(a_block_without_a_key_is_refused)
{
    assert_refused(take_seed_away, "error: analysis.training.seed is missing\n");
}
END_TEST

static void add_strangers(json_t *block)
{
    json_object_set_new(block, "jet", json_object());
    json_object_set_new(json_object_get(block, "jets"), "r", json_real(1));
}

START_TEST(a_block_with_unknown_keys_is_refused_naming_each)
{
    assert_refused(add_strangers, "error: unknown key analysis.jets.r\n"
                                  "error: unknown key analysis.jet\n");
}
END_TEST

static void make_types_wrong(json_t *block)
{
    json_object_set_new(json_object_get(block, "stream"), "batch", json_real(512));
    json_object_set_new(json_object_get(block, "spectra"), "window",
                        json_pack("[i, s]", 3001, "x"));
    json_object_set_new(json_object_get(block, "score"), "deviation", json_string("negative"));
}

START_TEST(a_block_with_wrong_types_is_refused_naming_each)
{
    assert_refused(
        make_types_wrong,
        "error: analysis.stream.batch must be an integer from 1 to 30000 (rows), not 512.0\n"
        "error: analysis.spectra.window must be [lo, hi] with lo < hi, both numbers from 0 to "
        "100000 (GeV), not the text \"x\"\n"
        "error: analysis.score.deviation must be positive or absolute, not the text "
        "\"negative\"\n");
}
END_TEST

START_TEST(what_is_no_mapping_is_refused)
{
    struct analysis back;
    captured_begin();
    const status done = analysis_from_json(&back, json_true());
    const char *text = captured_end();
    ck_assert_int_eq(done, STATUS_BAD_INPUT);
    ck_assert_str_eq(text, "error: analysis must be a mapping\n");
}
END_TEST

static void check_default(const struct key *key)
{
    if (key->fallback == NULL)
        return;
    json_t *value = key_default(key);
    int element;
    ck_assert_msg(value != NULL && key_fits(key, value, &element), "default of %s", key->path);
    json_decref(value);
}

static void check_keys(const struct key *keys)
{
    for (const struct key *key = keys; key != NULL && key->path != NULL; key++) {
        check_default(key);
        ck_assert_msg(key->help != NULL, "%s has no help", key->path);
        ck_assert_msg(key_find(keys, key->path) == key, "%s stands twice", key->path);
        ck_assert_msg(key->type != KEY_CHOICE || key->choices != NULL, "%s: choices", key->path);
    }
}

START_TEST(every_default_of_the_schema_fits_its_own_key)
{
    check_keys(schema_top);
    check_keys(schema_analysis);
    check_keys(schema_stage);
    for (const struct stage_kind *kind = schema_stages; kind->name != NULL; kind++)
        check_keys(kind->settings);
}
END_TEST

START_TEST(every_member_of_the_analysis_has_one_key)
{
    struct analysis covered = {0};
    size_t bytes = 0;
    for (const struct key *key = schema_analysis; key->path != NULL; key++) {
        char *member = (char *)&covered + key->offset;
        for (size_t i = 0; i < key->size; i++)
            ck_assert_msg(member[i] == 0, "%s lies over another key", key->path);
        memset(member, 1, key->size);
        bytes += key->size;
    }
    /* struct analysis: 7 u32 and 3 enums, 8 double and 2 u64, 2 intervals. The rest is padding. */
    ck_assert_uint_eq(bytes, 10 * 4 + 10 * 8 + 2 * 16);
}
END_TEST

START_TEST(numbers_are_written_in_the_shortest_form_that_reads_back)
{
    /* Left: Python 3's repr, but integers without a fraction. */
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"3000", 3000},
                 {"0.1", 0.1},
                 {"1.5707963267948966", 1.5707963267948966},
                 {"0.30000000000000004", 0.1 + 0.2},
                 {"1e+22", 1e22},
                 {"-17.25", -17.25}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        key_number_text(cases[i].value, sizeof text, text);
        ck_assert_str_eq(text, cases[i].text);
        ck_assert(strtod(text, NULL) == cases[i].value);
    }
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("analysis");
    tcase_add_test(cases, an_analysis_survives_json_exactly);
    tcase_add_test(cases, the_canonical_text_has_every_key_in_schema_order);
    tcase_add_test(cases, the_canonical_text_reads_back_to_the_same);
    tcase_add_test(cases, a_text_that_is_no_mapping_is_refused_by_name);
    tcase_add_test(cases, a_block_without_a_key_is_refused);
    tcase_add_test(cases, a_block_with_unknown_keys_is_refused_naming_each);
    tcase_add_test(cases, a_block_with_wrong_types_is_refused_naming_each);
    tcase_add_test(cases, what_is_no_mapping_is_refused);
    tcase_add_test(cases, every_default_of_the_schema_fits_its_own_key);
    tcase_add_test(cases, every_member_of_the_analysis_has_one_key);
    tcase_add_test(cases, numbers_are_written_in_the_shortest_form_that_reads_back);
    return run_case(cases, "topology.analysis");
}
