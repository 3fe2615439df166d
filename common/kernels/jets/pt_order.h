/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pt_order: the order of particles by pT. */
#ifndef COMMON_KERNELS_JETS_PT_ORDER_H
#define COMMON_KERNELS_JETS_PT_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* order[n] gets 0 .. n - 1, of the largest pt (not below 0) first, of equals the lowest number;
 * spare[n] is for work. */
void pt_order(size_t n, const float pt[], uint32_t order[], uint32_t spare[]);

#endif
