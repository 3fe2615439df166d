/* SPDX-License-Identifier: GPL-3.0-or-later */
/* column_fault: what may be wrong with a column of a batch. Nothing outside this room includes
 * this. */
#ifndef COMMON_RECORDS_COLUMN_FAULT_H
#define COMMON_RECORDS_COLUMN_FAULT_H

#include <stdint.h>

/* NULL, or what is wrong with offset[n + 1], which begins with 0 and ascends to end. */
const char *column_offset_fault(uint32_t n, const uint32_t offset[], uint32_t end);
/* NULL, or what is wrong with label[n] (NULL: none), which are least .. 1. */
const char *column_label_fault(uint32_t n, const int8_t label[], int8_t least);

#endif
