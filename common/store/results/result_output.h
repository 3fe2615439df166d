/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_output: how a stage puts a result file into place: built whole in memory, written whole or
 * not at all, and never over the result of another run. */
#ifndef COMMON_STORE_RESULTS_RESULT_OUTPUT_H
#define COMMON_STORE_RESULTS_RESULT_OUTPUT_H

#include <stdbool.h>

#include "common/base/status.h"
#include "common/kernels/statistics/mass_bins.h"
#include "common/store/results/result_dataset.h"

/* Has `fill` write `what` into a file in memory, and puts its bytes at path by way of a temporary
 * name in the same folder, fsync, rename, fsync of the folder. STATUS_BAD_INPUT for a path that
 * cannot be written, STATUS_LOCKED while another process writes it, STATUS_IO, STATUS_NO_SPACE; all
 * are logged. */
MUST_CHECK status result_output_write(const char *path, bool (*fill)(hid_t file, const void *what),
                                      const void *what);
/* Before the first write of a run: a file at path that is not this run's result is renamed to
 * path.1 (or .2 and so on, the first that is free), with a line that says so. *final: this run's
 * final result is there already. STATUS_IO, logged, if it cannot be renamed. */
MUST_CHECK status result_output_make_way(const char *path, const char *run_id, bool *final);
/* Writes the edges of the mass bins. False if HDF5 refuses or memory runs out. */
bool result_output_edges(const struct result_access *to, const struct mass_bins *bins);

#endif
