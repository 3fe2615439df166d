/* SPDX-License-Identifier: GPL-3.0-or-later */
/* instruction_set: the vector instructions that a machine has. */
#ifndef COMMON_KERNELS_CPU_INSTRUCTION_SET_H
#define COMMON_KERNELS_CPU_INSTRUCTION_SET_H

/* From narrow to wide. */
enum instruction_set { INSTRUCTION_SET_PLAIN, INSTRUCTION_SET_AVX2, INSTRUCTION_SET_AVX512 };
/* The widest that this machine has. */
enum instruction_set instruction_set_best(void);

#endif
