/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mass_bins: bins of the dijet mass, decided on their edges. */
#ifndef COMMON_KERNELS_STATISTICS_MASS_BINS_H
#define COMMON_KERNELS_STATISTICS_MASS_BINS_H

#include <stdint.h>

/* n half-open bins of equal width over [lo, hi) GeV. */
struct mass_bins {
    double lo;
    double hi;
    uint32_t n;
};

/* Lower edge of bin i, i in 0 .. n: lo + (hi - lo) i / n, exactly lo and hi at the ends. */
double mass_bins_edge(const struct mass_bins *self, uint32_t i);
/* The bin of m_jj, or -1 outside. Decided on the edges above, never on a rounded quotient. */
int32_t mass_bins_find(const struct mass_bins *self, double m_jj);

#endif
