/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recombine: momenta and directions against the C library in long double, and the order of pT. */
#include "common/kernels/jets/recombine.h"

#include <float.h>
#include <math.h>

#include "common/base/random.h"
#include "common/kernels/jets/pt_order.h"
#include "tests/support/check_main.h"

enum { N = 1999 };

static recombination *all;
static struct random_state rng;

static void start(void)
{
    ck_assert_int_eq(recombination_create(&all, RECOMBINE_KT, 1.5, instruction_set_best()),
                     STATUS_OK);
    random_init(&rng, 3, 5, 7);
}

static void stop(void)
{
    recombination_destroy(&all);
    ck_assert_ptr_null(all);
    recombination_destroy(&all);
    recombination_destroy(NULL);
}

static double between(double low, double high)
{
    return low + (high - low) * random_uniform(&rng);
}

/* Units in the last place of what is expected, which for doubles is 2^-53 to 2^-52 of it. */
static double units_off(double found, long double expected)
{
    return (double)(fabsl((long double)found - expected) / (fabsl(expected) * DBL_EPSILON));
}

/* Float32 values of all sizes, among them those nearest to quarter turns and zero. */
static double angle(size_t i)
{
    static const double special[] = {0,         1e-30,    1.5707964, -1.5707963,
                                     3.1415927, 4.712389, -6.2831854};
    if (i < sizeof special / sizeof *special)
        return (double)(float)special[i];
    const double size = i % 2 == 0 ? between(0, 6.2831853) : pow(10, between(-8, 0.79));
    return (double)(float)(i % 3 == 0 ? -size : size);
}

static double pseudorapidity(size_t i)
{
    static const double special[] = {0, 10, -10, 1e-30, 0.34657359, -0.34657359, 0.6931472};
    if (i < sizeof special / sizeof *special)
        return (double)(float)special[i];
    const double size = i % 2 == 0 ? between(0, 10) : pow(10, between(-8, 1));
    return (double)(float)(i % 3 == 0 ? size : -size);
}

START_TEST(momenta_of_particles_are_exact_to_two_units)
{
    struct recombine_momenta *momenta = &all->momenta;
    for (int round = 0; round < 20; round++) {
        double eta[N], phi[N];
        for (size_t i = 0; i < N; i++) {
            momenta->pt[i] = 1; /* a product more would be a rounding more */
            momenta->rapidity[i] = eta[i] = pseudorapidity(i);
            momenta->phi[i] = phi[i] = angle(i);
        }
        recombination_complete(all, N);
        for (size_t i = 0; i < N; i++) {
            const long double y = (long double)eta[i], f = (long double)phi[i];
            ck_assert_double_le(units_off(momenta->e[i], coshl(y)), 2);
            if (y == 0)
                ck_assert_double_eq(momenta->pz[i], 0);
            else
                ck_assert_double_le(units_off(momenta->pz[i], sinhl(y)), 2);
            ck_assert_double_le(units_off(momenta->px[i], cosl(f)), 2);
            if (f == 0)
                ck_assert_double_eq(momenta->py[i], 0);
            else
                ck_assert_double_le(units_off(momenta->py[i], sinl(f)), 2);
        }
    }
}
END_TEST

START_TEST(azimuths_come_to_lie_in_one_turn)
{
    static const double phi[] = {0, -1e-30, -0.5, 6.2831853, -6.2831853, 7, -7, 1e6, -1e9, 3e38};
    enum { ANGLES = sizeof phi / sizeof *phi };
    struct recombine_momenta *momenta = &all->momenta;
    for (size_t i = 0; i < ANGLES; i++) {
        momenta->pt[i] = 1;
        momenta->rapidity[i] = 0;
        momenta->phi[i] = phi[i];
    }
    recombination_complete(all, ANGLES);
    for (size_t i = 0; i < ANGLES; i++) {
        const double found = momenta->phi[i];
        ck_assert_double_ge(found, 0);
        ck_assert_double_le(found, 2 * M_PI);
        ck_assert_double_eq_tol(cos(found), cos(phi[i]), 1e-15);
        ck_assert_double_eq_tol(sin(found), sin(phi[i]), 1e-15);
        ck_assert_double_eq_tol(momenta->px[i], cos(phi[i]), 1e-15);
        ck_assert_double_eq_tol(momenta->py[i], sin(phi[i]), 1e-15);
    }
}
END_TEST

/* Two that surely merge: one somewhere, and a harder one, at times nearly alike, in its R. */
static void make_pair(size_t i, double eta, double phi)
{
    struct recombine_momenta *momenta = &all->momenta;
    const double apart = i % 4 == 0 ? 1e-9 : 0.9;
    momenta->pt[0] = pow(10, between(-2, 3));
    momenta->pt[1] = momenta->pt[0] * (1 + between(0, 2));
    for (int k = 0; k < 2; k++) {
        momenta->rapidity[k] = eta + (k == 0 ? 0 : apart * between(-1, 1));
        momenta->phi[k] = phi + (k == 0 ? 0 : apart * between(-1, 1));
    }
}

START_TEST(directions_of_sums_are_exact_to_two_units)
{
    for (size_t i = 0; i < 100000; i++) {
        size_t sum;
        make_pair(i, pseudorapidity(i % N) * 0.9, between(0, 2 * M_PI));
        recombination_complete(all, 2);
        recombination_start(all, 2);
        ck_assert(!recombination_step(all, &sum));
        ck_assert_uint_eq(sum, 2);
        const struct momentum p = recombination_momentum(all, sum);
        const struct recombine_slots *slots = &all->slots;
        const double phi = slots->phi[slots->sorted];
        long double expected = atan2l((long double)p.py, (long double)p.px);
        if (expected < 0)
            expected += 2 * acosl(-1);
        ck_assert_double_ge(phi, 0);
        ck_assert_double_lt(phi, 2 * M_PI);
        /* Just above 0 the last place is that of 2 pi, or of what was taken from it. */
        ck_assert_double_le(fabs(phi - (double)expected), 2 * DBL_EPSILON * fmax(phi, 0.1));
        /* Of what the sum itself has, with its own roundings. */
        const double pt2 = p.px * p.px + p.py * p.py;
        const double m2 = fmax(0, (p.e + p.pz) * (p.e - p.pz) - pt2);
        const double high = (p.e + fabs(p.pz)) * (p.e + fabs(p.pz));
        const double size = (double)(logl((long double)high / (long double)(pt2 + m2)) / 2);
        const double y = slots->rapidity[slots->sorted];
        ck_assert_double_le(fabs(y - copysign(size, p.pz)), 2 * DBL_EPSILON * fmax(fabs(y), 1e-3));
    }
}
END_TEST

START_TEST(particles_are_ordered_by_pt_and_equals_by_their_place)
{
    static float pt[RECOMBINE_MAX];
    static uint32_t order[RECOMBINE_MAX], spare[RECOMBINE_MAX];
    for (size_t n = 0; n <= RECOMBINE_MAX; n = n < 20 ? n + 1 : 3 * n / 2 + 1) {
        for (size_t i = 0; i < n; i++)
            pt[i] = i % 7 == 0   ? 2.5f
                    : i % 7 == 1 ? 1e-45f
                    : i % 7 == 2 ? FLT_MAX
                                 : (float)pow(10, between(-3, 3));
        pt_order(n, pt, order, spare);
        uint64_t sum = 0;
        for (size_t i = 0; i < n; i++) {
            sum += order[i];
            if (i > 0)
                ck_assert(pt[order[i - 1]] > pt[order[i]] ||
                          (pt[order[i - 1]] == pt[order[i]] && order[i - 1] < order[i]));
        }
        /* Strictly ordered, so no two alike: with this sum, each once. */
        ck_assert_uint_eq(sum, n < 1 ? 0 : n * (n - 1) / 2);
    }
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("recombine");
    tcase_add_checked_fixture(cases, start, stop);
    tcase_add_test(cases, momenta_of_particles_are_exact_to_two_units);
    tcase_add_test(cases, azimuths_come_to_lie_in_one_turn);
    tcase_add_test(cases, directions_of_sums_are_exact_to_two_units);
    tcase_add_test(cases, particles_are_ordered_by_pt_and_equals_by_their_place);
    return run_case(cases, "recombine");
}
