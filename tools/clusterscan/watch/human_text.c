/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/watch/human_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *number_text(uint64_t value, char out[NUMBER_TEXT_SIZE])
{
    char digits[NUMBER_TEXT_SIZE];
    const size_t n = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, value);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *duration_text(uint64_t seconds, char out[NUMBER_TEXT_SIZE])
{
    const uint64_t hours = seconds / 3600;
    const unsigned minutes = (unsigned)(seconds / 60 % 60);
    const unsigned rest = (unsigned)(seconds % 60);
    if (hours > 0)
        snprintf(out, NUMBER_TEXT_SIZE, "%" PRIu64 ":%02u:%02u", hours, minutes, rest);
    else
        snprintf(out, NUMBER_TEXT_SIZE, "%u:%02u", minutes, rest);
    return out;
}
