/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path_avx512: the hot loops of codebook_internal.h for machines with AVX-512F. */
#include "common/kernels/codebook_internal.h"

#ifdef __x86_64__
#pragma GCC target("avx512f")
#include <immintrin.h>

/* Per lane the smallest and the second-smallest score so far. */
struct two_least {
    __m512 best;
    __m512 second;
};

static struct two_least of_two(__m512 a, __m512 b)
{
    return (struct two_least){_mm512_min_ps(a, b), _mm512_max_ps(a, b)};
}

static struct two_least join(struct two_least a, struct two_least b)
{
    const struct two_least bests = of_two(a.best, b.best);
    return (struct two_least){bests.best,
                              _mm512_min_ps(bests.second, _mm512_min_ps(a.second, b.second))};
}

/* The two least of all lanes, in every lane. */
static struct two_least across(struct two_least x)
{
    x = join(x, (struct two_least){_mm512_shuffle_f32x4(x.best, x.best, 0x4e),
                                   _mm512_shuffle_f32x4(x.second, x.second, 0x4e)});
    x = join(x, (struct two_least){_mm512_shuffle_f32x4(x.best, x.best, 0xb1),
                                   _mm512_shuffle_f32x4(x.second, x.second, 0xb1)});
    x = join(
        x, (struct two_least){_mm512_permute_ps(x.best, 0x4e), _mm512_permute_ps(x.second, 0x4e)});
    return join(
        x, (struct two_least){_mm512_permute_ps(x.best, 0xb1), _mm512_permute_ps(x.second, 0xb1)});
}

static uint64_t equal(__m512 score, __m512 best)
{
    return _mm512_cmp_ps_mask(score, best, _CMP_EQ_OQ);
}

static struct nearest of_block(const struct score_table *table, size_t first, size_t n,
                               const uint16_t pixel[], const float value[])
{
    const float *bias = table->bias + first;
    __m512 s0 = _mm512_load_ps(bias), s1 = _mm512_load_ps(bias + 16);
    __m512 s2 = _mm512_load_ps(bias + 32), s3 = _mm512_load_ps(bias + 48);
    for (size_t i = 0; i < n; i++) {
        const float *weight = table->weight + pixel[i] * table->stride + first;
        const __m512 v = _mm512_set1_ps(value[i]);
        s0 = _mm512_fmadd_ps(_mm512_load_ps(weight), v, s0);
        s1 = _mm512_fmadd_ps(_mm512_load_ps(weight + 16), v, s1);
        s2 = _mm512_fmadd_ps(_mm512_load_ps(weight + 32), v, s2);
        s3 = _mm512_fmadd_ps(_mm512_load_ps(weight + 48), v, s3);
    }
    const struct two_least least = across(join(of_two(s0, s1), of_two(s2, s3)));
    const uint64_t here = equal(s0, least.best) | equal(s1, least.best) << 16 |
                          equal(s2, least.best) << 32 | equal(s3, least.best) << 48;
    const size_t column = here != 0 ? (size_t)__builtin_ctzll(here) : 0; /* none if NaN */
    return (struct nearest){_mm512_cvtss_f32(least.best), _mm512_cvtss_f32(least.second),
                            first + column};
}

static struct nearest find_nearest(const struct score_table *table, size_t n,
                                   const uint16_t pixel[], const float value[])
{
    struct nearest found = of_block(table, 0, n, pixel, value);
    for (size_t first = CODEBOOK_BLOCK; first < table->stride; first += CODEBOOK_BLOCK)
        found = nearest_join(found, of_block(table, first, n, pixel, value));
    return found;
}

static void weighted_sum(size_t n, const double factor[], size_t stride, const double in[],
                         size_t width, double out[])
{
    size_t w = 0;
    for (; w + 8 <= width; w += 8) {
        __m512d sum = _mm512_setzero_pd();
        for (size_t i = 0; i < n; i++)
            sum = _mm512_add_pd(sum, _mm512_mul_pd(_mm512_set1_pd(factor[i]),
                                                   _mm512_loadu_pd(in + i * stride + w)));
        _mm512_storeu_pd(out + w, sum);
    }
    vector_path_plain.weighted_sum(n, factor, stride, in + w, width - w, out + w);
}

const struct vector_path vector_path_avx512 = {
    .find_nearest = find_nearest,
    .weighted_sum = weighted_sum,
};
#endif
