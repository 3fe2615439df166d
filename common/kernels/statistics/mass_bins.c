/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/mass_bins.h"

#include <assert.h>

double mass_bins_edge(const struct mass_bins *self, uint32_t i)
{
    assert(i <= self->n);
    if (i == self->n)
        return self->hi; /* where rounding might miss it */
    return self->lo + (self->hi - self->lo) * (double)i / (double)self->n;
}

int32_t mass_bins_find(const struct mass_bins *self, double m_jj)
{
    if (!(m_jj >= self->lo && m_jj < self->hi)) /* NaN too is outside */
        return -1;
    const double width = (self->hi - self->lo) / (double)self->n;
    const double quotient = (m_jj - self->lo) / width;
    uint32_t i = quotient < (double)self->n ? (uint32_t)quotient : self->n - 1;
    /* The quotient may be off by one next to an edge; the edges decide. */
    while (m_jj < mass_bins_edge(self, i))
        i--;
    while (m_jj >= mass_bins_edge(self, i + 1))
        i++;
    return (int32_t)i;
}
