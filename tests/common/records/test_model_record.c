/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a model must be, which one is a k-means, and copies. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/records/model_record.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"

enum { PIXELS = 4, PROTOTYPES = 3 };

static float prototype[PROTOTYPES * PIXELS];
static double scale[PROTOTYPES], bias[PROTOTYPES];
static uint16_t map[PROTOTYPES];

/* A k-means of three clusters. */
static struct model_record good(void)
{
    for (uint16_t q = 0; q < PROTOTYPES; q++) {
        prototype[q * PIXELS + q] = 1.0f;
        scale[q] = 1.0;
        bias[q] = 0.0;
        map[q] = q;
    }
    return (struct model_record){.algorithm = "minibatch_kmeans",
                                 .clusters = 3,
                                 .prototypes = PROTOTYPES,
                                 .pixels = PIXELS,
                                 .cutoff = INFINITY,
                                 .prototype = prototype,
                                 .scale = scale,
                                 .bias = bias,
                                 .map = map};
}

static void expect(const struct model_record *record, const char *fault)
{
    const char *found = model_record_fault(record);
    if (fault == NULL)
        ck_assert_ptr_null(found);
    else
        CK_SAYS(found != NULL ? found : "", fault);
}

START_TEST(a_model_of_any_clustering_has_no_fault)
{
    struct model_record record = good();
    expect(&record, NULL);
    ck_assert(model_record_is_plain(&record));
    record.clusters = 2;
    map[2] = 1;
    scale[1] = 0.25;
    bias[0] = -7.5;
    record.cutoff = 3.5;
    expect(&record, NULL);
}
END_TEST

START_TEST(what_no_model_may_hold_is_named)
{
    static const double unfit_scales[] = {0.0, -1.0, INFINITY, NAN};
    struct model_record record = good();
    for (size_t i = 0; i < 4; i++) {
        scale[1] = unfit_scales[i];
        expect(&record, "a scale is not finite or not above 0");
    }
    record = good();
    bias[2] = INFINITY;
    expect(&record, "a bias is not finite");
    record = good();
    map[2] = 3;
    expect(&record, "mapped to a cluster that is not below clusters");
    record = good();
    record.cutoff = NAN;
    expect(&record, "the cutoff is not a number");
    record.cutoff = -INFINITY;
    expect(&record, "the cutoff is not a number");
    record = good();
    record.inertia = NAN;
    expect(&record, "the inertia is not finite");
    record = good();
    prototype[5] = NAN;
    expect(&record, "a prototype is not finite");
    prototype[5] = 0.0f;
}
END_TEST

START_TEST(numbers_of_prototypes_and_clusters_are_bounded)
{
    struct model_record record = good();
    record.clusters = 0;
    expect(&record, "no clusters");
    record = good();
    record.clusters = 65536;
    expect(&record, "more than 65535");
    record = good();
    record.prototypes = 0;
    expect(&record, "no prototypes");
    record.prototypes = 65536; /* refused before any of them is looked at */
    expect(&record, "more than 65535");
}
END_TEST

START_TEST(the_algorithm_is_a_word)
{
    struct model_record record = good();
    strcpy(record.algorithm, "");
    expect(&record, "the algorithm is no word");
    strcpy(record.algorithm, "k means");
    expect(&record, "the algorithm is no word");
    strcpy(record.algorithm, "dbscan-2_x");
    expect(&record, NULL);
}
END_TEST

START_TEST(a_scale_a_bias_a_cutoff_or_a_map_makes_it_no_k_means)
{
    struct model_record record = good();
    scale[2] = 2.0;
    ck_assert(!model_record_is_plain(&record));
    record = good();
    bias[0] = 1e-300;
    ck_assert(!model_record_is_plain(&record));
    record = good();
    record.cutoff = 1e300;
    ck_assert(!model_record_is_plain(&record));
    record = good();
    map[0] = 1;
    ck_assert(!model_record_is_plain(&record));
    record = good();
    record.clusters = 4;
    ck_assert(!model_record_is_plain(&record));
}
END_TEST

START_TEST(a_copy_has_the_same_values_in_memory_of_its_own)
{
    struct model_record record = good(), copy;
    void *memory;
    record.steps = 17;
    map[1] = 2;
    bias[2] = 0.125;
    ck_assert_int_eq(model_record_copy(&copy, &memory, &record), STATUS_OK);
    ck_assert_mem_eq(copy.prototype, prototype, sizeof prototype);
    ck_assert_mem_eq(copy.scale, scale, sizeof scale);
    ck_assert_mem_eq(copy.bias, bias, sizeof bias);
    ck_assert_mem_eq(copy.map, map, sizeof map);
    ck_assert_uint_eq(copy.steps, 17);
    ck_assert_str_eq(copy.algorithm, "minibatch_kmeans");
    map[1] = 1;
    ck_assert_uint_eq(copy.map[1], 2);
    free(memory);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("model_record");
    tcase_add_test(cases, a_model_of_any_clustering_has_no_fault);
    tcase_add_test(cases, what_no_model_may_hold_is_named);
    tcase_add_test(cases, numbers_of_prototypes_and_clusters_are_bounded);
    tcase_add_test(cases, the_algorithm_is_a_word);
    tcase_add_test(cases, a_scale_a_bias_a_cutoff_or_a_map_makes_it_no_k_means);
    tcase_add_test(cases, a_copy_has_the_same_values_in_memory_of_its_own);
    return run_case(cases, "model_record");
}
