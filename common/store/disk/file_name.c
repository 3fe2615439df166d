/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/disk/file_name.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/printable.h"

enum { ESCAPE = 4 }; /* bytes of \xNN */

/* The backslash, which text_printable leaves alone, begins every escape. */
static char *hide_backslashes(const char *name)
{
    char *hidden = malloc(ESCAPE * strlen(name) + 1);
    char *end = hidden;
    for (; hidden != NULL && *name != '\0'; name++)
        end = *name == '\\' ? stpcpy(end, "\\x5c") : (*end = *name, end + 1);
    if (hidden != NULL)
        *end = '\0';
    return hidden;
}

char *file_name_to_text(const char *name)
{
    char *hidden = hide_backslashes(name);
    const size_t room = ESCAPE * strlen(name) + ESCAPE + 1;
    char *text = hidden != NULL ? malloc(room) : NULL;
    if (text != NULL)
        text_printable(hidden, room, text);
    free(hidden);
    return text;
}

static int digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static int is_escape(const char *at)
{
    return at[0] == '\\' && at[1] == 'x' && isxdigit((unsigned char)at[2]) &&
           isxdigit((unsigned char)at[3]);
}

char *file_name_from_text(const char *text)
{
    char *name = malloc(strlen(text) + 1);
    char *end = name;
    while (name != NULL && *text != '\0') {
        const int escaped = is_escape(text);
        *end++ = escaped ? (char)(16 * digit(text[2]) + digit(text[3])) : *text;
        text += escaped ? ESCAPE : 1;
    }
    if (name != NULL)
        *end = '\0';
    return name;
}
