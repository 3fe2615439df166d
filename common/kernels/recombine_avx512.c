/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recombine_avx512: the hot loops of recombine.h for machines with AVX-512F. */
#include "common/kernels/recombine.h"

#ifdef __x86_64__
#pragma GCC target("avx512f")
#include <immintrin.h>

static __m512d distances2(const struct recombine_slots *slots, size_t k, __m512d rapidity,
                          __m512d phi)
{
    const __m512d y = _mm512_sub_pd(_mm512_load_pd(slots->rapidity + k), rapidity);
    const __m512d turn = _mm512_abs_pd(_mm512_sub_pd(_mm512_load_pd(slots->phi + k), phi));
    const __m512d back = _mm512_sub_pd(_mm512_set1_pd(6.283185307179586), turn);
    const __m512d near = _mm512_min_pd(turn, back);
    return _mm512_add_pd(_mm512_mul_pd(y, y), _mm512_mul_pd(near, near));
}

static struct meeting meet(struct recombine_slots *slots, const struct newcomer *newcomer)
{
    const __m512d rapidity = _mm512_set1_pd(newcomer->rapidity);
    const __m512d phi = _mm512_set1_pd(newcomer->phi);
    const __m512d own_weight = _mm512_set1_pd(newcomer->weight);
    const __m512i index = _mm512_set1_epi64(newcomer->index);
    __m512d best = _mm512_set1_pd(newcomer->radius2);
    __m512i where = _mm512_set1_epi64(INT64_MAX);
    __m512i here = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    for (size_t k = 0; k < slots->n; k += 8) {
        const __m512d distance2 = distances2(slots, k, rapidity, phi);
        const __m512d weight = _mm512_load_pd(slots->weight + k);
        const __m512d score = _mm512_mul_pd(distance2, weight);
        const __mmask8 lighter = _mm512_cmp_pd_mask(weight, own_weight, _CMP_LT_OQ);
        const __mmask8 closer =
            _mm512_mask_cmp_pd_mask(lighter, score, _mm512_load_pd(slots->score + k), _CMP_LT_OQ);
        if (closer != 0) {
            _mm512_mask_store_pd(slots->score + k, closer, score);
            _mm512_mask_store_epi64(slots->nearest + k, closer, index);
        }
        const __mmask8 mine =
            _mm512_mask_cmp_pd_mask((__mmask8)~lighter, distance2, best, _CMP_LT_OQ);
        best = _mm512_mask_mov_pd(best, mine, distance2);
        where = _mm512_mask_mov_epi64(where, mine, here);
        here = _mm512_add_epi64(here, _mm512_set1_epi64(8));
    }
    const double distance2 = _mm512_reduce_min_pd(best);
    if (!(distance2 < newcomer->radius2))
        return (struct meeting){newcomer->radius2, RECOMBINE_BEAM};
    const __mmask8 least = _mm512_cmp_pd_mask(best, _mm512_set1_pd(distance2), _CMP_EQ_OQ);
    return (struct meeting){distance2, _mm512_mask_reduce_min_epi64(least, where)};
}

static size_t least(const struct recombine_slots *slots)
{
    __m512d best = _mm512_load_pd(slots->score);
    for (size_t k = 8; k < slots->n; k += 8)
        best = _mm512_min_pd(best, _mm512_load_pd(slots->score + k));
    best = _mm512_set1_pd(_mm512_reduce_min_pd(best));
    for (size_t k = 0;; k += 8) {
        const __mmask8 found =
            _mm512_cmp_pd_mask(best, _mm512_load_pd(slots->score + k), _CMP_EQ_OQ);
        if (found != 0)
            return k + (size_t)__builtin_ctz(found);
    }
}

const struct recombine_path recombine_path_avx512 = {.meet = meet, .least = least};
#endif
