/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/records/column_fault.h"

#include <stddef.h>

const char *column_offset_fault(uint32_t n, const uint32_t offset[], uint32_t end)
{
    if (offset[0] != 0 || offset[n] != end)
        return "offsets do not span the entries";
    for (uint32_t i = 0; i < n; i++)
        if (offset[i] > offset[i + 1])
            return "offsets go backwards";
    return NULL;
}

const char *column_label_fault(uint32_t n, const int8_t label[], int8_t least)
{
    for (uint32_t i = 0; label != NULL && i < n; i++)
        if (label[i] < least || label[i] > 1)
            return "a label is not 0 or 1";
    return NULL;
}
