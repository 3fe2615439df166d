/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packed_rows: rows of float64, or a column of float32, that HDF5 keeps in chunks of whole rows,
 * deflated, shuffled or not: what pandas and the LHC Olympics write. The chunks are taken as they
 * lie in the file and inflated by libdeflate, which is faster than the zlib inside HDF5, and a row
 * is put back in order only up to its last number that is not 0: three quarters of most are
 * padding. A chunk that was written without one of the filters is left to HDF5. */
#ifndef COMMON_STORE_EVENTS_PACKED_ROWS_H
#define COMMON_STORE_EVENTS_PACKED_ROWS_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

typedef struct packed_rows packed_rows;

/* For a dataset of two dimensions or one, borrowed until packed_rows_close. *out is NULL, with
 * STATUS_OK, if it is kept in another way: let HDF5 read it then. */
MUST_CHECK status packed_rows_open(packed_rows **out, hid_t dataset);
void packed_rows_close(packed_rows **self);

/* Makes the chunk of that row the current one. False if it cannot be read or inflated. Reading
 * forward inflates each chunk once. */
bool packed_rows_seek(packed_rows *self, uint64_t row);
/* Reads float64 numbers first .. first + n - 1 of the wanted row into out[n + 7], up to the last
 * one that is not 0; returns how many these are. Up to seven elements behind them are overwritten.
 */
size_t packed_rows_get(const packed_rows *self, size_t first, size_t n, double out[]);
/* Reads n numbers of a column from `first` on. False as for packed_rows_seek. */
bool packed_rows_column(packed_rows *self, uint64_t first, uint64_t n, float out[]);

#endif
