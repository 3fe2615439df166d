/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A result of 15 members of 50 clusters takes 5 MB of memory here. */
#include "common/store/results/result_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/disk/atomic_file.h"
#include "common/store/disk/hdf5_util.h"
#include "common/store/results/result_attributes.h"

status result_output_write(const char *path, bool (*fill)(hid_t file, const void *what),
                           const void *what)
{
    const hid_t file = hdf5_memory_file();
    uint8_t *bytes = NULL;
    size_t size;
    status outcome =
        file >= 0 && fill(file, what) ? hdf5_memory_file_bytes(file, &bytes, &size) : STATUS_IO;
    if (outcome != STATUS_OK)
        log_error("%s: HDF5 cannot build the result in memory", path);
    if (file >= 0)
        H5Fclose(file);
    if (outcome == STATUS_OK)
        outcome = atomic_file_replace(path, size, bytes);
    if (outcome == STATUS_NO_SPACE)
        log_error("%s: cannot be written: no space left", path);
    free(bytes);
    return outcome;
}

status result_output_make_way(const char *path, const char *run_id, bool *final)
{
    enum { NUMBERS = 10000 };
    char owner[33];
    *final = false;
    if (access(path, F_OK) != 0)
        return STATUS_OK;
    const bool ours = result_attributes_owner(path, owner, final);
    if (ours && strcmp(owner, run_id) == 0)
        return STATUS_OK;
    *final = false;
    for (int i = 1; i < NUMBERS; i++) {
        char kept[4200];
        snprintf(kept, sizeof kept, "%s.%d", path, i);
        if (renameat2(AT_FDCWD, path, AT_FDCWD, kept, RENAME_NOREPLACE) == 0) {
            log_warning("%s held %s%s: it is kept as %s", path,
                        ours ? "the result of run " : "what is no result of clusterscan",
                        ours ? owner : "", kept);
            return STATUS_OK;
        }
        if (errno != EEXIST)
            break;
    }
    log_error("%s cannot be renamed to make way for another result: %s", path, strerror(errno));
    return STATUS_IO;
}

bool result_output_edges(const struct result_access *to, const struct mass_bins *bins)
{
    double *edges = malloc(((size_t)bins->n + 1) * sizeof *edges);
    if (edges == NULL)
        return false;
    for (uint32_t i = 0; i <= bins->n; i++)
        edges[i] = mass_bins_edge(bins, i);
    const bool done = result_write(to, RESULT_EDGES, edges);
    free(edges);
    return done;
}
