/* SPDX-License-Identifier: GPL-3.0-or-later */
/* printable: texts of files and peers, so that a terminal shows them and obeys nothing in them. */
#ifndef COMMON_BASE_PRINTABLE_H
#define COMMON_BASE_PRINTABLE_H

#include <stddef.h>

/* Copies text to out[size], size > 4: every control character (C0, DEL and C1) and every byte that
 * is no part of UTF-8 becomes \xNN. What does not fit is cut, never within a character. */
void text_printable(const char *text, size_t size, char out[]);

#endif
