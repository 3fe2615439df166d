/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mass_flow: moves events between mass bins so that the number of events in every bin stays and
 * narrow structure is washed out: the null hypothesis of the composition scan (composition.h). The
 * expected numbers that go from bin to bin are F = N H, cut at 0 and balanced, H the projection
 * onto linear functions with weights N:
 *
 *     F[a][b] = N[a] N[b] (1/S + (x[a] - mean)(x[b] - mean) / Sxx)
 *
 * S is the sum of N, mean and Sxx are the weighted mean and sum of squares of the bin centres x.
 * Sinkhorn's iteration (Ann. Math. Stat. 35 (1964) 876) in its symmetric form, F[a][b] r[a] r[b],
 * brings the row sums back to N. The projection alone would keep every trend linear in mass; the
 * cut weakens trends, to 0.64 of the slope for the falling spectrum of the reference case. */
#ifndef COMMON_KERNELS_STATISTICS_MASS_FLOW_H
#define COMMON_KERNELS_STATISTICS_MASS_FLOW_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/random.h"
#include "common/base/status.h"

enum { MASS_FLOW_BINS_MAX = 256 };

typedef struct mass_flow mass_flow;

/* The flow of events[bins] per bin, bins of equal width, 1 .. MASS_FLOW_BINS_MAX. STATUS_BAD_SHAPE
 * if fewer than two bins hold events: there is no linear trend. STATUS_NO_MEMORY. */
MUST_CHECK status mass_flow_create(mass_flow **out, uint32_t bins, const uint64_t events[]);
void mass_flow_destroy(mass_flow **self);

/* The probability that an event of bin `from` goes to bin `to`; 0 from an empty bin. */
double mass_flow_probability(const mass_flow *self, uint32_t from, uint32_t to);

/* Draws a bin for each of n events from its own, bin[n] < bins, which holds events. */
void mass_flow_move(const mass_flow *self, struct random_state *random, size_t n,
                    const uint8_t bin[], uint8_t moved[]);

#endif
