/* SPDX-License-Identifier: GPL-3.0-or-later */
/* toy: the same event under the same number, and shapes like those of real events. */
#include "common/kernels/toy/toy.h"

#include <math.h>
#include <string.h>

#include "common/kernels/image/image.h"
#include "common/kernels/jets/jets.h"
#include "tests/support/check_main.h"

struct event {
    size_t n;
    float pt[TOY_PARTICLES_MAX], eta[TOY_PARTICLES_MAX], phi[TOY_PARTICLES_MAX];
};

static void make(toy *maker, uint64_t number, int signal, struct event *out)
{
    memset(out, 0, sizeof *out);
    out->n = toy_event(maker, number, signal, out->pt, out->eta, out->phi);
}

/* --- names and ranges --- */

static toy *open_toy(uint64_t seed)
{
    toy *maker;
    ck_assert_int_eq(toy_create(&maker, &toy_defaults, seed), STATUS_OK);
    return maker;
}

START_TEST(an_event_is_the_same_whatever_was_made_before)
{
    toy *one = open_toy(5), *other = open_toy(5);
    static struct event forward[2][31], again;
    for (int signal = 0; signal < 2; signal++)
        for (uint64_t i = 0; i < 31; i++)
            make(one, i, signal, &forward[signal][i]);
    for (uint64_t i = 31; i-- > 0;)
        for (int signal = 0; signal < 2; signal++) {
            make(other, i, signal, &again);
            ck_assert_mem_eq(&again, &forward[signal][i], sizeof again);
        }
    toy_destroy(&one);
    toy_destroy(&other);
    ck_assert_ptr_null(one);
    toy_destroy(&one);
    toy_destroy(NULL);
}
END_TEST

START_TEST(another_number_kind_or_seed_is_another_event)
{
    toy *one = open_toy(5), *other = open_toy(6);
    static struct event first, second;
    make(one, 3, 0, &first);
    make(one, 4, 0, &second);
    ck_assert_mem_ne(&first, &second, sizeof first);
    make(one, 3, 1, &second);
    ck_assert_mem_ne(&first, &second, sizeof first);
    make(other, 3, 0, &second);
    ck_assert_mem_ne(&first, &second, sizeof first);
    toy_destroy(&one);
    toy_destroy(&other);
}
END_TEST

START_TEST(particles_stay_in_their_ranges)
{
    toy *maker = open_toy(1);
    static struct event event;
    for (uint64_t number = 0; number < 4001; number++) {
        make(maker, number, number % 2, &event);
        ck_assert_uint_gt(event.n, 20);
        ck_assert_uint_le(event.n, TOY_PARTICLES_MAX);
        for (size_t i = 0; i < event.n; i++) {
            ck_assert(event.pt[i] > 0 && event.pt[i] < 6500);
            ck_assert(fabsf(event.eta[i]) < 5);
            ck_assert(event.phi[i] >= 0 && (double)event.phi[i] < 2 * M_PI);
        }
    }
    toy_destroy(&maker);
}
END_TEST

START_TEST(other_masses_may_be_asked_for)
{
    const struct toy_settings settings = {1500, 1510, 2000, {900, 1099}, 0.02}; /* near threshold */
    toy *maker;
    ck_assert_int_eq(toy_create(&maker, &settings, 1), STATUS_OK);
    static struct event event;
    double sum = 0;
    for (uint64_t number = 0; number < 101; number++) {
        make(maker, number, 1, &event);
        make(maker, number, 0, &event);
        for (size_t i = 0; i < event.n; i++)
            sum += (double)event.pt[i];
    }
    /* Two partons of m / 2 with |y*| below 0.6 have together between m / 1.19 and m of pT; the
     * haze (40 particles of 1.5 GeV) adds 60 GeV. */
    ck_assert_double_gt(sum / 101, 1500 / 1.19);
    ck_assert_double_lt(sum / 101, 1510 + 60);
    toy_destroy(&maker);
}
END_TEST

/* --- shapes, of one sample that is clustered once --- */

enum { EVENTS = 5003 };

struct sample {
    size_t dijets;
    size_t jets;
    double m_jj[EVENTS];
    double mass[2 * EVENTS];
    double lit[2 * EVENTS];
    double constituents[2 * EVENTS];
};

static struct sample background, signal;

static void add_event(struct sample *self, const struct dijet *dijet, image_maker *images,
                      const struct event *event)
{
    uint16_t pixel[IMAGE_CONSTITUENTS_MAX];
    float intensity[IMAGE_CONSTITUENTS_MAX];
    self->m_jj[self->dijets++] = dijet->m_jj;
    for (int j = 0; j < 2; j++) {
        const struct jet *jet = &dijet->jet[j];
        self->mass[self->jets] = jet->mass;
        self->constituents[self->jets] = (double)jet->n;
        self->lit[self->jets] = (double)image_make(images, jet->n, jet->constituent, event->pt,
                                                   event->eta, event->phi, pixel, intensity);
        self->jets++;
    }
}

static void cluster(void)
{
    toy *maker = open_toy(11);
    jet_finder *finder;
    image_maker *images;
    ck_assert_int_eq(jet_finder_create(&finder, JET_ENGINE_NATIVE, 1, 20), STATUS_OK);
    ck_assert_int_eq(image_maker_create(&images, 40, 0.8), STATUS_OK);
    static struct event event;
    struct dijet dijet;
    for (uint64_t i = 0; i < 2 * EVENTS; i++) {
        make(maker, i / 2, i % 2, &event);
        if (jet_finder_find(finder, event.n, event.pt, event.eta, event.phi, &dijet) ==
            DROP_REASONS)
            add_event(i % 2 ? &signal : &background, &dijet, images, &event);
    }
    image_maker_destroy(&images);
    jet_finder_destroy(&finder);
    toy_destroy(&maker);
}

static double mean(size_t n, const double x[])
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double spread(size_t n, const double x[])
{
    const double centre = mean(n, x);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - centre) * (x[i] - centre);
    return sqrt(sum / (double)n);
}

static double share(size_t n, const double x[], double lo, double hi)
{
    size_t inside = 0;
    for (size_t i = 0; i < n; i++)
        inside += x[i] >= lo && x[i] < hi;
    return (double)inside / (double)n;
}

static void check_within_factor(double found, double expected, double factor)
{
    ck_assert_double_lt(found, expected * factor);
    ck_assert_double_gt(found, expected / factor);
}

START_TEST(nearly_every_event_has_two_jets)
{
    ck_assert_double_gt((double)background.dijets, 0.99 * EVENTS);
    ck_assert_double_gt((double)signal.dijets, 0.99 * EVENTS);
}
END_TEST

START_TEST(images_are_lit_like_real_ones)
{
    /* LHC Olympics R&D data, first 1,000 events: 35.8 +- 20.8 and 28.1 +- 15.9 pixels */
    check_within_factor(mean(background.jets, background.lit), 35.8, 1.25);
    check_within_factor(spread(background.jets, background.lit), 20.8, 1.25);
    check_within_factor(mean(signal.jets, signal.lit), 28.1, 1.25);
    check_within_factor(spread(signal.jets, signal.lit), 15.9, 1.25);
    /* 40 to 70 particles a jet */
    check_within_factor(mean(background.jets, background.constituents), 53, 1.32);
    check_within_factor(mean(signal.jets, signal.constituents), 53, 1.32);
}
END_TEST

START_TEST(background_jets_have_the_masses_of_showers)
{
    ck_assert_double_gt(share(background.jets, background.mass, 50, 400), 0.75);
    ck_assert_double_lt(share(background.jets, background.mass, 0, 20), 0.02);
    ck_assert_double_lt(share(background.jets, background.mass, 800, 1e9), 0.02);
}
END_TEST

START_TEST(the_background_falls_as_published_without_a_bump)
{
    /* method, section 8: expected background per 100 GeV from 3000 GeV on, 4-parameter optimum of
     * the LHC Olympics data (shape only: scaled to what is found here) */
    static const double published[16] = {56366.3, 49215.8, 42834.9, 37176.8, 32187.0, 27807.1,
                                         23978.3, 20643.1, 17746.7, 15238.1, 13070.3, 11200.9,
                                         9591.6,  8208.3,  7020.7,  6002.4};
    const double n = (double)background.dijets;
    const double all = share(background.dijets, background.m_jj, 3000, 4600) * n;
    const double scale = all / (16 * mean(16, published));
    ck_assert_double_gt(all, 0.6 * n);
    double chi2 = 0;
    for (int b = 0; b < 16; b++) {
        const double lo = 3000 + 100 * b, expected = scale * published[b];
        const double found = share(background.dijets, background.m_jj, lo, lo + 100) * n;
        chi2 += (found - expected) * (found - expected) / expected;
    }
    ck_assert_double_lt(chi2, 30.6); /* 1 % point of 15 degrees of freedom (scipy.stats.chi2) */
}
END_TEST

START_TEST(the_signal_peaks_at_its_mass)
{
    const double half = share(signal.dijets, signal.m_jj, 0, 3500);
    ck_assert(half > 0.3 && half < 0.7);
    ck_assert_double_gt(share(signal.dijets, signal.m_jj, 3300, 3700), 0.9);
    ck_assert_double_gt(share(signal.dijets, signal.m_jj, 3400, 3600), 0.6);
}
END_TEST

START_TEST(the_signals_jets_are_its_prongs)
{
    /* one jet of 500 and one of 100 GeV an event; some lose a prong, all gain some mass */
    ck_assert_double_gt(share(signal.jets, signal.mass, 450, 600), 0.35);
    ck_assert_double_gt(share(signal.jets, signal.mass, 90, 150), 0.4);
    ck_assert_double_lt(share(signal.jets, signal.mass, 200, 400), 0.1);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("toy");
    tcase_add_unchecked_fixture(cases, cluster, NULL);
    tcase_add_test(cases, an_event_is_the_same_whatever_was_made_before);
    tcase_add_test(cases, another_number_kind_or_seed_is_another_event);
    tcase_add_test(cases, particles_stay_in_their_ranges);
    tcase_add_test(cases, other_masses_may_be_asked_for);
    tcase_add_test(cases, nearly_every_event_has_two_jets);
    tcase_add_test(cases, images_are_lit_like_real_ones);
    tcase_add_test(cases, background_jets_have_the_masses_of_showers);
    tcase_add_test(cases, the_background_falls_as_published_without_a_bump);
    tcase_add_test(cases, the_signal_peaks_at_its_mass);
    tcase_add_test(cases, the_signals_jets_are_its_prongs);
    return run_case(cases, "toy");
}
