/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segment: image batches with consecutive places in one HDF5 file of the log.
 * /m_jj f32[n]; /jet/pt, eta, phi, mass, tau1, tau2, tau3 f32[2n], /jet/constituents u16[2n];
 * /offset u64[2n+1]; /pixel u16; /intensity f32; /label i8[n] if known (-1 where it is not);
 * /source u32, /seq u64, /row u64 per event; /batch/source u32, seq u64, first_row u64, read u32,
 * quarantined u32, dropped u32[batch, reason], events u32. Contiguous, uncompressed, no times:
 * the same batches give the same bytes. */
#ifndef COMMON_STORE_LOG_SEGMENT_H
#define COMMON_STORE_LOG_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/records/image_batch.h"
#include "common/store/log/segment_batch.h"

/* A segment read back whole into memory. */
typedef struct segment segment;
/* STATUS_BAD_INPUT (logged with the path) if the file is not a consistent segment. */
MUST_CHECK status segment_open(segment **out, const char *path);
void segment_close(segment **self);
size_t segment_batches(const segment *self);
/* All of them; borrowed from the segment. */
const struct segment_batch *segment_all(const segment *self);
/* Batch i as it was given to segment_build; arrays borrowed from the segment. */
void segment_get(const segment *self, size_t i, struct segment_batch *out);

#endif
