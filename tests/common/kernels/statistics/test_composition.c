/* SPDX-License-Identifier: GPL-3.0-or-later */
/* composition: against the reference case, whose T two programs written apart agree on. */
#include "common/kernels/statistics/composition.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/random.h"
#include "common/kernels/statistics/mass_bins.h"
#include "common/kernels/statistics/toy_null.h"
#include "tests/support/check_main.h"

#define REFERENCE SHARED_FOLDER "/reference/composition/"

static const struct mass_bins bins = {3000, 4600, 16};

/* The events of the reference: labels.bin. */
struct reference {
    uint32_t n, members, clusters;
    float *m_jj;
    uint8_t *truth;
    uint8_t *label; /* [n][members][2] */
    json_t *expected;
};

static bool reference_open(struct reference *self)
{
    FILE *file = fopen(REFERENCE "labels.bin", "rb");
    if (file == NULL)
        return false;
    uint32_t head[4];
    ck_assert_uint_eq(fread(head, sizeof *head, 4, file), 4);
    ck_assert_uint_eq(head[0], 0x31424c43);
    *self = (struct reference){.n = head[1], .members = head[2], .clusters = head[3]};
    const size_t labels = (size_t)self->n * self->members * 2;
    self->m_jj = malloc(self->n * sizeof *self->m_jj);
    self->truth = malloc(self->n);
    self->label = malloc(labels);
    ck_assert_uint_eq(fread(self->m_jj, sizeof *self->m_jj, self->n, file), self->n);
    ck_assert_uint_eq(fread(self->truth, 1, self->n, file), self->n);
    ck_assert_uint_eq(fread(self->label, 1, labels, file), labels);
    fclose(file);
    self->expected = json_load_file(REFERENCE "expected.json", 0, NULL);
    ck_assert_ptr_nonnull(self->expected);
    return true;
}

static void reference_close(struct reference *self)
{
    free(self->m_jj);
    free(self->truth);
    free(self->label);
    json_decref(self->expected);
}

/* A scan of all its events, or of the background alone, prepared. Added in pieces of 777, as
 * batches come. */
static composition *scan_of(const struct reference *from, bool signal,
                            const struct composition_settings *settings)
{
    enum { PIECE = 777 };
    composition *scan;
    ck_assert_int_eq(composition_create(&scan, settings, from->members, from->clusters, bins.n),
                     STATUS_OK);
    uint16_t *label = malloc(from->members * 2 * PIECE * sizeof *label);
    for (uint32_t first = 0; first < from->n; first += PIECE) {
        const uint32_t n = from->n - first < PIECE ? from->n - first : PIECE;
        int32_t bin[PIECE];
        for (uint32_t e = 0; e < n; e++) {
            const bool taken = signal || from->truth[first + e] == 0;
            bin[e] = taken ? mass_bins_find(&bins, (double)from->m_jj[first + e]) : -1;
            for (uint32_t m = 0; m < from->members; m++)
                for (int j = 0; j < 2; j++)
                    label[2 * ((size_t)m * n + e) + (size_t)j] =
                        from->label[2 * ((size_t)(first + e) * from->members + m) + (size_t)j];
        }
        ck_assert_int_eq(composition_add(scan, n, bin, label), STATUS_OK);
    }
    free(label);
    ck_assert_int_eq(composition_prepare(scan, composition_events(scan)), STATUS_OK);
    return scan;
}

static double number_at(const json_t *list, size_t i)
{
    return json_number_value(json_array_get(list, i));
}

static const char *const samples[2] = {"background", "with_signal"};

START_TEST(the_statistic_of_every_window_is_that_of_the_reference)
{
    struct reference reference;
    if (!reference_open(&reference))
        SKIP("no " REFERENCE);
    for (int jets = 0; jets < 2; jets++)
        for (int s = 0; s < 2; s++) {
            struct composition_settings settings = composition_defaults;
            settings.classes = jets ? COMPOSITION_JETS : COMPOSITION_PAIRS;
            composition *scan = scan_of(&reference, s == 1, &settings);
            const json_t *expected = json_object_get(reference.expected, samples[s]);
            const json_t *t = json_object_get(expected, jets ? "T_jets" : "T");
            const json_t *windows = json_object_get(expected, "windows");
            ck_assert_uint_eq(composition_windows(scan), json_array_size(t));
            composition_scratch *scratch;
            ck_assert_int_eq(composition_scratch_create(&scratch, scan), STATUS_OK);
            double found[64];
            composition_observed(scan, scratch, found);
            for (size_t w = 0; w < composition_windows(scan); w++) {
                const struct composition_window window = composition_window(scan, w);
                ck_assert_uint_eq(window.first, (uint32_t)number_at(json_array_get(windows, w), 0));
                ck_assert_uint_eq(window.bins, (uint32_t)number_at(json_array_get(windows, w), 1));
                /* The reference has five digits of pairs, and jets from sums of floats. */
                ck_assert_double_eq_tol(found[w], number_at(t, w), jets ? 2e-4 : 1e-5);
            }
            composition_scratch_destroy(&scratch);
            composition_destroy(&scan);
        }
    reference_close(&reference);
}
END_TEST

START_TEST(classes_and_flows_are_those_of_the_reference)
{
    struct reference reference;
    if (!reference_open(&reference))
        SKIP("no " REFERENCE);
    for (int s = 0; s < 2; s++) {
        composition *scan = scan_of(&reference, s == 1, &composition_defaults);
        const json_t *expected = json_object_get(reference.expected, samples[s]);
        for (uint32_t m = 0; m < reference.members; m++) /* and the pooled one */
            ck_assert_uint_eq(composition_classes_of(scan, m),
                              (size_t)number_at(json_object_get(expected, "kept"), m) + 1);
        for (uint32_t b = 0; b < bins.n; b++) {
            ck_assert_double_eq_tol(composition_flow(scan, 0, b),
                                    number_at(json_object_get(expected, "flow_row_0"), b), 1e-6);
            ck_assert_double_eq_tol(composition_flow(scan, 15, b),
                                    number_at(json_object_get(expected, "flow_row_15"), b), 1e-6);
        }
        composition_destroy(&scan);
    }
    reference_close(&reference);
}
END_TEST

START_TEST(toys_have_the_mean_and_spread_of_the_reference)
{
    enum { TOYS = 400, WINDOWS = 42 };
    struct reference reference;
    if (!reference_open(&reference))
        SKIP("no " REFERENCE);
    composition *scan = scan_of(&reference, true, &composition_defaults);
    const json_t *expected = json_object_get(reference.expected, "with_signal");
    composition_scratch *scratch;
    ck_assert_int_eq(composition_scratch_create(&scratch, scan), STATUS_OK);
    ck_assert_uint_eq(composition_windows(scan), WINDOWS);
    double sum[WINDOWS] = {0}, squares[WINDOWS] = {0}, t[WINDOWS];
    for (uint64_t toy = 0; toy < TOYS; toy++) {
        composition_toy(scan, scratch, 1, toy, t);
        for (size_t w = 0; w < WINDOWS; w++) {
            sum[w] += t[w];
            squares[w] += t[w] * t[w];
        }
    }
    double pull = 0, ratio = 0;
    for (size_t w = 0; w < WINDOWS; w++) {
        const double mean = sum[w] / TOYS;
        const double sd = sqrt((squares[w] - TOYS * mean * mean) / (TOYS - 1));
        const double their_sd = number_at(json_object_get(expected, "null_sd"), w);
        const double error = their_sd * sqrt(1. / TOYS + 1. / 1500);
        const double z = (mean - number_at(json_object_get(expected, "null_mean"), w)) / error;
        ck_assert_double_lt(fabs(z), 4.5);
        pull += z / WINDOWS;
        ratio += sd / their_sd / WINDOWS;
    }
    /* Windows overlap, so that their mean pull scatters almost as much as one of them; the spread
     * of a spread is 4 % for 400 toys of these skewed statistics, 3 % for the reference. */
    ck_assert_double_lt(fabs(pull), 2.5);
    ck_assert_double_eq_tol(ratio, 1, 0.06);
    composition_scratch_destroy(&scratch);
    composition_destroy(&scan);
    reference_close(&reference);
}
END_TEST

START_TEST(the_p_value_is_that_of_the_reference)
{
    enum { TOYS = 1500, WINDOWS = 42 };
    static double t[TOYS * WINDOWS], scratch[TOYS + 2 * WINDOWS];
    struct reference reference;
    if (!reference_open(&reference))
        SKIP("no " REFERENCE);
    for (int s = 0; s < 2; s++) {
        composition *scan = scan_of(&reference, s == 1, &composition_defaults);
        const json_t *expected = json_object_get(reference.expected, samples[s]);
        composition_scratch *memory;
        double observed[WINDOWS];
        ck_assert_int_eq(composition_scratch_create(&memory, scan), STATUS_OK);
        composition_observed(scan, memory, observed);
        for (uint64_t toy = 0; toy < TOYS; toy++)
            composition_toy(scan, memory, 1, toy, t + toy * WINDOWS);
        struct toy_null null;
        toy_null_test(TOYS, WINDOWS, observed, t, scratch, &null);
        const struct composition_window window = composition_window(scan, null.largest);
        const json_t *largest = json_object_get(expected, "window");
        const json_t *moments = json_object_get(expected, "S_null");
        ck_assert_uint_eq(window.first, (uint32_t)number_at(largest, 0));
        ck_assert_uint_eq(window.bins, (uint32_t)number_at(largest, 1));
        /* The noise of 1,500 toys on either side: S to about 0.1 each, the share of toys to
         * sqrt(p (1 - p) / 1500) each, S itself included. */
        const double p = json_number_value(json_object_get(expected, "p"));
        ck_assert_double_eq_tol(null.s, json_number_value(json_object_get(expected, "S")), 0.2);
        ck_assert_double_eq_tol(null.mean, number_at(moments, 0), 0.12);
        ck_assert_double_eq_tol(null.sd, number_at(moments, 1), 0.1);
        ck_assert_double_eq_tol(log(null.p_toys), log(p), 0.35);
        ck_assert(!null.extrapolated);
        composition_scratch_destroy(&memory);
        composition_destroy(&scan);
    }
    reference_close(&reference);
}
END_TEST

/* n events of two members with labels of two clusters at random, bins falling like a spectrum. */
static composition *drawn(size_t n, uint32_t clusters, uint32_t n_bins)
{
    struct random_state random;
    random_init(&random, 3, 1, 4);
    composition *scan;
    ck_assert_int_eq(composition_create(&scan, &composition_defaults, 2, clusters, n_bins),
                     STATUS_OK);
    int32_t *bin = malloc(n * sizeof *bin);
    uint16_t *label = malloc(4 * n * sizeof *label);
    for (size_t e = 0; e < n; e++) {
        const double u = random_uniform(&random);
        bin[e] = (int32_t)(u * u * n_bins);
    }
    for (size_t i = 0; i < 4 * n; i++)
        label[i] = (uint16_t)random_below(&random, clusters);
    ck_assert_int_eq(composition_add(scan, n, bin, label), STATUS_OK);
    free(bin);
    free(label);
    return scan;
}

START_TEST(a_toy_depends_on_seed_and_number_alone)
{
    composition *scan = drawn(3001, 5, 9);
    ck_assert_int_eq(composition_prepare(scan, composition_events(scan)), STATUS_OK);
    composition_scratch *one, *other;
    ck_assert_int_eq(composition_scratch_create(&one, scan), STATUS_OK);
    ck_assert_int_eq(composition_scratch_create(&other, scan), STATUS_OK);
    double a[64], b[64];
    const size_t size = composition_windows(scan) * sizeof *a;
    composition_toy(scan, one, 7, 12, a);
    composition_toy(scan, other, 7, 13, b);
    ck_assert_mem_ne(a, b, size);
    composition_observed(scan, other, b);
    ck_assert_mem_ne(a, b, size);
    composition_toy(scan, other, 7, 12, b);
    ck_assert_mem_eq(a, b, size);
    composition_toy(scan, other, 8, 12, b);
    ck_assert_mem_ne(a, b, size);
    composition_scratch_destroy(&one);
    composition_scratch_destroy(&other);
    composition_destroy(&scan);
}
END_TEST

START_TEST(the_events_before_a_slice_are_scanned_as_if_no_others_had_come)
{
    composition *all = drawn(3001, 5, 9);
    double first[64], again[64];
    for (int more = 0; more < 2; more++) {
        double *t = more ? again : first;
        if (more) {
            int32_t bin[100];
            uint16_t label[400];
            for (size_t e = 0; e < 100; e++)
                bin[e] = 3;
            memset(label, 0, sizeof label);
            ck_assert_int_eq(composition_add(all, 100, bin, label), STATUS_OK);
        }
        ck_assert_int_eq(composition_prepare(all, 2000), STATUS_OK);
        composition_scratch *scratch;
        ck_assert_int_eq(composition_scratch_create(&scratch, all), STATUS_OK);
        composition_observed(all, scratch, t);
        composition_toy(all, scratch, 7, 1, t + composition_windows(all));
        composition_scratch_destroy(&scratch);
    }
    ck_assert_mem_eq(first, again, 2 * composition_windows(all) * sizeof *first);
    composition_destroy(&all);
}
END_TEST

START_TEST(a_resonance_in_one_class_has_the_largest_statistic_in_its_window)
{
    enum { SIGNAL = 60 };
    composition *scan = drawn(20000, 5, 12);
    int32_t bin[SIGNAL];
    uint16_t label[4 * SIGNAL];
    for (size_t e = 0; e < SIGNAL; e++)
        bin[e] = 6 + (int32_t)(e % 2);
    for (size_t i = 0; i < 4 * SIGNAL; i++)
        label[i] = 4;
    double before[64], after[64];
    composition_scratch *scratch;
    for (int add = 0; add < 2; add++) {
        if (add)
            ck_assert_int_eq(composition_add(scan, SIGNAL, bin, label), STATUS_OK);
        ck_assert_int_eq(composition_prepare(scan, composition_events(scan)), STATUS_OK);
        ck_assert_int_eq(composition_scratch_create(&scratch, scan), STATUS_OK);
        composition_observed(scan, scratch, add ? after : before);
        composition_scratch_destroy(&scratch);
    }
    size_t most = 0;
    for (size_t w = 0; w < composition_windows(scan); w++)
        if (after[w] - before[w] > after[most] - before[most])
            most = w;
    ck_assert_uint_eq(composition_window(scan, most).first, 6);
    ck_assert_uint_eq(composition_window(scan, most).bins, 2);
    ck_assert_uint_eq(composition_events(scan), 20060);
    composition_destroy(&scan);
}
END_TEST

START_TEST(windows_that_cannot_be_predicted_are_left_out)
{
    composition *scan = drawn(500, 3, 6); /* of 4 bins: 2 are left outside */
    ck_assert_int_eq(composition_prepare(scan, composition_events(scan)), STATUS_OK);
    ck_assert_uint_eq(composition_windows(scan), 5 + 4);
    composition_destroy(&scan);
    scan = drawn(500, 3, 4); /* 2 of 4 bins are inside */
    ck_assert_int_eq(composition_prepare(scan, composition_events(scan)), STATUS_BAD_SHAPE);
    composition_destroy(&scan);
    scan = drawn(0, 3, 16);
    ck_assert_int_eq(composition_prepare(scan, composition_events(scan)), STATUS_BAD_SHAPE);
    composition_destroy(&scan);
}
END_TEST

START_TEST(one_cluster_has_nothing_to_compare_and_no_number_is_undefined)
{
    composition *scan = drawn(2000, 1, 16);
    ck_assert_int_eq(composition_prepare(scan, composition_events(scan)), STATUS_OK);
    ck_assert_uint_eq(composition_classes_of(scan, 0), 2); /* the pooled one is empty */
    composition_scratch *scratch;
    double t[64];
    ck_assert_int_eq(composition_scratch_create(&scratch, scan), STATUS_OK);
    /* Every share is 1, so there is no excess: ln(1 + odds) of both classes. */
    const double nothing = 2 * log1p(0.02 / 0.98 / sqrt(17));
    composition_observed(scan, scratch, t);
    for (size_t w = 0; w < composition_windows(scan); w++)
        ck_assert_double_eq_tol(t[w], nothing, 1e-9);
    for (uint64_t toy = 0; toy < 20; toy++) {
        composition_toy(scan, scratch, 1, toy, t);
        for (size_t w = 0; w < composition_windows(scan); w++)
            ck_assert_double_eq_tol(t[w], nothing, 1e-9);
    }
    composition_scratch_destroy(&scratch);
    composition_destroy(&scan);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("composition");
    tcase_add_test(cases, the_statistic_of_every_window_is_that_of_the_reference);
    tcase_add_test(cases, classes_and_flows_are_those_of_the_reference);
    tcase_add_test(cases, toys_have_the_mean_and_spread_of_the_reference);
    tcase_add_test(cases, the_p_value_is_that_of_the_reference);
    tcase_add_test(cases, a_toy_depends_on_seed_and_number_alone);
    tcase_add_test(cases, the_events_before_a_slice_are_scanned_as_if_no_others_had_come);
    tcase_add_test(cases, a_resonance_in_one_class_has_the_largest_statistic_in_its_window);
    tcase_add_test(cases, windows_that_cannot_be_predicted_are_left_out);
    tcase_add_test(cases, one_cluster_has_nothing_to_compare_and_no_number_is_undefined);
    return run_case(cases, "composition");
}
