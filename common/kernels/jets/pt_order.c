/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/jets/pt_order.h"

#include <string.h>

enum { DIGITS = 256 };

/* Bits of a pT: those of positive floats are ordered as the floats are. */
static uint32_t bits_of(float pt)
{
    uint32_t bits;
    memcpy(&bits, &pt, sizeof bits);
    return bits;
}

/* Insertion sort, descending. */
static uint32_t digit_of(float pt, unsigned shift)
{
    return DIGITS - 1 - (bits_of(pt) >> shift & (DIGITS - 1));
}

/* Offset of each digit: how many keys have a digit that comes before it. */
static void add_before(uint32_t count[DIGITS])
{
    uint32_t before = 0;
    for (size_t d = 0; d < DIGITS; d++) {
        const uint32_t here = count[d];
        count[d] = before;
        before += here;
    }
}

/* Two radix passes over the upper bits order all but pT within a 256th of each other; an insertion
 * sort moves those. */
void pt_order(size_t n, const float pt[], uint32_t order[], uint32_t spare[])
{
    enum { LOW = 15, HIGH = 23 };
    uint32_t low[DIGITS] = {0};
    uint32_t high[DIGITS] = {0};
    for (size_t i = 0; i < n; i++) {
        low[digit_of(pt[i], LOW)]++;
        high[digit_of(pt[i], HIGH)]++;
    }
    add_before(low);
    add_before(high);
    for (size_t i = 0; i < n; i++)
        spare[low[digit_of(pt[i], LOW)]++] = (uint32_t)i;
    for (size_t i = 0; i < n; i++)
        order[high[digit_of(pt[spare[i]], HIGH)]++] = spare[i];
    for (size_t i = 1; i < n; i++) {
        const uint32_t moving = order[i];
        size_t at = i;
        for (; at > 0 && pt[order[at - 1]] < pt[moving]; at--)
            order[at] = order[at - 1];
        order[at] = moving;
    }
}
