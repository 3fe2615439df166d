/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spectra: jets per cluster and mass bin (arXiv 2402.17714, section 4). */
#ifndef COMMON_KERNELS_STATISTICS_SPECTRA_H
#define COMMON_KERNELS_STATISTICS_SPECTRA_H

#include <stddef.h>
#include <stdint.h>

/* Adds the two jets of each of n events: label[2n] of the jets, bin[n] of the events (-1: not
 * counted) to counts[k][bins]; where truth[n] is 1 (truth NULL: unknown) also to signal. */
void spectra_add(size_t n, const uint16_t label[], const int32_t bin[], const int8_t truth[],
                 uint32_t bins, uint64_t counts[], uint64_t signal[]);

/* A hash of an event's name; sums of it (modulo 2^64) do not depend on the order. */
uint64_t spectra_event_hash(uint32_t source, uint64_t row);

#endif
