/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ensemble: one number of several trainings. */
#ifndef COMMON_KERNELS_STATISTICS_ENSEMBLE_H
#define COMMON_KERNELS_STATISTICS_ENSEMBLE_H

#include <stddef.h>

/* Mean, median, max, min of x[n] in fixed order; scratch[n]; n > 0. */
struct ensemble {
    double mean;
    double median;
    double max;
    double min;
};
struct ensemble ensemble_of(size_t n, const double x[], double scratch[]);

#endif
