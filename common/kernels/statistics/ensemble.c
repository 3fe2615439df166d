/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/ensemble.h"

#include <assert.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <string.h>

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
