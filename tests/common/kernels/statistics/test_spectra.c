/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spectra: bins and their edges, counting, and the hash of an event's name. */
#include "common/kernels/statistics/mass_bins.h"
#include "common/kernels/statistics/spectra.h"

#include <math.h>

#include "tests/support/check_main.h"

START_TEST(the_papers_bins_have_the_papers_edges)
{
    const struct mass_bins bins = {3000, 4600, 16};
    for (uint32_t i = 0; i <= 16; i++) /* numpy.linspace(3000, 4600, 17): all exact */
        ck_assert_double_eq(mass_bins_edge(&bins, i), 3000 + 100.0 * i);
    ck_assert_int_eq(mass_bins_find(&bins, 3000), 0);
    ck_assert_int_eq(mass_bins_find(&bins, 3157.5), 1);
    ck_assert_int_eq(mass_bins_find(&bins, 4599.999), 15);
}
END_TEST

START_TEST(masses_outside_have_no_bin)
{
    const struct mass_bins bins = {3000, 4600, 16};
    ck_assert_int_eq(mass_bins_find(&bins, nextafter(3000, 0)), -1);
    ck_assert_int_eq(mass_bins_find(&bins, 4600), -1);
    ck_assert_int_eq(mass_bins_find(&bins, -INFINITY), -1);
    ck_assert_int_eq(mass_bins_find(&bins, INFINITY), -1);
    ck_assert_int_eq(mass_bins_find(&bins, NAN), -1);
}
END_TEST

START_TEST(a_mass_on_an_edge_belongs_to_the_upper_bin_however_odd_the_edges)
{
    /* Widths that have no finite binary form, where a rounded quotient goes wrong. */
    static const struct mass_bins odd[] = {
        {0.1, 0.7, 6}, {2616.58291457, 6016.58291457, 199}, {1e-3, 1, 997}, {-1, 1, 7}};
    for (size_t s = 0; s < sizeof odd / sizeof *odd; s++)
        for (uint32_t i = 0; i < odd[s].n; i++) {
            const double edge = mass_bins_edge(&odd[s], i);
            const double next = mass_bins_edge(&odd[s], i + 1);
            ck_assert_int_eq(mass_bins_find(&odd[s], edge), (int32_t)i);
            ck_assert_int_eq(mass_bins_find(&odd[s], nextafter(next, edge)), (int32_t)i);
        }
    ck_assert_double_eq(mass_bins_edge(&odd[1], 199), 6016.58291457);
}
END_TEST

START_TEST(an_event_adds_two_jets_and_its_truth)
{
    enum { K = 3, BINS = 5 };
    static const uint16_t label[8] = {0, 2, 1, 1, 0, 0, 2, 0};
    static const int32_t bin[4] = {4, 0, -1, 4};
    static const int8_t truth[4] = {1, 0, 1, -1};
    uint64_t counts[K][BINS] = {{0}}, signal[K][BINS] = {{0}};
    counts[0][4] = 10; /* what stood there stays */
    spectra_add(4, label, bin, truth, BINS, &counts[0][0], &signal[0][0]);
    ck_assert_uint_eq(counts[0][4], 12);
    ck_assert_uint_eq(counts[2][4], 2);
    ck_assert_uint_eq(counts[1][0], 2);
    ck_assert_uint_eq(signal[0][4], 1);
    ck_assert_uint_eq(signal[2][4], 1);
    uint64_t sum = 0, sum_signal = 0;
    for (size_t i = 0; i < K; i++)
        for (size_t b = 0; b < BINS; b++) {
            sum += counts[i][b];
            sum_signal += signal[i][b];
        }
    ck_assert_uint_eq(sum, 16);
    ck_assert_uint_eq(sum_signal, 2);
}
END_TEST

START_TEST(without_truth_the_signal_counts_stay)
{
    static const uint16_t label[2] = {1, 0};
    static const int32_t bin[1] = {0};
    uint64_t counts[2] = {0}, signal[2] = {7, 7};
    spectra_add(1, label, bin, NULL, 1, counts, signal);
    ck_assert_uint_eq(counts[0], 1);
    ck_assert_uint_eq(counts[1], 1);
    ck_assert_uint_eq(signal[0], 7);
    ck_assert_uint_eq(signal[1], 7);
}
END_TEST

START_TEST(the_hash_is_the_twice_mixed_one)
{
    /* A Python version of splitmix64's finaliser, itself checked on the generator's known first
     * output 0xe220a8397b1dcdaf for seed 0. */
    ck_assert_uint_eq(spectra_event_hash(0, 0), UINT64_C(0x48218226ff3cd4bf));
    ck_assert_uint_eq(spectra_event_hash(1, 0), UINT64_C(0xdce423fc82c0d5b8));
    ck_assert_uint_eq(spectra_event_hash(0, 1), UINT64_C(0x9e0160293a33aaf7));
    ck_assert_uint_eq(spectra_event_hash(3, 123456789012), UINT64_C(0x299a58ee8ad8c71e));
}
END_TEST

START_TEST(one_event_more_or_twice_shows_in_the_digest)
{
    uint64_t digest = 0, backwards = 0;
    for (uint64_t row = 0; row < 1001; row++)
        digest += spectra_event_hash(2, row);
    for (uint64_t row = 1001; row-- > 0;)
        backwards += spectra_event_hash(2, row);
    ck_assert_uint_eq(digest, backwards);
    const uint64_t swapped = digest - spectra_event_hash(2, 7) + spectra_event_hash(2, 8);
    ck_assert_uint_ne(digest, swapped);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("spectra");
    tcase_add_test(cases, the_papers_bins_have_the_papers_edges);
    tcase_add_test(cases, masses_outside_have_no_bin);
    tcase_add_test(cases, a_mass_on_an_edge_belongs_to_the_upper_bin_however_odd_the_edges);
    tcase_add_test(cases, an_event_adds_two_jets_and_its_truth);
    tcase_add_test(cases, without_truth_the_signal_counts_stay);
    tcase_add_test(cases, the_hash_is_the_twice_mixed_one);
    tcase_add_test(cases, one_event_more_or_twice_shows_in_the_digest);
    return run_case(cases, "spectra");
}
