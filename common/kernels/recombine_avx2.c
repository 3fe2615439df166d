/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recombine_avx2: the hot loops of recombine.h for machines with AVX2. */
#include "common/kernels/recombine.h"

#ifdef __x86_64__
#pragma GCC target("avx2")
#include <immintrin.h>

static __m256d distances2(const struct recombine_slots *slots, size_t k, __m256d rapidity,
                          __m256d phi)
{
    const __m256d y = _mm256_sub_pd(_mm256_load_pd(slots->rapidity + k), rapidity);
    const __m256d turn =
        _mm256_andnot_pd(_mm256_set1_pd(-0.0), _mm256_sub_pd(_mm256_load_pd(slots->phi + k), phi));
    const __m256d back = _mm256_sub_pd(_mm256_set1_pd(6.283185307179586), turn);
    const __m256d near = _mm256_min_pd(turn, back);
    return _mm256_add_pd(_mm256_mul_pd(y, y), _mm256_mul_pd(near, near));
}

/* Of the four lanes the least distance, the lowest slot of equals. */
static struct meeting nearest_of(__m256d best, __m256d where, double radius2)
{
    alignas(32) double distance2[4];
    alignas(32) int64_t slot[4];
    _mm256_store_pd(distance2, best);
    _mm256_store_si256((__m256i *)slot, _mm256_castpd_si256(where));
    struct meeting met = {radius2, RECOMBINE_BEAM};
    for (int lane = 0; lane < 4; lane++)
        if (distance2[lane] < met.distance2 || (distance2[lane] == met.distance2 &&
                                                distance2[lane] < radius2 && slot[lane] < met.slot))
            met = (struct meeting){distance2[lane], slot[lane]};
    return met;
}

static struct meeting meet(struct recombine_slots *slots, const struct newcomer *newcomer)
{
    const __m256d rapidity = _mm256_set1_pd(newcomer->rapidity);
    const __m256d phi = _mm256_set1_pd(newcomer->phi);
    const __m256d own_weight = _mm256_set1_pd(newcomer->weight);
    const __m256i index = _mm256_set1_epi64x(newcomer->index);
    __m256d best = _mm256_set1_pd(newcomer->radius2);
    __m256d where = _mm256_setzero_pd();
    __m256i here = _mm256_setr_epi64x(0, 1, 2, 3);
    for (size_t k = 0; k < slots->n; k += 4) {
        const __m256d distance2 = distances2(slots, k, rapidity, phi);
        const __m256d weight = _mm256_load_pd(slots->weight + k);
        const __m256d score = _mm256_mul_pd(distance2, weight);
        const __m256d lighter = _mm256_cmp_pd(weight, own_weight, _CMP_LT_OQ);
        const __m256d closer = _mm256_and_pd(
            lighter, _mm256_cmp_pd(score, _mm256_load_pd(slots->score + k), _CMP_LT_OQ));
        if (_mm256_movemask_pd(closer) != 0) {
            const __m256i mask = _mm256_castpd_si256(closer);
            _mm256_maskstore_pd(slots->score + k, mask, score);
            _mm256_maskstore_epi64((long long *)slots->nearest + k, mask, index);
        }
        const __m256d mine = _mm256_andnot_pd(lighter, _mm256_cmp_pd(distance2, best, _CMP_LT_OQ));
        best = _mm256_blendv_pd(best, distance2, mine);
        where = _mm256_blendv_pd(where, _mm256_castsi256_pd(here), mine);
        here = _mm256_add_epi64(here, _mm256_set1_epi64x(4));
    }
    return nearest_of(best, where, newcomer->radius2);
}

static size_t least(const struct recombine_slots *slots)
{
    __m256d best = _mm256_load_pd(slots->score);
    for (size_t k = 4; k < slots->n; k += 4)
        best = _mm256_min_pd(best, _mm256_load_pd(slots->score + k));
    best = _mm256_min_pd(best, _mm256_permute2f128_pd(best, best, 1));
    best = _mm256_min_pd(best, _mm256_permute_pd(best, 0x5));
    for (size_t k = 0;; k += 4) {
        const int found =
            _mm256_movemask_pd(_mm256_cmp_pd(best, _mm256_load_pd(slots->score + k), _CMP_EQ_OQ));
        if (found != 0)
            return k + (size_t)__builtin_ctz((unsigned)found);
    }
}

const struct recombine_path recombine_path_avx2 = {.meet = meet, .least = least};
#endif
