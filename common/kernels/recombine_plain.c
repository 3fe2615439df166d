/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recombine_plain: the loops of recombine.h for any machine. */
#include "common/kernels/recombine.h"

#include <math.h>
#include <string.h>

typedef double lanes;
typedef bool lane_mask;
enum { LANES = 1 };

static inline lanes lanes_load(const double *from)
{
    return *from;
}

static inline void lanes_store(double *to, lanes a)
{
    *to = a;
}

static inline void lanes_store_where(lane_mask mask, double *to, lanes a)
{
    if (mask)
        *to = a;
}

static inline lanes lanes_all(double a)
{
    return a;
}

/* 0, 1, 2, ... */
static inline lanes lanes_numbers(void)
{
    return 0;
}

static inline lanes lanes_add(lanes a, lanes b)
{
    return a + b;
}

static inline lanes lanes_subtract(lanes a, lanes b)
{
    return a - b;
}

static inline lanes lanes_multiply(lanes a, lanes b)
{
    return a * b;
}

static inline lanes lanes_divide(lanes a, lanes b)
{
    return a / b;
}

static inline lanes lanes_root(lanes a)
{
    return sqrt(a);
}

static inline lanes lanes_min(lanes a, lanes b)
{
    return a < b ? a : b;
}

static inline lanes lanes_size(lanes a)
{
    return fabs(a);
}

static inline lane_mask lanes_less(lanes a, lanes b)
{
    return a < b;
}

static inline lane_mask mask_and(lane_mask a, lane_mask b)
{
    return a && b;
}

/* Lane 0 in the lowest bit. */
static inline unsigned mask_bits(lane_mask mask)
{
    return mask;
}

static inline lanes lanes_select(lane_mask mask, lanes yes, lanes no)
{
    return mask ? yes : no;
}

static inline double lanes_least(lanes a)
{
    return a;
}

/* The bits of a, shifted left by 52. */
static inline lanes lanes_to_exponent(lanes a)
{
    uint64_t bits;
    memcpy(&bits, &a, sizeof bits);
    bits <<= 52;
    memcpy(&a, &bits, sizeof a);
    return a;
}

#include "common/kernels/recombine_loops.h"

const struct recombine_path recombine_path_plain = RECOMBINE_PATH;
