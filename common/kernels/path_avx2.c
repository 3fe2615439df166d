/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path_avx2: the hot loops of codebook_internal.h for machines with AVX2 and FMA. */
#include "common/kernels/codebook_internal.h"

#ifdef __x86_64__
#pragma GCC target("avx2,fma")
#include <immintrin.h>

/* Per lane the smallest and the second-smallest score so far. */
struct two_least {
    __m256 best;
    __m256 second;
};

static struct two_least of_two(__m256 a, __m256 b)
{
    return (struct two_least){_mm256_min_ps(a, b), _mm256_max_ps(a, b)};
}

static struct two_least join(struct two_least a, struct two_least b)
{
    const struct two_least bests = of_two(a.best, b.best);
    return (struct two_least){bests.best,
                              _mm256_min_ps(bests.second, _mm256_min_ps(a.second, b.second))};
}

/* The two least of all lanes, in every lane. */
static struct two_least across(struct two_least x)
{
    x = join(x, (struct two_least){_mm256_permute2f128_ps(x.best, x.best, 1),
                                   _mm256_permute2f128_ps(x.second, x.second, 1)});
    x = join(
        x, (struct two_least){_mm256_permute_ps(x.best, 0x4e), _mm256_permute_ps(x.second, 0x4e)});
    return join(
        x, (struct two_least){_mm256_permute_ps(x.best, 0xb1), _mm256_permute_ps(x.second, 0xb1)});
}

/* The first of the block's columns whose score is best; 0 if none is (NaN). */
static size_t first_of(const __m256 score[8], __m256 best)
{
    for (size_t j = 0; j < 8; j++) {
        const int equal = _mm256_movemask_ps(_mm256_cmp_ps(score[j], best, _CMP_EQ_OQ));
        if (equal != 0)
            return 8 * j + (size_t)__builtin_ctz((unsigned)equal);
    }
    return 0;
}

static struct nearest of_block(const struct score_table *table, size_t first, size_t n,
                               const uint16_t pixel[], const float value[])
{
    const float *bias = table->bias + first;
    __m256 s0 = _mm256_load_ps(bias), s1 = _mm256_load_ps(bias + 8);
    __m256 s2 = _mm256_load_ps(bias + 16), s3 = _mm256_load_ps(bias + 24);
    __m256 s4 = _mm256_load_ps(bias + 32), s5 = _mm256_load_ps(bias + 40);
    __m256 s6 = _mm256_load_ps(bias + 48), s7 = _mm256_load_ps(bias + 56);
    for (size_t i = 0; i < n; i++) {
        const float *weight = table->weight + pixel[i] * table->stride + first;
        const __m256 v = _mm256_set1_ps(value[i]);
        s0 = _mm256_fmadd_ps(_mm256_load_ps(weight), v, s0);
        s1 = _mm256_fmadd_ps(_mm256_load_ps(weight + 8), v, s1);
        s2 = _mm256_fmadd_ps(_mm256_load_ps(weight + 16), v, s2);
        s3 = _mm256_fmadd_ps(_mm256_load_ps(weight + 24), v, s3);
        s4 = _mm256_fmadd_ps(_mm256_load_ps(weight + 32), v, s4);
        s5 = _mm256_fmadd_ps(_mm256_load_ps(weight + 40), v, s5);
        s6 = _mm256_fmadd_ps(_mm256_load_ps(weight + 48), v, s6);
        s7 = _mm256_fmadd_ps(_mm256_load_ps(weight + 56), v, s7);
    }
    const struct two_least least =
        across(join(join(of_two(s0, s1), of_two(s2, s3)), join(of_two(s4, s5), of_two(s6, s7))));
    const __m256 score[8] = {s0, s1, s2, s3, s4, s5, s6, s7};
    return (struct nearest){_mm256_cvtss_f32(least.best), _mm256_cvtss_f32(least.second),
                            first + first_of(score, least.best)};
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
    for (; w + 4 <= width; w += 4) {
        __m256d sum = _mm256_setzero_pd();
        for (size_t i = 0; i < n; i++)
            sum = _mm256_add_pd(sum, _mm256_mul_pd(_mm256_set1_pd(factor[i]),
                                                   _mm256_loadu_pd(in + i * stride + w)));
        _mm256_storeu_pd(out + w, sum);
    }
    vector_path_plain.weighted_sum(n, factor, stride, in + w, width - w, out + w);
}

const struct vector_path vector_path_avx2 = {
    .find_nearest = find_nearest,
    .weighted_sum = weighted_sum,
};
#endif
