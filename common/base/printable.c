/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/base/printable.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Bytes of the character at text that may be shown; 0 if its first byte may not. Shortest forms
 * only, no surrogates (RFC 3629). */
static size_t shown_length(const unsigned char text[])
{
    const unsigned char first = text[0];
    if (first < 0x80)
        return first >= ' ' && first != 0x7f ? 1 : 0;
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (!is_continuation(text[i])) /* a closing zero is none */
            return 0;
    const bool control = first == 0xc2 && text[1] < 0xa0;
    const bool longer = (first == 0xe0 && text[1] < 0xa0) || (first == 0xf0 && text[1] < 0x90);
    const bool beyond = (first == 0xed && text[1] > 0x9f) || (first == 0xf4 && text[1] > 0x8f);
    return control || longer || beyond ? 0 : length;
}

void text_printable(const char *text, size_t size, char out[])
{
    enum { ESCAPE = 4 };
    assert(size > ESCAPE);
    size_t used = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        const size_t length = shown_length(at);
        if (used + (length > 0 ? length : ESCAPE) >= size)
            break;
        if (length > 0)
            memcpy(out + used, at, length);
        else
            snprintf(out + used, size - used, "\\x%02x", *at);
        used += length > 0 ? length : ESCAPE;
        at += length > 0 ? length : 1;
    }
    out[used] = '\0';
}
