/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stats: robust standardisation, choice of the signal-rich clusters, and the maximum local
 * significance (arXiv 2402.17714, sections 5 and 6). */
#ifndef COMMON_KERNELS_STATS_H
#define COMMON_KERNELS_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "common/status/status.h"

/* g(f): the factor that makes the standard deviation of what is left, when the share f of a
 * normal sample furthest from its median is cut off, unbiased. f in [0, 1). g(0) = 1. */
double robust_sd_factor(double outlier_fraction);

/* Outlier-robust mean and standard deviation of x[n]: median; the samples whose distance from it
 * does not exceed the (1-f) quantile (linear interpolation) of those distances are kept;
 * *mean of them and *sd = factor x their standard deviation (ddof 0). scratch[2n]. n > 0.
 * Sums run in the order of x. */
void robust_mean_sd(size_t n, const double x[], double outlier_fraction, double sd_factor,
                    double scratch[], double *mean, double *sd);

struct selection_settings {
    double outlier_fraction;
    double threshold; /* theta, in standard deviations */
    double sd_factor; /* robust_sd_factor(f), or what the user gave */
};

/* Standardises one member's spectra and labels its clusters.
 * counts[k][bins] in; z[k][bins], label[k] (1: signal-rich), rich[bins], depleted[bins],
 * background[bins] out. n_ib = counts_ib / sum_b counts_ib; z per bin over the clusters that
 * have counts; any z > threshold makes a cluster rich. A cluster without counts: z = 0,
 * depleted. A bin whose sd is 0: z = 0. background = depleted x sum(rich) / sum(depleted), 0 if
 * no jet is depleted. STATUS_NO_MEMORY. */
MUST_CHECK status select_clusters(const struct selection_settings *settings, size_t k, size_t bins,
                                  const uint64_t counts[], double z[], uint8_t label[],
                                  uint64_t rich[], uint64_t depleted[], double background[]);

/* ln P(X > n) for X ~ Poisson(mu), mu > 0: finite and monotone however small. For n >= mu the
 * relative error of the logarithm is below 1e-12. */
double poisson_log_sf(uint64_t n, double mu);
/* z with ln P(Z > z) = log_p for a unit Gaussian; log_p < 0; finite for every finite log_p. */
double gaussian_isf_log(double log_p);

/* ln P(X >= rich) for X ~ Binomial(rich + depleted, ratio / (1 + ratio)), ratio > 0: the on/off
 * problem with a background that was itself counted, ratio being the expected rich over the
 * expected depleted counts (Cousins, Linnemann, Tucker, NIM A 595 (2008) 480). 0 for rich 0; finite
 * however small; with depleted = 0 it is rich ln(ratio / (1 + ratio)). */
double on_off_log_p(uint64_t rich, uint64_t depleted, double ratio);

enum mls_approximation { MLS_POISSON, MLS_GAUSSIAN, MLS_BINOMIAL };
enum mls_deviation { MLS_POSITIVE, MLS_ABSOLUTE };

/* Local significance of one bin: Poisson: Phi^-1(CDF(rich)) computed from the survival function;
 * Gaussian: (rich - background) / sqrt(background). 0 if background is 0 or (positive
 * deviation) rich <= background. MLS_ABSOLUTE counts deficits too: |Gaussian form|; in Poisson
 * form a deficit is -Phi^-1(CDF(rich)). */
double local_significance(uint64_t rich, double background, enum mls_approximation approximation,
                          enum mls_deviation deviation);

/* A bin of the rich and of the depleted spectrum; ratio = sum of rich / sum of depleted. */
struct mls_counts {
    uint64_t rich;
    uint64_t depleted;
    double background;
    double ratio;
};
/* Local significance of one bin. As local_significance where there is a background and the
 * approximation is not binomial; else Phi^-1 of on_off_log_p, not below 0, in which the
 * background's own fluctuation counts. 0 if rich is 0 and background is, and where ratio is 0 or
 * not finite. */
double bin_significance(const struct mls_counts *counts, enum mls_approximation approximation,
                        enum mls_deviation deviation);

/* Largest local significance over the bins; *bin its index (lowest on a tie), -1 and the
 * result 0 if no bin takes part or no jet is rich or depleted. A bin takes part with more rich jets
 * than background, or, in absolute deviation, with a background or rich jets. */
double max_local_significance(size_t bins, const uint64_t rich[], const uint64_t depleted[],
                              const double background[], enum mls_approximation approximation,
                              enum mls_deviation deviation, int32_t *bin);

/* The largest z that any one of k clusters can reach against the robust mean and standard deviation
 * of all k (robust_mean_sd): HUGE_VAL where one far out is cut off before they are made, which any
 * outlier_fraction above 0 does as soon as two samples are kept; with outlier_fraction 0
 * sqrt(k - 1) / sd_factor (all others equal); with two samples 1 / sd_factor; 0 where at most one
 * is kept. k > 0. */
double largest_z(size_t k, double outlier_fraction, double sd_factor);

/* Mean, median, max, min of x[n] in fixed order; scratch[n]; n > 0. */
struct ensemble {
    double mean;
    double median;
    double max;
    double min;
};
struct ensemble ensemble_of(size_t n, const double x[], double scratch[]);

#endif
