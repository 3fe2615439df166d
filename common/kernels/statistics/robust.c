/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/robust.h"

#include <assert.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
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
    const double rank = (double)(n - 1) * q;
    const size_t below = (size_t)floor(rank);
    if (below + 1 >= n)
        return sorted[n - 1];
    const double t = rank - floor(rank);
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
