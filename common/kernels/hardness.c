/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/hardness.h"

#include <string.h>

enum { BUCKETS = 256 };

/* Of the bits of a pT, which are ordered as it is. */
static uint32_t bits_of(float pt)
{
    uint32_t bits;
    memcpy(&bits, &pt, sizeof bits);
    return bits;
}

/* A power of two that makes so many of the lowest bits that BUCKETS hold the rest. */
static unsigned find_shift(uint32_t range)
{
    unsigned shift = 0;
    while (range >> shift >= BUCKETS)
        shift++;
    return shift;
}

/* Where the first of each bucket comes. */
static void add_before(uint32_t count[BUCKETS])
{
    uint32_t before = 0;
    for (size_t b = 0; b < BUCKETS; b++) {
        const uint32_t here = count[b];
        count[b] = before;
        before += here;
    }
}

static void finish_order(size_t n, const float pt[], uint32_t order[])
{
    for (size_t i = 1; i < n; i++) {
        const uint32_t moving = order[i];
        size_t at = i;
        for (; at > 0 && pt[order[at - 1]] < pt[moving]; at--)
            order[at] = order[at - 1];
        order[at] = moving;
    }
}

/* Into buckets by the logarithm of pT, roughly; what is left to be moved within them is little. */
void hardness_order(size_t n, const float pt[], uint32_t order[])
{
    uint32_t start[BUCKETS] = {0};
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = bits_of(pt[i]);
        least = bits < least ? bits : least;
        most = bits > most ? bits : most;
    }
    const unsigned shift = n > 0 ? find_shift(most - least) : 0;
    for (size_t i = 0; i < n; i++)
        start[(most - bits_of(pt[i])) >> shift]++;
    add_before(start);
    for (size_t i = 0; i < n; i++)
        order[start[(most - bits_of(pt[i])) >> shift]++] = (uint32_t)i;
    finish_order(n, pt, order);
}
