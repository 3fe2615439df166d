/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dijet_fit: the parametric background of dijet searches, fitted to a mass spectrum:
 *     f(x) = p1 (1 - x)^p2 x^(p3 + p4 ln x + p5 ln^2 x),   x = bin centre / sqrt(s)
 * with 3, 4 or 5 parameters (arXiv 2402.17714, section 7), by least squares. ln f is linear in its
 * parameters, so Gauss-Newton steps in an orthonormal basis of (1, ln(1-x), ln x, ln^2 x, ln^3 x)
 * over the bins converge in a few rounds where a bounded trust region stalls. */
#ifndef COMMON_KERNELS_STATISTICS_DIJET_FIT_H
#define COMMON_KERNELS_STATISTICS_DIJET_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/statistics/mass_bins.h"

enum { DIJET_PARAMETERS_MIN = 3, DIJET_PARAMETERS_MAX = 5, DIJET_BINS_MAX = 256 };

/* What all fits to the same bins share: made once, used by any number of threads. */
struct dijet_basis {
    uint32_t bins;
    uint32_t parameters;
    double vector[DIJET_PARAMETERS_MAX][DIJET_BINS_MAX]; /* orthonormal */
    /* The basis functions above are these combinations: triangle[i][j], j >= i, of the vectors. */
    double triangle[DIJET_PARAMETERS_MAX][DIJET_PARAMETERS_MAX];
};

/* The basis of bins, whose centres are below energy (GeV), for so many parameters.
 * STATUS_BAD_SHAPE if there are fewer bins than parameters, more than DIJET_BINS_MAX, or a centre
 * is not inside (0, energy). */
MUST_CHECK status dijet_basis_make(struct dijet_basis *out, const struct mass_bins *bins,
                                   double energy, uint32_t parameters);

struct dijet_fit {
    bool converged; /* if not, the rest is the last step's: to be counted, never dropped */
    uint32_t steps;
    double chi2;
    uint32_t ndf;                           /* bins - parameters */
    double parameter[DIJET_PARAMETERS_MAX]; /* p1 in counts per bin; those not fitted are 0 */
    /* ln p1. p1 is f continued to x = 1, far from the bins, and may be 0 or infinite as a double in
     * fits of five parameters to few events; its logarithm is finite. */
    double log_p1;
    double expected[DIJET_BINS_MAX]; /* [bins] f */
};

/* Fits counts[bins] with variance[bins] > 0 of each, which the caller takes from the spectrum that
 * the counts are a fluctuation of (the paper: of the fit to the original one); allocates nothing.
 * Converged: a step changes no expectation by more than 1e-10 of itself. */
void dijet_fit(const struct dijet_basis *basis, const double counts[], const double variance[],
               struct dijet_fit *out);

#endif
