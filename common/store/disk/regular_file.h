/* SPDX-License-Identifier: GPL-3.0-or-later */
/* regular_file: opening a file that must be a regular one, without ever waiting: a named pipe, a
 * folder, a device or a symbolic link in its place is refused by name. */
#ifndef COMMON_STORE_DISK_REGULAR_FILE_H
#define COMMON_STORE_DISK_REGULAR_FILE_H

#include <stdbool.h>

#include "common/base/status.h"

/* Opens path with the flags of open(2) (and mode 0666, if one of them creates it); *fd is the
 * caller's. STATUS_END: there is no such file. Everything else is logged save STATUS_NO_SPACE:
 * STATUS_BAD_INPUT for what is no regular file or may not be opened, STATUS_IO for the rest. */
MUST_CHECK status regular_file_open(int *fd, const char *path, int flags);

/* Gives the file at path another name, which nothing has yet: PATH.suffix, else PATH.suffix.1 and
 * so on. Its name goes to to[4096]. STATUS_END: there is nothing at path. What is there is never
 * opened, so it may be anything. Logged. */
MUST_CHECK status move_aside(const char *path, const char *suffix, char to[4096]);

#endif
