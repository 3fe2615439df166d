/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/disk/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "common/store/disk/atomic_file.h"

status folder_make(const char *path)
{
    char *part = strdup(path);
    if (part == NULL)
        return STATUS_NO_MEMORY;
    status outcome = STATUS_OK;
    for (size_t end = 1; outcome == STATUS_OK && end <= strlen(path); end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        part[end] = '\0';
        if (mkdir(part, 0777) == 0) {
            outcome = parent_sync(part);
        } else if (errno != EEXIST) {
            outcome = status_of_errno(errno);
            if (outcome != STATUS_NO_SPACE)
                log_error("%s: the folder cannot be made: %s", part, strerror(errno));
        }
        part[end] = path[end];
    }
    free(part);
    return outcome;
}
