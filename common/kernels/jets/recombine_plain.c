/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recombine_plain: the loops of recombine.h for any machine; two lanes, which most have. */
#include "common/kernels/jets/recombine.h"

#include <math.h>
#include <string.h>

enum { LANES = 2 };
typedef double lanes __attribute__((vector_size(16)));
typedef int64_t lane_mask __attribute__((vector_size(16)));
typedef uint64_t lane_bits __attribute__((vector_size(16)));

static inline lanes lanes_load(const double *from)
{
    lanes a;
    memcpy(&a, from, sizeof a);
    return a;
}

static inline void lanes_store(double *to, lanes a)
{
    memcpy(to, &a, sizeof a);
}

static inline lanes lanes_select(lane_mask mask, lanes yes, lanes no)
{
    return (lanes)(((lane_mask)yes & mask) | ((lane_mask)no & ~mask));
}

static inline void lanes_store_where(lane_mask mask, double *to, lanes a)
{
    lanes_store(to, lanes_select(mask, a, lanes_load(to)));
}

static inline lanes lanes_all(double a)
{
    return (lanes){a, a};
}

/* 0, 1, 2, ... */
static inline lanes lanes_numbers(void)
{
    return (lanes){0, 1};
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
    return (lanes){sqrt(a[0]), sqrt(a[1])};
}

static inline lane_mask lanes_less(lanes a, lanes b)
{
    return a < b;
}

static inline lanes lanes_min(lanes a, lanes b)
{
    return lanes_select(a < b, a, b);
}

static inline lanes lanes_size(lanes a)
{
    return (lanes)((lane_mask)a & INT64_MAX);
}

static inline lane_mask mask_and(lane_mask a, lane_mask b)
{
    return a & b;
}

/* Lane 0 in the lowest bit. */
static inline unsigned mask_bits(lane_mask mask)
{
    return (unsigned)((mask[0] & 1) | (mask[1] & 2));
}

static inline double lanes_least(lanes a)
{
    return a[0] < a[1] ? a[0] : a[1];
}

/* The bits of a, shifted left by 52. */
static inline lanes lanes_to_exponent(lanes a)
{
    return (lanes)((lane_bits)a << 52);
}

#include "common/kernels/jets/recombine_loops.h"

const struct recombine_loops recombine_loops_plain = RECOMBINE_PATH;
