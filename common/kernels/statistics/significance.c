/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/significance.h"

#include <assert.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_sf_erf.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_log.h>
#include <math.h>
#include <stdbool.h>

/* ln (x/a) - (x-a)/a for x, a > 0: what is left of the Stirling form of x^a e^-x / Gamma(a+1). */
static double log_ratio_rest(double a, double x)
{
    const double r = x / a;
    if (r < 0.5 || r > 2)
        return log(r) + (1 - r); /* the two do not cancel, and r - 1 would lose a small r */
    gsl_sf_result rest;
    const int failed = gsl_sf_log_1plusx_mx_e((x - a) / a, &rest);
    assert(!failed);
    return rest.val;
}

/* ln of x^a e^-x / Gamma(a+1), a >= 0, x > 0, free of cancellation: Gamma(a+1) =
 * sqrt(2 pi a) a^a e^-a gammastar(a) (Temme, SIAM J. Math. Anal. 10 (1979) 757). */
static double log_poisson_term(double a, double x)
{
    if (a == 0)
        return -x;
    gsl_sf_result star;
    const int failed = gsl_sf_gammastar_e(a, &star);
    assert(!failed);
    return a * log_ratio_rest(a, x) - 0.5 * log(2 * M_PI * a) - log(star.val);
}

/* P(X > n) is the regularised lower incomplete gamma function P(a = n + 1, mu): its series, for
 * mu < a + 1, where all terms are positive and fall. */
static double log_upper_series(double a, double mu)
{
    double sum = 1;
    double term = 1;
    for (double j = 1; term > sum * 1e-17; j++) {
        term *= mu / (a + j);
        sum += term;
    }
    return log_poisson_term(a, mu) + log(sum);
}

/* P(X <= n) summed downwards from its largest term, for n < mu. */
static double log_lower_series(double n, double mu)
{
    double sum = 1;
    double term = 1;
    for (double j = n; j > 0 && term > sum * 1e-17; j--) {
        term *= j / mu;
        sum += term;
    }
    return log_poisson_term(n, mu) + log(sum);
}

/* ln (1 - e^x), x < 0 (Maechler 2012: either form only where it keeps its digits). */
static double log_complement(double x)
{
    return x > -M_LN2 ? log(-expm1(x)) : log1p(-exp(x));
}

double poisson_log_sf(uint64_t n, double mu)
{
    assert(mu > 0 && isfinite(mu));
    const double a = (double)n + 1;
    return mu < a + 1 ? log_upper_series(a, mu) : log_complement(log_lower_series((double)n, mu));
}

/* ln P(X <= n), the counterpart for deficits: exact where poisson_log_sf rounds to 0. */
static double poisson_log_cdf(uint64_t n, double mu)
{
    const double a = (double)n + 1;
    return mu < a + 1 ? log_complement(log_upper_series(a, mu)) : log_lower_series((double)n, mu);
}

/* The upper incomplete gamma function as Legendre's continued fraction 1 / (x + 1 - a - 1 (1 - a) /
 * (x + 3 - a - ...)) times x^a e^-x / Gamma(a), for x >= a + 1, by Lentz's method. */
static double log_gamma_fraction(double a, double x)
{
    double below = x + 1 - a;
    double c = HUGE_VAL;
    double d = 1 / below;
    double fraction = d;
    double factor = 0;
    for (double j = 1; fabs(factor - 1) > GSL_DBL_EPSILON && j < 1e6; j++) {
        const double part = -j * (j - a);
        below += 2;
        d = 1 / (part * d + below);
        c = below + part / c;
        factor = c * d;
        fraction *= factor;
    }
    return log_poisson_term(a, x) + log(a) + log(fraction);
}

double gamma_log_sf(double shape, double x)
{
    assert(shape > 0 && x > 0 && isfinite(x));
    return x < shape + 1 ? log_complement(log_upper_series(shape, x))
                         : log_gamma_fraction(shape, x);
}

double gaussian_log_sf(double z)
{
    assert(fabs(z) < 1e5);
    return gsl_sf_log_erfc(z / M_SQRT2) - M_LN2;
}

/* First terms of z^2 = 2 u - ln(2 pi z^2) - ..., u = -log_p: relative error about ln(u) / u^2. */
static double far_gaussian_isf(double u)
{
    return M_SQRT2 * sqrt(u - 0.5 * (log(4 * M_PI) + log(u)));
}

/* The upper half, log_p <= -ln 2. ln P(Z > z) falls and is concave, so Newton's steps come from
 * above and cannot overshoot, wherever they start. */
static double upper_gaussian_isf(double log_p)
{
    double z = log_p < -4 ? far_gaussian_isf(-log_p) : 0;
    for (int step = 0; step < 40; step++) {
        gsl_sf_result tail;
        gsl_sf_result hazard;
        const int failed = gsl_sf_log_erfc_e(z / M_SQRT2, &tail) || gsl_sf_hazard_e(z, &hazard);
        assert(!failed);
        const double change = (tail.val - M_LN2 - log_p) / hazard.val;
        z += change;
        if (fabs(change) <= 4 * GSL_DBL_EPSILON * fabs(z))
            break;
    }
    return z;
}

double gaussian_isf_log(double log_p)
{
    assert(log_p < 0);
    if (log_p > -M_LN2)
        return -upper_gaussian_isf(log(-expm1(log_p)));
    /* Beyond this the first terms are exact, and GSL's log_erfc overflows in time. */
    return log_p < -1e10 ? far_gaussian_isf(-log_p) : upper_gaussian_isf(log_p);
}

/* ln of the binomial probability of s and d, as three Poisson terms: free of cancellation. */
static double log_binomial_term(double s, double d, double share)
{
    const double n = s + d;
    return log_poisson_term(s, n * share) + log_poisson_term(d, n * (1 - share)) -
           log_poisson_term(n, n);
}

/* ln of the sum over j of terms that begin with 1 and go on by the factor next(j), all j from first
 * upwards: of at least s successes, odds = share / (1 - share). */
static double log_binomial_upper(double s, double d, double odds)
{
    double sum = 1;
    double term = 1;
    for (double j = 0; j < d && term > sum * 1e-17; j++) {
        term *= (d - j) / (s + j + 1) * odds;
        sum += term;
    }
    return log(sum);
}

/* Likewise of at most s successes. */
static double log_binomial_lower(double s, double d, double odds)
{
    double sum = 1;
    double term = 1;
    for (double j = 0; j < s && term > sum * 1e-17; j++) {
        term *= (s - j) / ((d + j + 1) * odds);
        sum += term;
    }
    return log(sum);
}

/* ln P(X <= rich), for deficits. */
static double on_off_log_cdf(uint64_t rich, uint64_t depleted, double ratio)
{
    const double s = (double)rich;
    const double d = (double)depleted;
    return log_binomial_term(s, d, ratio / (1 + ratio)) + log_binomial_lower(s, d, ratio);
}

double on_off_log_p(uint64_t rich, uint64_t depleted, double ratio)
{
    assert(ratio > 0 && isfinite(ratio));
    const double s = (double)rich;
    const double d = (double)depleted;
    if (rich == 0)
        return 0;
    if (depleted == 0)
        return -s * log1p(1 / ratio);
    if (s > ratio * d) /* the terms fall from the first on */
        return log_binomial_term(s, d, ratio / (1 + ratio)) + log_binomial_upper(s, d, ratio);
    const double below = on_off_log_cdf(rich - 1, depleted + 1, ratio);
    return below < 0 ? log_complement(below) : 0;
}

/* A deficit counts where it is asked for. */
static bool takes_part(uint64_t rich, double background, enum mls_deviation deviation)
{
    return (double)rich > background || (deviation == MLS_ABSOLUTE && background > 0);
}

double local_significance(uint64_t rich, double background, enum mls_approximation approximation,
                          enum mls_deviation deviation)
{
    if (background <= 0 || !takes_part(rich, background, deviation))
        return 0;
    const double excess = (double)rich - background;
    if (approximation == MLS_GAUSSIAN)
        return fabs(excess) / sqrt(background);
    return gaussian_isf_log(excess < 0 ? poisson_log_cdf(rich, background)
                                       : poisson_log_sf(rich, background));
}

static double on_off_significance(const struct mls_counts *counts)
{
    const bool excess = (double)counts->rich > counts->ratio * (double)counts->depleted;
    const double log_p = excess ? on_off_log_p(counts->rich, counts->depleted, counts->ratio)
                                : on_off_log_cdf(counts->rich, counts->depleted, counts->ratio);
    const double z = log_p < 0 ? gaussian_isf_log(log_p) : 0;
    return z > 0 ? z : 0;
}

double bin_significance(const struct mls_counts *counts, enum mls_approximation approximation,
                        enum mls_deviation deviation)
{
    if (!takes_part(counts->rich, counts->background, deviation) || counts->ratio <= 0 ||
        !isfinite(counts->ratio))
        return 0;
    if (counts->background > 0 && approximation != MLS_BINOMIAL)
        return local_significance(counts->rich, counts->background, approximation, deviation);
    return on_off_significance(counts);
}

static double sum_of(size_t n, const uint64_t x[])
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return (double)sum;
}

double max_local_significance(size_t bins, const uint64_t rich[], const uint64_t depleted[],
                              const double background[], enum mls_approximation approximation,
                              enum mls_deviation deviation, int32_t *bin)
{
    const double all_rich = sum_of(bins, rich);
    const double all_depleted = sum_of(bins, depleted);
    double best = 0;
    *bin = -1;
    for (size_t b = 0; all_rich > 0 && all_depleted > 0 && b < bins; b++) {
        if (!takes_part(rich[b], background[b], deviation))
            continue;
        const struct mls_counts counts = {rich[b], depleted[b], background[b],
                                          all_rich / all_depleted};
        const double z = bin_significance(&counts, approximation, deviation);
        if (*bin < 0 || z > best) {
            best = z;
            *bin = (int32_t)b;
        }
    }
    return best;
}
