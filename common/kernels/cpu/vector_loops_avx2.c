/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vector_loops_avx2: the hot loops of vector_loops.h for machines with AVX2 and FMA. */
#include "common/kernels/cpu/vector_loops.h"

#ifdef __x86_64__
#pragma GCC target("avx2,fma")
#include <immintrin.h>

typedef __m256 score_lanes;

static inline score_lanes score_min(score_lanes a, score_lanes b)
{
    return _mm256_min_ps(a, b);
}

static inline score_lanes score_max(score_lanes a, score_lanes b)
{
    return _mm256_max_ps(a, b);
}

#include "common/kernels/cpu/two_least.h"

/* The two least of all lanes, in every lane. */
static struct two_least across(struct two_least x)
{
    x = two_least_join(x, (struct two_least){_mm256_permute2f128_ps(x.best, x.best, 1),
                                             _mm256_permute2f128_ps(x.second, x.second, 1)});
    x = two_least_join(
        x, (struct two_least){_mm256_permute_ps(x.best, 0x4e), _mm256_permute_ps(x.second, 0x4e)});
    return two_least_join(
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

static __m256i load(const int32_t word[])
{
    return _mm256_load_si256((const __m256i *)(const void *)word);
}

static __m256 upper(__m256i word)
{
    return _mm256_cvtepi32_ps(word);
}

static __m256 lower(__m256i word)
{
    return _mm256_cvtepi32_ps(_mm256_slli_epi32(word, 16));
}

static struct nearest of_block(const struct score_table *table, size_t first, size_t n,
                               const uint16_t pixel[], const float value[])
{
    const float *start = table->start + first;
    __m256 s0 = _mm256_load_ps(start), s1 = _mm256_load_ps(start + 8);
    __m256 s2 = _mm256_load_ps(start + 16), s3 = _mm256_load_ps(start + 24);
    __m256 s4 = _mm256_load_ps(start + 32), s5 = _mm256_load_ps(start + 40);
    __m256 s6 = _mm256_load_ps(start + 48), s7 = _mm256_load_ps(start + 56);
    __m128 sum = _mm_setzero_ps();
    for (size_t i = 0; i < n; i++) {
        const int32_t *word = table->word + (pixel[i] * table->stride + first) / 2;
        const __m256 v = _mm256_set1_ps(value[i]);
        const __m256i a = load(word), b = load(word + 8), c = load(word + 16), d = load(word + 24);
        sum = _mm_add_ss(sum, _mm256_castps256_ps128(v));
        s0 = _mm256_fmadd_ps(lower(a), v, s0);
        s1 = _mm256_fmadd_ps(lower(b), v, s1);
        s2 = _mm256_fmadd_ps(upper(a), v, s2);
        s3 = _mm256_fmadd_ps(upper(b), v, s3);
        s4 = _mm256_fmadd_ps(lower(c), v, s4);
        s5 = _mm256_fmadd_ps(lower(d), v, s5);
        s6 = _mm256_fmadd_ps(upper(c), v, s6);
        s7 = _mm256_fmadd_ps(upper(d), v, s7);
    }
    const struct two_least least =
        across(two_least_join(two_least_join(two_least_of(s0, s1), two_least_of(s2, s3)),
                              two_least_join(two_least_of(s4, s5), two_least_of(s6, s7))));
    const __m256 score[8] = {s0, s1, s2, s3, s4, s5, s6, s7};
    return (struct nearest){_mm256_cvtss_f32(least.best), _mm256_cvtss_f32(least.second),
                            _mm_cvtss_f32(sum), (uint32_t)(first + first_of(score, least.best))};
}

static void find_nearest(const struct score_table *table, size_t n, const uint64_t offset[],
                         const uint16_t pixel[], const float value[], struct nearest found[])
{
    for (size_t i = 0; i < n; i++) {
        const size_t begin = (size_t)(offset[i] - offset[0]);
        const size_t some = (size_t)(offset[i + 1] - offset[i]);
        found[i] = of_block(table, 0, some, pixel + begin, value + begin);
        for (size_t first = VECTOR_BLOCK; first < table->stride; first += VECTOR_BLOCK)
            found[i] =
                nearest_join(found[i], of_block(table, first, some, pixel + begin, value + begin));
    }
}

static void find_nearest_of_two(const struct score_table *table, const struct score_table *other,
                                size_t n, const uint64_t offset[], const uint16_t pixel[],
                                const float value[], struct nearest found[],
                                struct nearest found_other[])
{
    find_nearest(table, n, offset, pixel, value, found);
    find_nearest(other, n, offset, pixel, value, found_other);
}

static void add_lanes(size_t n, const uint64_t offset[], const uint16_t pixel[],
                      const float value[], size_t stride, const double table[], double sum[])
{
    for (size_t i = 0; i < n; i++) {
        double *to = sum + i * VECTOR_LANES;
        __m256d low = _mm256_loadu_pd(to), high = _mm256_loadu_pd(to + 4);
        for (uint64_t j = offset[i] - offset[0]; j < offset[i + 1] - offset[0]; j++) {
            const double *row = table + pixel[j] * stride;
            const __m256d v = _mm256_set1_pd((double)value[j]);
            low = _mm256_add_pd(low, _mm256_mul_pd(v, _mm256_loadu_pd(row)));
            high = _mm256_add_pd(high, _mm256_mul_pd(v, _mm256_loadu_pd(row + 4)));
        }
        _mm256_storeu_pd(to, low);
        _mm256_storeu_pd(to + 4, high);
    }
}

/* AVX2 has no look-up in a table of sixteen doubles: the plain loop is used. */
static double sum_pairs(const struct smearing_factors *factors, size_t n, const uint64_t row[],
                        const uint64_t column[], const double value[])
{
    return vector_loops_plain.sum_pairs(factors, n, row, column, value);
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
    vector_loops_plain.weighted_sum(n, factor, stride, in + w, width - w, out + w);
}

static void take_roots(size_t n, const float in[], float out[])
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_sqrt_ps(_mm256_loadu_ps(in + i)));
    vector_loops_plain.take_roots(n - i, in + i, out + i);
}

const struct vector_loops vector_loops_avx2 = {
    .find_nearest = find_nearest,
    .find_nearest_of_two = find_nearest_of_two,
    .add_lanes = add_lanes,
    .sum_pairs = sum_pairs,
    .weighted_sum = weighted_sum,
    .take_roots = take_roots,
};
#endif
