/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/cpu/vector_loops.h"

#include <assert.h>

const struct vector_loops *vector_loops_of(enum instruction_set set)
{
    assert(set <= instruction_set_best());
#ifdef __x86_64__
    if (set == INSTRUCTION_SET_AVX512)
        return &vector_loops_avx512;
    if (set == INSTRUCTION_SET_AVX2)
        return &vector_loops_avx2;
#endif
    return &vector_loops_plain;
}
