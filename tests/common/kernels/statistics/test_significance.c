/* SPDX-License-Identifier: GPL-3.0-or-later */
/* significance: against scipy and sums of fifty digits. */
#include "common/kernels/statistics/significance.h"

#include <math.h>

#include "tests/support/check_main.h"

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static double relative(double found, double expected)
{
    return fabs(found - expected) / fabs(expected);
}

START_TEST(poisson_tails_agree_with_sums_of_fifty_digits)
{
    /* Python's decimal, 50 digits: a series of positive terms after the first one;
     * scipy.stats.poisson.logsf agrees to 1e-13 or so where it is not -inf. */
    static const struct {
        uint64_t n;
        double mu;
        double log_sf;
    } known[] = {
        {0, 1e-3, -6.9082552373154709},
        {0, 1.0, -0.45867514538708187},
        {1, 0.5, -2.4056813913603712},
        {3, 2.0, -1.9457743817619386},
        {7, 6.999, -0.91345186103176623},
        {10, 10.0, -0.87476438593077843},
        {17, 5.5, -10.875830197989076},
        {55, 30.0, -11.157571280894313},
        {140, 95.25, -11.8667965741319},
        {400, 37.0, -595.42004717639918},
        {999, 1000.5, -0.67234366035720838},
        {1200, 1000.0, -21.668743500685082},
        {3000, 1000.0, -1301.4529126247085},
        {5, 1e-3, -48.026640021106601},
        {1000, 1e-3, -12833.700966530594},
        {100000, 99000.0, -7.196504175848939},
        {1000000, 1000000.0, -0.6936792450537248},
        {1000000, 999000.0, -1.8425476896673723},
        {1000000, 900000.0, -5366.1452271214957},
        {1000000, 1.0, -12815533.200168727},
        {1000000, 1e-3, -19723294.387907144},
    };
    for (size_t i = 0; i < LENGTH(known); i++)
        ck_assert_double_lt(relative(poisson_log_sf(known[i].n, known[i].mu), known[i].log_sf),
                            1e-12);
}
END_TEST

START_TEST(gamma_tails_agree_with_scipy_and_exact_sums)
{
    /* scipy.stats.gamma.logsf (SciPy 1.10.1); beyond its range the sum exp(-x) (1 + x + x^2/2) of
     * shape 3, by Python's decimal with 50 digits. */
    static const struct {
        double shape;
        double x;
        double log_sf;
    } known[] = {{4, 20, -12.651197991859789},
                 {0.5, 0.3, -0.8242175443879225},
                 {1, 700, -700.0},
                 {40000, 41000, -14.861369061285638},
                 {3, 3.9, -1.3738714356704171},
                 {3, 4.1, -1.4969400127554204},
                 {3, 200, -190.08651261288554},
                 {3, 10000, -9982.2722664366089},
                 {1e6, 1.001e6, -1.8410218990178857}};
    for (size_t i = 0; i < LENGTH(known); i++)
        ck_assert_double_lt(relative(gamma_log_sf(known[i].shape, known[i].x), known[i].log_sf),
                            1e-12);
    ck_assert_double_lt(relative(gamma_log_sf(12.5, 3), -3.42682733208908e-05), 1e-9);
}
END_TEST

START_TEST(gaussian_tails_agree_with_scipy)
{
    static const double z[] = {-3, 0, 2.5, 8.5, 37, 50};
    static const double log_sf[] = {-0.001350809964748193, -0.6931471805599453,
                                    -5.081648277278691,    -39.19739642821768,
                                    -689.0305855768908,    -1254.8313611394199};
    for (size_t i = 0; i < LENGTH(z); i++) {
        ck_assert_double_lt(relative(gaussian_log_sf(z[i]), log_sf[i]), 1e-12);
        ck_assert_double_eq_tol(gaussian_isf_log(gaussian_log_sf(z[i])), z[i], 1e-9);
    }
}
END_TEST

START_TEST(poisson_tails_of_deficits_agree_too)
{
    /* the same sums, downwards from n, and 1 minus that */
    static const struct {
        uint64_t n;
        double mu;
        double log_sf;
    } known[] = {{0, 20.0, -2.0611536245627349e-09}, {5, 9.0, -0.12294818806522519},
                 {80, 100.0, -0.022909609144473566}, {98, 100.0, -0.59210835882414603},
                 {90, 100.5, -0.17337528397146684},  {990000, 1e6, -6.4777570152898862e-24}};
    for (size_t i = 0; i < LENGTH(known); i++)
        ck_assert_double_lt(relative(poisson_log_sf(known[i].n, known[i].mu), known[i].log_sf),
                            1e-11); /* what is left is exponentiated: absolute error of its log */
}
END_TEST

START_TEST(poisson_tails_fall_with_every_count_and_stay_finite)
{
    static const double mu[] = {1e-300, 1e-3, 0.7, 13.25, 411.5};
    for (size_t m = 0; m < LENGTH(mu); m++)
        for (uint64_t n = 0; n < 1500; n++) {
            const double here = poisson_log_sf(n, mu[m]);
            const double next = poisson_log_sf(n + 1, mu[m]);
            ck_assert_double_finite(next);
            ck_assert(next < here || here > -1e-16); /* far below the mean ln P rounds to 0 */
        }
}
END_TEST

START_TEST(gaussian_quantiles_agree_with_scipy_and_fifty_digits)
{
    /* scipy.special.ndtri_exp above -5; below, Newton on the continued fraction of the Mills
     * ratio in Python's decimal. */
    static const double known[][2] = {
        {-1e-300, -37.0470962993612},  {-1e-20, -9.262340089798409},  {-1e-3, -3.090380786917045},
        {-0.5, -0.27028802073873587},  {-1, 0.33747496376420244},     {-3, 1.6469217205277145},
        {-10, 3.913946240531893217},   {-50, 9.6748252836123569409},  {-700, 37.295079632647414769},
        {-1e4, 141.37983987312716749}, {-1e6, 1414.2077829910174387}, {-1e9, 44721.359290004926152},
    };
    for (size_t i = 0; i < LENGTH(known); i++)
        ck_assert_double_lt(relative(gaussian_isf_log(known[i][0]), known[i][1]), 1e-13);
    /* the middle, where a relative error means nothing */
    ck_assert_double_eq_tol(gaussian_isf_log(log(0.5)), 0, 1e-15);
}
END_TEST

START_TEST(gaussian_quantiles_rise_without_end)
{
    double last = gaussian_isf_log(-1e-320);
    for (double u = 1e-319; u < 1e300; u *= 1.07) {
        const double z = gaussian_isf_log(-u);
        ck_assert_double_finite(z);
        ck_assert_double_gt(z, last);
        last = z;
    }
    ck_assert_double_finite(gaussian_isf_log(-1.7976931348623157e308));
}
END_TEST

START_TEST(overdensities_agree_with_scipy)
{
    /* scipy: norm.isf(poisson.sf(rich, background)), and in 50 digits beyond its reach */
    static const struct {
        uint64_t rich;
        double background;
        double z;
        double tolerance;
    } known[] = {{140, 95.25, 4.343245513074987, 1e-12},
                 {60, 41.5, 2.7830522069664827, 1e-12},
                 {3, 0.5, 2.919739125043247, 1e-12},
                 {20, 8.25, 3.629437584141429, 1e-12},
                 {3000, 1000, 50.923536083512736639, 1e-13},
                 {1000, 100, 52.995602598055739918, 1e-13},
                 {1000000, 900000, 103.54309448185135523, 1e-13}};
    for (size_t i = 0; i < LENGTH(known); i++)
        ck_assert_double_lt(relative(local_significance(known[i].rich, known[i].background,
                                                        MLS_POISSON, MLS_POSITIVE),
                                     known[i].z),
                            known[i].tolerance);
}
END_TEST

START_TEST(deficits_count_only_where_asked_for)
{
    ck_assert_double_eq(local_significance(80, 100, MLS_POISSON, MLS_POSITIVE), 0);
    ck_assert_double_eq(local_significance(80, 100, MLS_GAUSSIAN, MLS_POSITIVE), 0);
    ck_assert_double_eq(local_significance(80, 100, MLS_GAUSSIAN, MLS_ABSOLUTE), 2);
    ck_assert_double_eq(local_significance(120, 100, MLS_GAUSSIAN, MLS_ABSOLUTE), 2);
    /* scipy: -norm.ppf(poisson.cdf(80, 100)) and (5, 9) */
    ck_assert_double_lt(
        relative(local_significance(80, 100, MLS_POISSON, MLS_ABSOLUTE), 2.0018733617022466),
        1e-12);
    ck_assert_double_lt(
        relative(local_significance(5, 9, MLS_POISSON, MLS_ABSOLUTE), 1.1968089175125702), 1e-12);
    /* P(X <= 0) = e^-1e6: the survival function alone has rounded to 1 */
    ck_assert_double_lt(
        relative(local_significance(0, 1e6, MLS_POISSON, MLS_ABSOLUTE), gaussian_isf_log(-1e6)),
        1e-15);
}
END_TEST

/* Exact rational arithmetic: the sum of C(n, j) p^j q^(n-j) as a fraction of integers, then its
 * logarithm; p = ratio / (1 + ratio). */
static const struct {
    uint64_t rich, depleted;
    double ratio, log_p;
} on_off[] = {
    {7, 3, 1.0 / 3, -5.6533631277233285},       {31, 0, 2.0 / 7, -46.62639930006449},
    {900, 5, 1.0 / 50, -3509.5008567044997},    {140, 178, 1.0 / 4, -49.619761830389166},
    {5, 12, 9.0 / 10, -0.040661268649394344},   {1, 0, 9, -0.10536051565782634},
    {2000, 1000, 1.0 / 5, -1860.3628846936717},
};

START_TEST(the_on_off_probability_is_the_binomial_tail)
{
    const double log_p = on_off_log_p(on_off[_i].rich, on_off[_i].depleted, on_off[_i].ratio);
    ck_assert_msg(relative(log_p, on_off[_i].log_p) < 1e-11, "%.17g", log_p);
}
END_TEST

START_TEST(the_on_off_probability_stays_finite_and_falls_with_every_jet)
{
    double last = 1;
    for (uint64_t rich = 1; rich < 3000000; rich = 3 * rich + 1) {
        const double log_p = on_off_log_p(rich, 7, 0.01);
        ck_assert(isfinite(log_p) && log_p < last);
        last = log_p;
    }
    ck_assert_double_eq(on_off_log_p(0, 7, 0.01), 0);
}
END_TEST

START_TEST(a_bin_that_only_rich_jets_fill_is_measured_by_the_on_off_probability)
{
    static const uint64_t rich[5] = {43, 5, 30, 30, 0};
    static const uint64_t depleted[5] = {0, 12, 40, 40, 124}; /* ratio 108 / 216 */
    static const double background[5] = {0, 6, 20, 20, 62};
    int32_t bin = 7;
    const double mls =
        max_local_significance(5, rich, depleted, background, MLS_POISSON, MLS_POSITIVE, &bin);
    ck_assert_int_eq(bin, 0);
    ck_assert_double_lt(relative(mls, gaussian_isf_log(-43 * log(3))), 1e-14);
    ck_assert_double_eq(local_significance(900, 0, MLS_POISSON, MLS_ABSOLUTE), 0);
}
END_TEST

START_TEST(with_the_binomial_every_bin_is_measured_so)
{
    static const uint64_t rich[3] = {140, 0, 3};
    static const uint64_t depleted[3] = {178, 4, 390}; /* ratio 143 / 572 = 1 / 4 */
    static const double background[3] = {44.5, 1, 97.5};
    int32_t bin = 7;
    const double mls =
        max_local_significance(3, rich, depleted, background, MLS_BINOMIAL, MLS_POSITIVE, &bin);
    ck_assert_int_eq(bin, 0);
    /* scipy.stats.norm.isf(binom.sf(139, 318, 0.2)) */
    ck_assert_double_lt(relative(mls, 9.635853668775654), 1e-12);
}
END_TEST

START_TEST(of_equal_bins_the_lower_is_named)
{
    static const uint64_t rich[3] = {5, 30, 30}, depleted[3] = {50, 20, 20};
    static const double background[3] = {20, 20, 20};
    int32_t bin = 7;
    max_local_significance(3, rich, depleted, background, MLS_POISSON, MLS_POSITIVE, &bin);
    ck_assert_int_eq(bin, 1);
}
END_TEST

START_TEST(without_an_excess_there_is_no_bin)
{
    static const uint64_t rich[3] = {0, 7, 9};
    static const uint64_t depleted[3] = {1, 7, 8}, nothing[3] = {0};
    static const double background[3] = {0, 7, 9.5}, none[3] = {0};
    int32_t bin = 7;
    ck_assert_double_eq(
        max_local_significance(3, rich, depleted, background, MLS_POISSON, MLS_POSITIVE, &bin), 0);
    ck_assert_int_eq(bin, -1);
    bin = 7;
    ck_assert_double_eq(
        max_local_significance(3, rich, nothing, none, MLS_GAUSSIAN, MLS_ABSOLUTE, &bin), 0);
    ck_assert_int_eq(bin, -1);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("significance");
    tcase_add_test(cases, gamma_tails_agree_with_scipy_and_exact_sums);
    tcase_add_test(cases, gaussian_tails_agree_with_scipy);
    tcase_add_test(cases, poisson_tails_agree_with_sums_of_fifty_digits);
    tcase_add_test(cases, poisson_tails_of_deficits_agree_too);
    tcase_add_test(cases, poisson_tails_fall_with_every_count_and_stay_finite);
    tcase_add_test(cases, gaussian_quantiles_agree_with_scipy_and_fifty_digits);
    tcase_add_test(cases, gaussian_quantiles_rise_without_end);
    tcase_add_test(cases, overdensities_agree_with_scipy);
    tcase_add_test(cases, deficits_count_only_where_asked_for);
    tcase_add_loop_test(cases, the_on_off_probability_is_the_binomial_tail, 0,
                        sizeof on_off / sizeof *on_off);
    tcase_add_test(cases, the_on_off_probability_stays_finite_and_falls_with_every_jet);
    tcase_add_test(cases, a_bin_that_only_rich_jets_fill_is_measured_by_the_on_off_probability);
    tcase_add_test(cases, with_the_binomial_every_bin_is_measured_so);
    tcase_add_test(cases, of_equal_bins_the_lower_is_named);
    tcase_add_test(cases, without_an_excess_there_is_no_bin);
    return run_case(cases, "significance");
}
