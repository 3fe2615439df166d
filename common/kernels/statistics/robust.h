/* SPDX-License-Identifier: GPL-3.0-or-later */
/* robust: mean and spread of a sample whose outliers are left out (arXiv 2402.17714, section 5). */
#ifndef COMMON_KERNELS_STATISTICS_ROBUST_H
#define COMMON_KERNELS_STATISTICS_ROBUST_H

#include <stddef.h>

/* g(f): the factor that makes the standard deviation of what is left, when the share f of a
 * normal sample furthest from its median is cut off, unbiased. f in [0, 1). g(0) = 1. */
double robust_sd_factor(double outlier_fraction);

/* Outlier-robust mean and standard deviation of x[n]: median; the samples whose distance from it
 * does not exceed the (1-f) quantile (linear interpolation) of those distances are kept;
 * *mean of them and *sd = factor x their standard deviation (ddof 0). scratch[2n]. n > 0.
 * Sums run in the order of x. */
void robust_mean_sd(size_t n, const double x[], double outlier_fraction, double sd_factor,
                    double scratch[], double *mean, double *sd);

/* The largest z that any one of k clusters can reach against the robust mean and standard deviation
 * of all k (robust_mean_sd): HUGE_VAL where one far out is cut off before they are made, which any
 * outlier_fraction above 0 does as soon as two samples are kept; with outlier_fraction 0
 * sqrt(k - 1) / sd_factor (all others equal); with two samples 1 / sd_factor; 0 where at most one
 * is kept. k > 0. */
double largest_z(size_t k, double outlier_fraction, double sd_factor);

#endif
