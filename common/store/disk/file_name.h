/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file_name: names of files as UTF-8 text, whatever their bytes are, and back. */
#ifndef COMMON_STORE_DISK_FILE_NAME_H
#define COMMON_STORE_DISK_FILE_NAME_H

/* The name with every byte that is no part of UTF-8, every control character and every backslash as
 * \xNN; other names stay as they are. To be given to free; NULL when out of memory. */
char *file_name_to_text(const char *name);
/* The name of such a text. Likewise. */
char *file_name_from_text(const char *text);

#endif
