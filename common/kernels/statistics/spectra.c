/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/spectra.h"

#include <assert.h>

void spectra_add(size_t n, const uint16_t label[], const int32_t bin[], const int8_t truth[],
                 uint32_t bins, uint64_t counts[], uint64_t signal[])
{
    for (size_t e = 0; e < n; e++) {
        if (bin[e] < 0)
            continue;
        assert((uint32_t)bin[e] < bins);
        for (size_t jet = 2 * e; jet < 2 * e + 2; jet++) {
            const size_t cell = (size_t)label[jet] * bins + (size_t)bin[e];
            counts[cell]++;
            if (truth != NULL && truth[e] == 1)
                signal[cell]++;
        }
    }
}

/* The finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection that spreads every
 * bit of x over the result. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t spectra_event_hash(uint32_t source, uint64_t row)
{
    /* The offset keeps (0, 0) from being 0, which would not show in a sum. */
    return mix(mix(source + UINT64_C(0x9e3779b97f4a7c15)) ^ row);
}
