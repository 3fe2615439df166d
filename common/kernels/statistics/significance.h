/* SPDX-License-Identifier: GPL-3.0-or-later */
/* significance: local significance of a mass bin and its maximum over the bins (arXiv 2402.17714,
 * section 6). Every tail probability is carried as its logarithm, so nothing underflows at 8 or at
 * 38 standard deviations. */
#ifndef COMMON_KERNELS_STATISTICS_SIGNIFICANCE_H
#define COMMON_KERNELS_STATISTICS_SIGNIFICANCE_H

#include <stddef.h>
#include <stdint.h>

/* ln P(X > n) for X ~ Poisson(mu), mu > 0: finite and monotone however small. For n >= mu the
 * relative error of the logarithm is below 1e-12. */
double poisson_log_sf(uint64_t n, double mu);
/* ln P(X > x) for X ~ Gamma(shape) of scale 1, shape > 0, x > 0: finite and monotone however small.
 * Relative error of the logarithm below 1e-12 where it is below -0.1. */
double gamma_log_sf(double shape, double x);
/* ln P(Z > z) for a unit Gaussian, |z| < 1e5. */
double gaussian_log_sf(double z);
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

#endif
