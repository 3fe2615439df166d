/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recombine_avx2: the loops of recombine.h for machines with AVX2. */
#include "common/kernels/jets/recombine.h"

#ifdef __x86_64__
#include <math.h>
#include <string.h>
#pragma GCC target("avx2")
#include <immintrin.h>

typedef __m256d lanes;
typedef __m256d lane_mask;
enum { LANES = 4 };

static inline lanes lanes_load(const double *from)
{
    return _mm256_load_pd(from);
}

static inline void lanes_store(double *to, lanes a)
{
    _mm256_store_pd(to, a);
}

static inline void lanes_store_where(lane_mask mask, double *to, lanes a)
{
    _mm256_maskstore_pd(to, _mm256_castpd_si256(mask), a);
}

static inline lanes lanes_all(double a)
{
    return _mm256_set1_pd(a);
}

/* 0, 1, 2, ... */
static inline lanes lanes_numbers(void)
{
    return _mm256_setr_pd(0, 1, 2, 3);
}

static inline lanes lanes_add(lanes a, lanes b)
{
    return _mm256_add_pd(a, b);
}

static inline lanes lanes_subtract(lanes a, lanes b)
{
    return _mm256_sub_pd(a, b);
}

static inline lanes lanes_multiply(lanes a, lanes b)
{
    return _mm256_mul_pd(a, b);
}

static inline lanes lanes_divide(lanes a, lanes b)
{
    return _mm256_div_pd(a, b);
}

static inline lanes lanes_root(lanes a)
{
    return _mm256_sqrt_pd(a);
}

static inline lanes lanes_min(lanes a, lanes b)
{
    return _mm256_min_pd(a, b);
}

static inline lanes lanes_size(lanes a)
{
    return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a);
}

static inline lane_mask lanes_less(lanes a, lanes b)
{
    return _mm256_cmp_pd(a, b, _CMP_LT_OQ);
}

static inline lane_mask mask_and(lane_mask a, lane_mask b)
{
    return _mm256_and_pd(a, b);
}

/* Lane 0 in the lowest bit. */
static inline unsigned mask_bits(lane_mask mask)
{
    return (unsigned)_mm256_movemask_pd(mask);
}

static inline lanes lanes_select(lane_mask mask, lanes yes, lanes no)
{
    return _mm256_blendv_pd(no, yes, mask);
}

static inline double lanes_least(lanes a)
{
    a = _mm256_min_pd(a, _mm256_permute2f128_pd(a, a, 1));
    return _mm256_cvtsd_f64(_mm256_min_pd(a, _mm256_permute_pd(a, 0x5)));
}

/* The bits of a, shifted left by 52. */
static inline lanes lanes_to_exponent(lanes a)
{
    return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(a), 52));
}

#include "common/kernels/jets/recombine_loops.h"

const struct recombine_loops recombine_loops_avx2 = RECOMBINE_PATH;
#endif
