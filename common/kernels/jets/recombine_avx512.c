/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recombine_avx512: the loops of recombine.h for machines with AVX-512F. */
#include "common/kernels/jets/recombine.h"

#ifdef __x86_64__
#include <math.h>
#include <string.h>
#pragma GCC target("avx512f")
#include <immintrin.h>

typedef __m512d lanes;
typedef __mmask8 lane_mask;
enum { LANES = 8 };

static inline lanes lanes_load(const double *from)
{
    return _mm512_load_pd(from);
}

static inline void lanes_store(double *to, lanes a)
{
    _mm512_store_pd(to, a);
}

static inline void lanes_store_where(lane_mask mask, double *to, lanes a)
{
    _mm512_mask_store_pd(to, mask, a);
}

static inline lanes lanes_all(double a)
{
    return _mm512_set1_pd(a);
}

/* 0, 1, 2, ... */
static inline lanes lanes_numbers(void)
{
    return _mm512_setr_pd(0, 1, 2, 3, 4, 5, 6, 7);
}

static inline lanes lanes_add(lanes a, lanes b)
{
    return _mm512_add_pd(a, b);
}

static inline lanes lanes_subtract(lanes a, lanes b)
{
    return _mm512_sub_pd(a, b);
}

static inline lanes lanes_multiply(lanes a, lanes b)
{
    return _mm512_mul_pd(a, b);
}

static inline lanes lanes_divide(lanes a, lanes b)
{
    return _mm512_div_pd(a, b);
}

static inline lanes lanes_root(lanes a)
{
    return _mm512_sqrt_pd(a);
}

static inline lanes lanes_min(lanes a, lanes b)
{
    return _mm512_min_pd(a, b);
}

static inline lanes lanes_size(lanes a)
{
    return _mm512_abs_pd(a);
}

static inline lane_mask lanes_less(lanes a, lanes b)
{
    return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
}

static inline lane_mask mask_and(lane_mask a, lane_mask b)
{
    return (lane_mask)(a & b);
}

/* Lane 0 in the lowest bit. */
static inline unsigned mask_bits(lane_mask mask)
{
    return mask;
}

static inline lanes lanes_select(lane_mask mask, lanes yes, lanes no)
{
    return _mm512_mask_mov_pd(no, mask, yes);
}

static inline double lanes_least(lanes a)
{
    return _mm512_reduce_min_pd(a);
}

/* The bits of a, shifted left by 52. */
static inline lanes lanes_to_exponent(lanes a)
{
    return _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(a), 52));
}

#include "common/kernels/jets/recombine_loops.h"

const struct recombine_loops recombine_loops_avx512 = RECOMBINE_PATH;
#endif
