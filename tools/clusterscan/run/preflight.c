/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/preflight.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"

static status check_result(const char *stage, const char *path)
{
    struct stat there;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        log_error("stages.%s.settings.results: %s is %s, expected the name of a file", stage, path,
                  S_ISDIR(there.st_mode) ? "a folder" : "no regular file");
        return STATUS_BAD_INPUT;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    const char *folder = dirname(copy);
    status outcome = STATUS_OK;
    int error = 0;
    if (stat(folder, &there) != 0)
        error = errno;
    else if (!S_ISDIR(there.st_mode))
        error = ENOTDIR;
    else if (access(folder, W_OK | X_OK) != 0)
        error = errno;
    if (error != 0) {
        log_error("stages.%s.settings.results: %s cannot be written to the folder %s: %s", stage,
                  path, folder, strerror(error));
        outcome = STATUS_BAD_INPUT;
    }
    free(copy);
    return outcome;
}

status preflight_check(const topology *flow)
{
    status outcome = STATUS_OK;
    for (size_t s = 0; s < topology_n_stages(flow); s++) {
        const struct topology_stage *stage = topology_stage(flow, s);
        const char *path = json_string_value(json_object_get(stage->settings, "results"));
        const status checked =
            stage->ours && path != NULL ? check_result(stage->name, path) : STATUS_OK;
        if (checked != STATUS_OK)
            outcome = checked;
    }
    return outcome;
}
