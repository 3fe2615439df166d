/* SPDX-License-Identifier: GPL-3.0-or-later */
/* atomic_file: a file that appears under its name whole or not at all.
 * The bytes go to PATH.tmp in the same folder (so that rename is atomic), are fsynced, the name
 * is changed and the folder fsynced. A crash leaves at most PATH.tmp, which the next writer of
 * PATH takes over; it is flocked meanwhile, so that two writers do not mix. */
#ifndef COMMON_STORE_DISK_ATOMIC_FILE_H
#define COMMON_STORE_DISK_ATOMIC_FILE_H

#include <stddef.h>

#include "common/base/status.h"

typedef struct atomic_file atomic_file;

/* What errno says, as a status: STATUS_NO_SPACE for a full disk or quota, STATUS_BAD_INPUT for a
 * name that cannot be (no such folder, a folder itself, not allowed, ...) and for a file larger
 * than it may be, else STATUS_IO. */
status status_of_errno(int error);

/* An empty PATH.tmp. Logged, save STATUS_NO_SPACE (the caller may want to try again in silence).
 * STATUS_LOCKED: another process is writing the same file. */
MUST_CHECK status atomic_file_create(atomic_file **out, const char *path);
/* The name PATH.tmp, for a library that opens files by itself; borrowed. */
const char *atomic_file_temporary(const atomic_file *self);
/* Appends bytes[size]. Logged, save STATUS_NO_SPACE. */
MUST_CHECK status atomic_file_write(atomic_file *self, size_t size, const void *bytes);
/* Makes what was written appear as PATH, replacing what was there, and frees *self. On an error
 * the temporary file is removed. Logged, save STATUS_NO_SPACE. */
MUST_CHECK status atomic_file_commit(atomic_file **self);
/* Gives up: removes the temporary file, frees *self. */
void atomic_file_destroy(atomic_file **self);

/* All of it for bytes in memory; what reached the disk is read back and compared before it gets
 * its name. */
MUST_CHECK status atomic_file_replace(const char *path, size_t size, const void *bytes);

/* fsyncs the folder in which path stands, so that its name survives a power cut. */
MUST_CHECK status parent_sync(const char *path);

#endif
