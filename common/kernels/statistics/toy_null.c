/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/toy_null.h"

#include <assert.h>
#include <math.h>

#include "common/kernels/statistics/significance.h"

/* A skewness below this is none: the gamma is the Gaussian to 1e-3 of ln p then. */
#define SKEWNESS_MIN 1e-3

/* Mean and standard deviation (ddof 1) of column i. */
static void moments_of_column(size_t toys, size_t n, const double t[], size_t i, double *mean,
                              double *sd)
{
    double sum = 0, squares = 0;
    for (size_t toy = 0; toy < toys; toy++)
        sum += t[toy * n + i];
    *mean = sum / (double)toys;
    for (size_t toy = 0; toy < toys; toy++)
        squares += (t[toy * n + i] - *mean) * (t[toy * n + i] - *mean);
    *sd = sqrt(squares / (double)(toys - 1));
}

static double pull(double t, double mean, double sd)
{
    return sd > 0 ? (t - mean) / sd : 0;
}

static double largest_pull(size_t n, const double t[], const double mean[], const double sd[],
                           size_t *at)
{
    *at = 0;
    double most = pull(t[0], mean[0], sd[0]);
    for (size_t i = 1; i < n; i++) {
        const double next = pull(t[i], mean[i], sd[i]);
        if (next > most) {
            most = next;
            *at = i;
        }
    }
    return most;
}

/* Mean, standard deviation (ddof 0) and skewness of s[toys]. */
static void describe(size_t toys, const double s[], struct toy_null *out)
{
    double sum = 0, squares = 0, cubes = 0;
    for (size_t toy = 0; toy < toys; toy++)
        sum += s[toy];
    out->mean = sum / (double)toys;
    for (size_t toy = 0; toy < toys; toy++) {
        const double d = s[toy] - out->mean;
        squares += d * d;
        cubes += d * d * d;
    }
    out->sd = sqrt(squares / (double)toys);
    out->skewness = out->sd > 0 ? cubes / (double)toys / pow(out->sd, 3) : 0;
}

/* ln P(S > s) of the gamma with the moments of *self; the Gaussian where they make none. */
static double log_gamma_tail(const struct toy_null *self)
{
    const double z = pull(self->s, self->mean, self->sd);
    if (self->skewness < SKEWNESS_MIN)
        return gaussian_log_sf(z);
    const double shape = 4 / (self->skewness * self->skewness);
    const double x = shape + 2 * z / self->skewness;
    return x > 0 ? gamma_log_sf(shape, x) : 0;
}

void toy_null_test(size_t toys, size_t n, const double observed[], const double t[],
                   double scratch[], struct toy_null *out)
{
    assert(toys > 1 && n > 0);
    double *s = scratch, *mean = scratch + toys, *sd = mean + n;
    size_t at;
    *out = (struct toy_null){0};
    for (size_t i = 0; i < n; i++)
        moments_of_column(toys, n, t, i, &mean[i], &sd[i]);
    out->s = largest_pull(n, observed, mean, sd, &out->largest);
    for (size_t toy = 0; toy < toys; toy++) {
        s[toy] = largest_pull(n, t + toy * n, mean, sd, &at);
        out->reached += s[toy] >= out->s;
    }
    describe(toys, s, out);
    out->p_toys = (1 + (double)out->reached) / (1 + (double)toys);
    out->extrapolated = out->reached < TOY_NULL_REACHED_MIN && toys >= TOY_NULL_EXTRAPOLATED_MIN;
    out->log_p = out->extrapolated ? log_gamma_tail(out) : log(out->p_toys);
    /* All toys as large: p is 1 - 1/(2 (1 + toys)) at most, so that z is finite. */
    const double most = log1p(-0.5 / (1 + (double)toys));
    out->log_p = out->log_p < most ? out->log_p : most;
    out->z = gaussian_isf_log(out->log_p);
}
