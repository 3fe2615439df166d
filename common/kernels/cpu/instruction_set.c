/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/cpu/instruction_set.h"

enum instruction_set instruction_set_best(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        return INSTRUCTION_SET_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return INSTRUCTION_SET_AVX2;
#endif
    return INSTRUCTION_SET_PLAIN;
}
