/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vector_loops_avx512: the hot loops of vector_loops.h for machines with AVX-512F. */
#include <stdbool.h>

#include "common/kernels/cpu/vector_loops.h"

#ifdef __x86_64__
#pragma GCC target("avx512f")
#include <immintrin.h>

typedef __m512 score_lanes;

static inline score_lanes score_min(score_lanes a, score_lanes b)
{
    return _mm512_min_ps(a, b);
}

static inline score_lanes score_max(score_lanes a, score_lanes b)
{
    return _mm512_max_ps(a, b);
}

#include "common/kernels/cpu/two_least.h"

/* The two least of all lanes, in every lane. */
static struct two_least across(struct two_least x)
{
    x = two_least_join(x, (struct two_least){_mm512_shuffle_f32x4(x.best, x.best, 0x4e),
                                             _mm512_shuffle_f32x4(x.second, x.second, 0x4e)});
    x = two_least_join(x, (struct two_least){_mm512_shuffle_f32x4(x.best, x.best, 0xb1),
                                             _mm512_shuffle_f32x4(x.second, x.second, 0xb1)});
    x = two_least_join(
        x, (struct two_least){_mm512_permute_ps(x.best, 0x4e), _mm512_permute_ps(x.second, 0x4e)});
    return two_least_join(
        x, (struct two_least){_mm512_permute_ps(x.best, 0xb1), _mm512_permute_ps(x.second, 0xb1)});
}

static uint64_t equal(__m512 score, __m512 best)
{
    return _mm512_cmp_ps_mask(score, best, _CMP_EQ_OQ);
}

static __m512 upper(__m512i word)
{
    return _mm512_cvtepi32_ps(word);
}

static __m512 lower(__m512i word)
{
    return _mm512_cvtepi32_ps(_mm512_slli_epi32(word, 16));
}

/* The float scores of one image for the columns of one block. */
struct block {
    __m512 s0, s1, s2, s3;
    __m128 sum; /* of the values */
};

static inline struct block start_block(const struct score_table *table, size_t first)
{
    const float *start = table->start + first;
    return (struct block){_mm512_load_ps(start), _mm512_load_ps(start + 16),
                          _mm512_load_ps(start + 32), _mm512_load_ps(start + 48), _mm_setzero_ps()};
}

static inline void add_pixel(struct block *x, const int32_t word[], __m512 v)
{
    const __m512i a = _mm512_load_si512(word), b = _mm512_load_si512(word + 16);
    x->s0 = _mm512_fmadd_ps(lower(a), v, x->s0);
    x->s1 = _mm512_fmadd_ps(upper(a), v, x->s1);
    x->s2 = _mm512_fmadd_ps(lower(b), v, x->s2);
    x->s3 = _mm512_fmadd_ps(upper(b), v, x->s3);
}

static inline void add_value(struct block *x, __m512 v)
{
    x->sum = _mm_add_ss(x->sum, _mm512_castps512_ps128(v));
}

static inline struct block score_block(const struct score_table *table, size_t first, size_t n,
                                       const uint16_t pixel[], const float value[])
{
    struct block x = start_block(table, first);
    const int32_t *words = table->word + first / 2;
    for (size_t i = 0; i < n; i++) {
        const __m512 v = _mm512_set1_ps(value[i]);
        add_value(&x, v);
        add_pixel(&x, words + pixel[i] * (table->stride / 2), v);
    }
    return x;
}

static inline struct nearest nearest_of_block(const struct block *x, size_t first)
{
    const struct two_least least =
        across(two_least_join(two_least_of(x->s0, x->s1), two_least_of(x->s2, x->s3)));
    const uint64_t here = equal(x->s0, least.best) | equal(x->s1, least.best) << 16 |
                          equal(x->s2, least.best) << 32 | equal(x->s3, least.best) << 48;
    const size_t column =
        here != 0 ? (size_t)__builtin_ctzll(here) : 0; /* column 0 if all scores are NaN */
    return (struct nearest){_mm512_cvtss_f32(least.best), _mm512_cvtss_f32(least.second),
                            _mm_cvtss_f32(x->sum), (uint32_t)(first + column)};
}

/* The best column of an image is searched while the next image is scored: otherwise the processor
 * would wait for the last sum. */
static void find_nearest_in_one(const struct score_table *table, size_t n, const uint64_t offset[],
                                const uint16_t pixel[], const float value[], struct nearest found[])
{
    struct block last = {0};
    for (size_t i = 0; i < n; i++) {
        const size_t begin = (size_t)(offset[i] - offset[0]);
        const size_t some = (size_t)(offset[i + 1] - offset[i]);
        const struct block next = score_block(table, 0, some, pixel + begin, value + begin);
        if (i > 0)
            found[i - 1] = nearest_of_block(&last, 0);
        last = next;
    }
    if (n > 0)
        found[n - 1] = nearest_of_block(&last, 0);
}

static void find_nearest(const struct score_table *table, size_t n, const uint64_t offset[],
                         const uint16_t pixel[], const float value[], struct nearest found[])
{
    find_nearest_in_one(table, n, offset, pixel, value, found);
    for (size_t i = 0; i < n && table->stride > VECTOR_BLOCK; i++) {
        const size_t begin = (size_t)(offset[i] - offset[0]);
        const size_t some = (size_t)(offset[i + 1] - offset[i]);
        for (size_t first = VECTOR_BLOCK; first < table->stride; first += VECTOR_BLOCK) {
            const struct block x = score_block(table, first, some, pixel + begin, value + begin);
            found[i] = nearest_join(found[i], nearest_of_block(&x, first));
        }
    }
}

/* Scores of two tables with one block each: every pixel is read once. */
static void find_nearest_in_pair(const struct score_table *table, const struct score_table *other,
                                 size_t n, const uint64_t offset[], const uint16_t pixel[],
                                 const float value[], struct nearest found[],
                                 struct nearest found_other[])
{
    enum { ROW = VECTOR_BLOCK / 2 };
    struct block last = {0}, last_other = {0};
    for (size_t i = 0; i < n; i++) {
        struct block x = start_block(table, 0), y = start_block(other, 0);
        for (uint64_t j = offset[i] - offset[0]; j < offset[i + 1] - offset[0]; j++) {
            const __m512 v = _mm512_set1_ps(value[j]);
            add_value(&x, v);
            add_pixel(&x, table->word + pixel[j] * ROW, v);
            add_pixel(&y, other->word + pixel[j] * ROW, v);
        }
        if (i > 0) {
            found[i - 1] = nearest_of_block(&last, 0);
            found_other[i - 1] = nearest_of_block(&last_other, 0);
        }
        y.sum = x.sum;
        last = x;
        last_other = y;
    }
    if (n > 0) {
        found[n - 1] = nearest_of_block(&last, 0);
        found_other[n - 1] = nearest_of_block(&last_other, 0);
    }
}

static void find_nearest_of_two(const struct score_table *table, const struct score_table *other,
                                size_t n, const uint64_t offset[], const uint16_t pixel[],
                                const float value[], struct nearest found[],
                                struct nearest found_other[])
{
    if (table->stride == VECTOR_BLOCK && other->stride == VECTOR_BLOCK) {
        find_nearest_in_pair(table, other, n, offset, pixel, value, found, found_other);
        return;
    }
    find_nearest(table, n, offset, pixel, value, found);
    find_nearest(other, n, offset, pixel, value, found_other);
}

static void add_lanes(size_t n, const uint64_t offset[], const uint16_t pixel[],
                      const float value[], size_t stride, const double table[], double sum[])
{
    for (size_t i = 0; i < n; i++) {
        __m512d s = _mm512_loadu_pd(sum + i * VECTOR_LANES);
        for (uint64_t j = offset[i] - offset[0]; j < offset[i + 1] - offset[0]; j++) {
            const __m512d v = _mm512_set1_pd((double)value[j]);
            s = _mm512_add_pd(s, _mm512_mul_pd(v, _mm512_loadu_pd(table + pixel[j] * stride)));
        }
        _mm512_storeu_pd(sum + i * VECTOR_LANES, s);
    }
}

/* The smearing factors in registers, from which lanes are permuted. */
struct factors {
    __m512d low, high; /* by distance */
    __m512i last;      /* 2 side - 1 */
};

static __m512d pick(const struct factors *self, __m512i distance)
{
    const __m512i known = _mm512_min_epu64(distance, _mm512_set1_epi64(FALLING - 1));
    return _mm512_permutex2var_pd(self->low, known, self->high);
}

/* Mirror-image terms of smearing_factor of i and eight j. */
static __m512d mirrored_part(const struct factors *self, __m512i i, __m512i j)
{
    const __m512i sum = _mm512_add_epi64(i, j);
    return _mm512_add_pd(pick(self, _mm512_add_epi64(sum, _mm512_set1_epi64(1))),
                         pick(self, _mm512_sub_epi64(self->last, sum)));
}

/* Eight consecutive entries of an image. */
struct eight {
    __m512i row, column;
};

/* Of pixel p and the eight, which are not below it: value (factor of rows times that of columns).
 */
static inline __m512d with_eight(const struct factors *factors, bool mirrored,
                                 const struct eight *q, uint64_t row, uint64_t column, double value)
{
    const __m512i r = _mm512_set1_epi64((int64_t)row), c = _mm512_set1_epi64((int64_t)column);
    const __m512i aside = _mm512_abs_epi64(_mm512_sub_epi64(c, q->column));
    __m512d by_row = pick(factors, _mm512_sub_epi64(r, q->row));
    __m512d by_column = pick(factors, aside);
    if (mirrored) {
        by_row = _mm512_add_pd(by_row, mirrored_part(factors, r, q->row));
        by_column = _mm512_add_pd(by_column, mirrored_part(factors, c, q->column));
    }
    return _mm512_mul_pd(_mm512_set1_pd(value), _mm512_mul_pd(by_row, by_column));
}

/* The inner sums of the eight pixels from `first` on. */
static inline __m512d others_of(const struct factors *factors, bool mirrored, uint64_t reach,
                                size_t first, size_t n, const uint64_t row[],
                                const uint64_t column[], const double value[])
{
    const struct eight q = {_mm512_loadu_si512(row + first), _mm512_loadu_si512(column + first)};
    const size_t last = n - first < 8 ? n - 1 : first + 7;
    __m512d others = _mm512_setzero_pd();
    size_t p = first + 1;
    for (; p <= last; p++) /* counts only for entries before it */
        others = _mm512_mask_add_pd(others, (__mmask8)((1u << (p - first)) - 1), others,
                                    with_eight(factors, mirrored, &q, row[p], column[p], value[p]));
    for (const uint64_t end = row[last] + reach; p < n && row[p] <= end; p++)
        others =
            _mm512_add_pd(others, with_eight(factors, mirrored, &q, row[p], column[p], value[p]));
    return others;
}

/* Minimum and maximum of some numbers. */
struct range {
    uint64_t least, most;
};

/* Range of n > 0 numbers; the padding up to a multiple of eight holds nothing outside it. */
static struct range range_of(size_t n, const uint64_t number[])
{
    __m512i least = _mm512_loadu_si512(number), most = least;
    for (size_t i = 8; i < n; i += 8) {
        least = _mm512_min_epu64(least, _mm512_loadu_si512(number + i));
        most = _mm512_max_epu64(most, _mm512_loadu_si512(number + i));
    }
    return (struct range){_mm512_reduce_min_epu64(least), _mm512_reduce_max_epu64(most)};
}

/* Whether the mirror image of a number of one range may lie near a number of the other. */
static bool may_mirror(const struct smearing_factors *factors, struct range a, struct range b)
{
    return a.least + b.least + 1 <= factors->reach ||
           2 * factors->side - 1 - a.most - b.most <= factors->reach;
}

static double sum_pairs(const struct smearing_factors *factors, size_t n, const uint64_t row[],
                        const uint64_t column[], const double value[])
{
    const struct factors ready = {_mm512_loadu_pd(factors->falling),
                                  _mm512_loadu_pd(factors->falling + 8),
                                  _mm512_set1_epi64((int64_t)(2 * factors->side - 1))};
    const uint64_t reach = factors->reach;
    const struct range rows = {row[0], row[n - 1]}, columns = range_of(n, column);
    __m512d sum = _mm512_setzero_pd();
    for (size_t first = 0; first < n; first += 8) {
        const size_t last = n - first < 8 ? n - 1 : first + 7;
        const bool mirrored = may_mirror(factors, rows, (struct range){row[first], row[last]}) ||
                              may_mirror(factors, columns, range_of(1, column + first));
        const __m512d others = mirrored
                                   ? others_of(&ready, true, reach, first, n, row, column, value)
                                   : others_of(&ready, false, reach, first, n, row, column, value);
        sum = _mm512_add_pd(sum, _mm512_mul_pd(_mm512_loadu_pd(value + first), others));
    }
    double s[8];
    _mm512_storeu_pd(s, sum);
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

static void weighted_sum(size_t n, const double factor[], size_t stride, const double in[],
                         size_t width, double out[])
{
    size_t w = 0;
    for (; w + 32 <= width; w += 32) { /* four sums, so that none waits for another */
        __m512d s0 = _mm512_setzero_pd(), s1 = s0, s2 = s0, s3 = s0;
        for (size_t i = 0; i < n; i++) {
            const __m512d f = _mm512_set1_pd(factor[i]);
            const double *row = in + i * stride + w;
            s0 = _mm512_add_pd(s0, _mm512_mul_pd(f, _mm512_loadu_pd(row)));
            s1 = _mm512_add_pd(s1, _mm512_mul_pd(f, _mm512_loadu_pd(row + 8)));
            s2 = _mm512_add_pd(s2, _mm512_mul_pd(f, _mm512_loadu_pd(row + 16)));
            s3 = _mm512_add_pd(s3, _mm512_mul_pd(f, _mm512_loadu_pd(row + 24)));
        }
        _mm512_storeu_pd(out + w, s0);
        _mm512_storeu_pd(out + w + 8, s1);
        _mm512_storeu_pd(out + w + 16, s2);
        _mm512_storeu_pd(out + w + 24, s3);
    }
    for (; w + 8 <= width; w += 8) {
        __m512d sum = _mm512_setzero_pd();
        for (size_t i = 0; i < n; i++)
            sum = _mm512_add_pd(sum, _mm512_mul_pd(_mm512_set1_pd(factor[i]),
                                                   _mm512_loadu_pd(in + i * stride + w)));
        _mm512_storeu_pd(out + w, sum);
    }
    vector_loops_plain.weighted_sum(n, factor, stride, in + w, width - w, out + w);
}

static void take_roots(size_t n, const float in[], float out[])
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm512_storeu_ps(out + i, _mm512_sqrt_ps(_mm512_loadu_ps(in + i)));
    vector_loops_plain.take_roots(n - i, in + i, out + i);
}

const struct vector_loops vector_loops_avx512 = {
    .find_nearest = find_nearest,
    .find_nearest_of_two = find_nearest_of_two,
    .add_lanes = add_lanes,
    .sum_pairs = sum_pairs,
    .weighted_sum = weighted_sum,
    .take_roots = take_roots,
};
#endif
