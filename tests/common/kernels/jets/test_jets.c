/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jets: against a naive pairwise clustering, closed formulas, and what must be refused. */
#include "common/kernels/jets/jets.h"

#include <math.h>
#include <string.h>

#include "tests/support/check_main.h"

enum { N = 41 };

static jet_finder *finder;
static struct dijet dijet;

static void start(void)
{
    ck_assert_int_eq(jet_finder_create(&finder, JET_ENGINE_NATIVE, 1.0, 20), STATUS_OK);
}

static void stop(void)
{
    jet_finder_destroy(&finder);
    ck_assert_ptr_null(finder);
    jet_finder_destroy(&finder);
    jet_finder_destroy(NULL);
}

/* Two broad jets, one of them across phi = 0, and some smaller ones; phi in no particular range. */
static void wheel(float pt[N], float eta[N], float phi[N])
{
    for (int k = 0; k < N; k++) {
        const double i = k;
        pt[k] = (float)(700 / pow(1 + k % 17, 1.4));
        eta[k] = (float)(0.8 * sin(1.7 * i * i) + 0.1);
        phi[k] = (float)((k % 2 ? 3.05 : 0.02) + 0.7 * sin(2.3 * i));
    }
}

/* Of the wheel, from a naive O(N^3) anti-kT and kT in numpy, which agreed with FastJet on 60
 * random events as well. Far above their rounding, far below any difference in jets. */
static const double tolerance = 1e-9;

static void check_jet(size_t j, const double expected[7], size_t n, const uint32_t constituents[])
{
    const struct jet *found = &dijet.jet[j];
    double values[7] = {found->pt, found->eta, found->phi, found->mass};
    jet_finder_subjettiness(finder, j, values + 4);
    for (int i = 0; i < 7; i++)
        ck_assert_double_eq_tol(values[i], expected[i], tolerance * fabs(expected[i]));
    ck_assert_uint_eq(found->n, n);
    ck_assert_mem_eq(found->constituent, constituents, n * sizeof *constituents);
}

static void check_wheel(void)
{
    static const double first[7] = {2078.8601873111375, -0.39181596286815185, 0.07728481750917078,
                                    1040.5885189237085, 0.48425523196294257,  0.24705055234193238,
                                    0.11763911514454066};
    static const double second[7] = {1307.507538313571,  0.784263759993129,  3.5842470674799465,
                                     475.1248221216232,  0.2921455705715618, 0.16789155923588325,
                                     0.11318783108173819};
    static const uint32_t of_first[] = {0, 6, 10, 12, 14, 18, 22, 24, 26, 30, 34, 36, 38, 40};
    static const uint32_t of_second[] = {1, 3, 7, 17, 23, 25, 31, 37, 39};
    ck_assert_double_eq_tol(dijet.m_jj, 4140.972811128316, 4141 * tolerance);
    check_jet(0, first, 14, of_first);
    check_jet(1, second, 9, of_second);
}

START_TEST(the_two_leading_jets_are_those_of_a_naive_clustering)
{
    float pt[N], eta[N], phi[N];
    wheel(pt, eta, phi);
    ck_assert_int_eq(jet_finder_find(finder, N, pt, eta, phi, &dijet), DROP_REASONS);
    check_wheel();
}
END_TEST

START_TEST(an_event_leaves_nothing_to_the_next)
{
    float pt[N], eta[N], phi[N];
    wheel(pt, eta, phi);
    ck_assert_int_eq(jet_finder_find(finder, 13, pt, eta, phi, &dijet), DROP_REASONS);
    ck_assert_int_eq(jet_finder_find(finder, 0, pt, eta, phi, &dijet), DROP_NO_JET);
    ck_assert_int_eq(jet_finder_find(finder, N, pt, eta, phi, &dijet), DROP_REASONS);
    check_wheel();
}
END_TEST

START_TEST(padding_is_skipped_but_keeps_its_index)
{
    float pt[3 * N] = {0}, eta[3 * N], phi[3 * N];
    float few_pt[N], few_eta[N], few_phi[N];
    wheel(few_pt, few_eta, few_phi);
    for (int i = 0; i < 3 * N; i++)
        eta[i] = phi[i] = NAN; /* nobody looks at padding */
    for (int i = 0; i < N; i++) {
        pt[3 * i + 2] = few_pt[i];
        eta[3 * i + 2] = few_eta[i];
        phi[3 * i + 2] = few_phi[i];
    }
    ck_assert_int_eq(jet_finder_find(finder, 3 * N, pt, eta, phi, &dijet), DROP_REASONS);
    ck_assert_uint_eq(dijet.jet[0].n, 14);
    ck_assert_uint_eq(dijet.jet[0].constituent[0], 3 * 0 + 2);
    ck_assert_uint_eq(dijet.jet[0].constituent[13], 3 * 40 + 2);
    ck_assert_uint_eq(dijet.jet[1].constituent[1], 3 * 3 + 2);
    ck_assert_double_eq_tol(dijet.m_jj, 4140.972811128316, 4141 * tolerance);
}
END_TEST

START_TEST(single_particles_are_massless_jets_without_substructure)
{
    static const float pt[2] = {500, 400}, eta[2] = {0.5f, -0.25f}, phi[2] = {0, 3};
    ck_assert_int_eq(jet_finder_find(finder, 2, pt, eta, phi, &dijet), DROP_REASONS);
    for (size_t j = 0; j < 2; j++) {
        const struct jet *jet = &dijet.jet[j];
        double tau[3];
        jet_finder_subjettiness(finder, j, tau);
        ck_assert_double_eq_tol(jet->pt, (double)pt[j], 1e-10);
        ck_assert_double_eq_tol(jet->eta, (double)eta[j], 1e-12);
        ck_assert_double_eq_tol(jet->phi, (double)phi[j], 1e-12);
        ck_assert_double_ge(jet->mass, 0);
        ck_assert_double_lt(jet->mass, 1e-4); /* root of the rounding of E^2, 1e-16 x 3e5 */
        for (int n = 0; n < 3; n++)
            ck_assert_double_eq(tau[n], 0);
        ck_assert_uint_eq(jet->n, 1);
    }
    /* massless: m^2 = 2 pt1 pt2 (cosh d_eta - cos d_phi) */
    ck_assert_double_eq_tol(dijet.m_jj, sqrt(2 * 500. * 400 * (cosh(0.75) - cos(3))), 1e-8);
}
END_TEST

START_TEST(two_particles_merge_with_the_mass_and_tau_of_the_formula)
{
    static const float pt[3] = {100, 300, 350}, eta[3] = {0.25f, -0.25f, 0}, phi[3] = {0, 0, 3};
    ck_assert_int_eq(jet_finder_find(finder, 3, pt, eta, phi, &dijet), DROP_REASONS);
    const struct jet *jet = &dijet.jet[0];
    double tau[3];
    jet_finder_subjettiness(finder, 0, tau);
    ck_assert_uint_eq(jet->n, 2);
    ck_assert_double_eq_tol(jet->mass, sqrt(2 * 100. * 300 * (cosh(0.5) - 1)), 1e-8);
    /* about the jet's own rapidity y: (100 |0.25 - y| + 300 |-0.25 - y|) / 400 */
    const double e = 100 * cosh(0.25) + 300 * cosh(0.25);
    const double pz = 100 * sinh(0.25) - 300 * sinh(0.25);
    const double y = 0.5 * log((e + pz) / (e - pz));
    ck_assert_double_eq_tol(tau[0], (100 * (0.25 - y) + 300 * (0.25 + y)) / 400, 1e-10);
    ck_assert_double_eq(tau[1], 0);
    ck_assert_double_eq(tau[2], 0);
}
END_TEST

START_TEST(particles_further_apart_than_the_radius_stay_apart)
{
    static const float pt[2] = {100, 90}, eta[2] = {0, 0.75f}, phi[2] = {1, 1};
    ck_assert_int_eq(jet_finder_find(finder, 2, pt, eta, phi, &dijet), DROP_ONE_JET);
    jet_finder_destroy(&finder);
    ck_assert_int_eq(jet_finder_create(&finder, JET_ENGINE_NATIVE, 0.7, 20), STATUS_OK);
    ck_assert_int_eq(jet_finder_find(finder, 2, pt, eta, phi, &dijet), DROP_REASONS);
}
END_TEST

START_TEST(soft_jets_do_not_count)
{
    static const float pt[3] = {19.5f, 500, 20.5f}, eta[3] = {0}, phi[3] = {1.5f, 0, 3};
    ck_assert_int_eq(jet_finder_find(finder, 1, pt, eta, phi, &dijet), DROP_NO_JET);
    ck_assert_int_eq(jet_finder_find(finder, 2, pt, eta, phi, &dijet), DROP_ONE_JET);
    ck_assert_int_eq(jet_finder_find(finder, 3, pt, eta, phi, &dijet), DROP_REASONS);
    ck_assert_uint_eq(dijet.jet[1].constituent[0], 2);
}
END_TEST

START_TEST(the_order_of_particles_matters_only_in_rounding)
{
    float pt[N], eta[N], phi[N], pt2[N], eta2[N], phi2[N];
    wheel(pt, eta, phi);
    for (int i = 0; i < N; i++) { /* 41 is prime: every one once */
        pt2[i] = pt[i * 7 % N];
        eta2[i] = eta[i * 7 % N];
        phi2[i] = phi[i * 7 % N];
    }
    ck_assert_int_eq(jet_finder_find(finder, N, pt2, eta2, phi2, &dijet), DROP_REASONS);
    ck_assert_double_eq_tol(dijet.m_jj, 4140.972811128316, 4141 * tolerance);
    double tau[3];
    jet_finder_subjettiness(finder, 0, tau);
    ck_assert_double_eq_tol(tau[2], 0.11763911514454066, tolerance);
    for (size_t i = 1; i < dijet.jet[0].n; i++)
        ck_assert_uint_gt(dijet.jet[0].constituent[i], dijet.jet[0].constituent[i - 1]);
}
END_TEST

START_TEST(what_cannot_be_clustered_is_refused_with_its_reason)
{
    static const struct {
        float pt, eta, phi;
        enum drop_reason reason;
    } wrong[] = {
        {NAN, 0, 0, DROP_NOT_FINITE},       {INFINITY, 0, 0, DROP_NOT_FINITE},
        {-INFINITY, 0, 0, DROP_NOT_FINITE}, {1, NAN, 0, DROP_NOT_FINITE},
        {1, -INFINITY, 0, DROP_NOT_FINITE}, {1, 0, NAN, DROP_NOT_FINITE},
        {1, 0, INFINITY, DROP_NOT_FINITE},  {-1e-30f, 0, 0, DROP_NEGATIVE_PT},
        {1, 10.000001f, 0, DROP_ETA_RANGE}, {1, -11, 0, DROP_ETA_RANGE},
        {-1, 11, 0, DROP_NEGATIVE_PT},      {-1, 11, NAN, DROP_NOT_FINITE},
        {1, 10, 0, DROP_REASONS},           {1, -10, 1e6f, DROP_REASONS},
        {1e-45f, 0, 0, DROP_REASONS},
    };
    float pt[N], eta[N], phi[N];
    for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++)
        for (int place = 0; place < N; place += N - 1) {
            wheel(pt, eta, phi);
            pt[place] = wrong[w].pt;
            eta[place] = wrong[w].eta;
            phi[place] = wrong[w].phi;
            ck_assert_int_eq(jet_finder_find(finder, N, pt, eta, phi, &dijet), wrong[w].reason);
        }
}
END_TEST

START_TEST(of_several_reasons_the_first_in_order_is_given)
{
    float pt[3] = {30, -1, 30}, eta[3] = {11, 0, 0}, phi[3] = {0, 0, NAN};
    ck_assert_int_eq(jet_finder_find(finder, 3, pt, eta, phi, &dijet), DROP_NOT_FINITE);
    ck_assert_int_eq(jet_finder_find(finder, 2, pt, eta, phi, &dijet), DROP_NEGATIVE_PT);
    ck_assert_int_eq(jet_finder_find(finder, 1, pt, eta, phi, &dijet), DROP_ETA_RANGE);
    pt[0] = 0;
    ck_assert_int_eq(jet_finder_find(finder, 1, pt, eta, phi, &dijet), DROP_NO_JET);
}
END_TEST

START_TEST(a_crowded_event_is_clustered_too)
{
    enum { MANY = 4099 };
    static float pt[MANY], eta[MANY], phi[MANY];
    double sum = 0;
    for (int i = 0; i < MANY; i++) {
        pt[i] = (float)(1 + i % 7);
        eta[i] = (float)(3 * sin(1.1 * i * i));
        phi[i] = (float)fmod(2.39996 * i, 6.283);
        sum += (double)pt[i];
    }
    ck_assert_int_eq(jet_finder_find(finder, MANY, pt, eta, phi, &dijet), DROP_REASONS);
    ck_assert_double_ge(dijet.jet[0].pt, dijet.jet[1].pt);
    ck_assert_double_lt(dijet.jet[0].pt + dijet.jet[1].pt, sum);
    /* Equal particles everywhere: a jet of R = 1 holds about pi / (2 pi x 6) of them. */
    ck_assert_double_gt(dijet.jet[1].pt, sum * 0.04);
    double tau[3];
    jet_finder_subjettiness(finder, 0, tau);
    for (int n = 1; n < 3; n++)
        ck_assert_double_le(tau[n], tau[n - 1]);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("jets");
    tcase_add_checked_fixture(cases, start, stop);
    tcase_add_test(cases, the_two_leading_jets_are_those_of_a_naive_clustering);
    tcase_add_test(cases, an_event_leaves_nothing_to_the_next);
    tcase_add_test(cases, padding_is_skipped_but_keeps_its_index);
    tcase_add_test(cases, single_particles_are_massless_jets_without_substructure);
    tcase_add_test(cases, two_particles_merge_with_the_mass_and_tau_of_the_formula);
    tcase_add_test(cases, particles_further_apart_than_the_radius_stay_apart);
    tcase_add_test(cases, soft_jets_do_not_count);
    tcase_add_test(cases, the_order_of_particles_matters_only_in_rounding);
    tcase_add_test(cases, what_cannot_be_clustered_is_refused_with_its_reason);
    tcase_add_test(cases, of_several_reasons_the_first_in_order_is_given);
    tcase_add_test(cases, a_crowded_event_is_clustered_too);
    return run_case(cases, "jets");
}
