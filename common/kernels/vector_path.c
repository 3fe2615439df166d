/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>

#include "common/kernels/codebook_internal.h"

enum codebook_path codebook_best_path(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        return CODEBOOK_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return CODEBOOK_AVX2;
#endif
    return CODEBOOK_PLAIN;
}

const struct vector_path *vector_path_of(enum codebook_path path)
{
    assert(path <= codebook_best_path());
#ifdef __x86_64__
    if (path == CODEBOOK_AVX512)
        return &vector_path_avx512;
    if (path == CODEBOOK_AVX2)
        return &vector_path_avx2;
#endif
    return &vector_path_plain;
}
