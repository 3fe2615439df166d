/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spectra: jets per cluster and mass bin (arXiv 2402.17714, section 4). */
#ifndef COMMON_KERNELS_SPECTRA_H
#define COMMON_KERNELS_SPECTRA_H

#include <stddef.h>
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

/* Adds the two jets of each of n events: label[2n] of the jets, bin[n] of the events (-1: not
 * counted) to counts[k][bins]; where truth[n] is 1 (truth NULL: unknown) also to signal. */
void spectra_add(size_t n, const uint16_t label[], const int32_t bin[], const int8_t truth[],
                 uint32_t bins, uint64_t counts[], uint64_t signal[]);

/* A hash of an event's name; sums of it (modulo 2^64) do not depend on the order. */
uint64_t spectra_event_hash(uint32_t source, uint64_t row);

#endif
