/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stats: the robust selection and the significance of what it selected. Every tail probability
 * is carried as its logarithm, so nothing underflows at 8 or at 38 standard deviations. */
#include "common/kernels/stats.h"

#include <assert.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_sf_erf.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_log.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

double robust_sd_factor(double outlier_fraction)
{
    assert(outlier_fraction >= 0 && outlier_fraction < 1);
    if (outlier_fraction == 0)
        return 1;
    /* A unit normal cut at |x| <= c, P(|x| <= c) = 1 - f, keeps the variance
     * P(chi2_3 <= c^2) / P(chi2_1 <= c^2); unlike 1 - 2 c phi(c) / (1 - f) this form loses no
     * digits as f goes to 1. */
    const double c = gsl_cdf_ugaussian_Qinv(outlier_fraction / 2);
    return 1 / sqrt(gsl_cdf_chisq_P(c * c, 3) / gsl_cdf_chisq_P(c * c, 1));
}

/* numpy's `linear` quantile, its rounding included: a value that is met exactly, or that lies
 * between two equal ones, comes out as it went in, so that ties with it are kept. */
static double sorted_quantile(size_t n, const double sorted[], double q)
{
    const double place = (double)(n - 1) * q;
    const size_t below = (size_t)floor(place);
    if (below + 1 >= n)
        return sorted[n - 1];
    const double t = place - floor(place);
    const double a = sorted[below];
    const double b = sorted[below + 1];
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

void robust_mean_sd(size_t n, const double x[], double outlier_fraction, double sd_factor,
                    double scratch[], double *mean, double *sd)
{
    assert(n > 0);
    double *distance = scratch;
    double *sorted = scratch + n;
    memcpy(sorted, x, n * sizeof *x);
    gsl_sort(sorted, 1, n);
    const double median = gsl_stats_median_from_sorted_data(sorted, 1, n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = distance[i] = fabs(x[i] - median);
    gsl_sort(sorted, 1, n);
    const double cut = sorted_quantile(n, sorted, 1 - outlier_fraction);

    size_t kept = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (distance[i] <= cut) {
            sum += x[i];
            kept++;
        }
    *mean = sum / (double)kept;
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        if (distance[i] <= cut)
            squares += (x[i] - *mean) * (x[i] - *mean);
    *sd = sd_factor * sqrt(squares / (double)kept);
}

/* z of one bin: the column `bin` of counts, each divided by its cluster's total. x[k] and
 * scratch[2k] are work space. */
static void standardise_bin(const struct selection_settings *settings, size_t k, size_t bins,
                            size_t bin, const uint64_t counts[], const double total[], double x[],
                            double scratch[], double z[])
{
    size_t n = 0;
    for (size_t i = 0; i < k; i++)
        if (total[i] > 0)
            x[n++] = (double)counts[i * bins + bin] / total[i];
    double mean = 0;
    double sd = 0;
    if (n > 0)
        robust_mean_sd(n, x, settings->outlier_fraction, settings->sd_factor, scratch, &mean, &sd);
    size_t next = 0;
    for (size_t i = 0; i < k; i++) {
        double value = 0;
        if (total[i] > 0) {
            const double fraction = x[next++];
            value = sd > 0 ? (fraction - mean) / sd : 0;
        }
        z[i * bins + bin] = value;
    }
}

static void sum_labelled(size_t k, size_t bins, const uint64_t counts[], const uint8_t label[],
                         uint64_t rich[], uint64_t depleted[])
{
    memset(rich, 0, bins * sizeof *rich);
    memset(depleted, 0, bins * sizeof *depleted);
    for (size_t i = 0; i < k; i++) {
        uint64_t *into = label[i] ? rich : depleted;
        for (size_t b = 0; b < bins; b++)
            into[b] += counts[i * bins + b];
    }
}

static void scale_background(size_t bins, const uint64_t rich[], const uint64_t depleted[],
                             double background[])
{
    uint64_t sum_rich = 0;
    uint64_t sum_depleted = 0;
    for (size_t b = 0; b < bins; b++) {
        sum_rich += rich[b];
        sum_depleted += depleted[b];
    }
    for (size_t b = 0; b < bins; b++)
        background[b] =
            sum_depleted > 0 ? (double)depleted[b] * (double)sum_rich / (double)sum_depleted : 0;
}

status select_clusters(const struct selection_settings *settings, size_t k, size_t bins,
                       const uint64_t counts[], double z[], uint8_t label[], uint64_t rich[],
                       uint64_t depleted[], double background[])
{
    assert(k > 0 && bins > 0);
    double *work = malloc(4 * k * sizeof *work);
    if (work == NULL)
        return STATUS_NO_MEMORY;
    double *total = work;
    for (size_t i = 0; i < k; i++) {
        uint64_t sum = 0;
        for (size_t b = 0; b < bins; b++)
            sum += counts[i * bins + b];
        total[i] = (double)sum;
    }
    for (size_t b = 0; b < bins; b++)
        standardise_bin(settings, k, bins, b, counts, total, work + k, work + 2 * k, z);
    free(work);

    for (size_t i = 0; i < k; i++) {
        label[i] = 0;
        for (size_t b = 0; b < bins; b++)
            if (z[i * bins + b] > settings->threshold)
                label[i] = 1;
    }
    sum_labelled(k, bins, counts, label, rich, depleted);
    scale_background(bins, rich, depleted, background);
    return STATUS_OK;
}

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

double largest_z(size_t k, double outlier_fraction, double sd_factor)
{
    assert(k > 0 && sd_factor > 0);
    const double last = (double)(k - 1) * (1 - outlier_fraction); /* rank of the quantile */
    if (k == 2)
        return 1 / sd_factor;
    if (last >= (double)(k - 1))
        return sqrt((double)(k - 1)) / sd_factor;
    return last < 1 ? 0 : HUGE_VAL;
}

struct ensemble ensemble_of(size_t n, const double x[], double scratch[])
{
    assert(n > 0);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    memcpy(scratch, x, n * sizeof *x);
    gsl_sort(scratch, 1, n);
    return (struct ensemble){.mean = sum / (double)n,
                             .median = gsl_stats_median_from_sorted_data(scratch, 1, n),
                             .max = scratch[n - 1],
                             .min = scratch[0]};
}
