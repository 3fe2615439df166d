/* SPDX-License-Identifier: GPL-3.0-or-later */
/* slice_scan: the composition scan of the events up to one slice, in pieces: each makes as many
 * toys as there are cores. The answer does not depend on the pieces. */
#ifndef STAGES_COMPOSITION_SCORER_SLICE_SCAN_H
#define STAGES_COMPOSITION_SCORER_SLICE_SCAN_H

#include <stdbool.h>

#include "common/base/status.h"
#include "common/kernels/statistics/composition.h"
#include "common/kernels/statistics/toy_null.h"
#include "common/records/scan_record.h"

typedef struct slice_scan slice_scan;

/* Starts the scan of the first `events` events, with so many toys (0, or at least 2) of that seed.
 * Borrows the composition, which may grow meanwhile. STATUS_NO_MEMORY. */
MUST_CHECK status slice_scan_create(slice_scan **out, composition *data, size_t events,
                                    uint32_t toys, uint64_t seed);
void slice_scan_destroy(slice_scan **self);
/* Makes some more toys; false if there are none left to make. */
bool slice_scan_work(slice_scan *self);
/* The answer once all toys are made: fills in everything of the record but slice, read and events.
 * Arrays are borrowed from *self. Windows is 0 if nothing can be tested. */
void slice_scan_answer(const slice_scan *self, struct scan_record *out);
/* The largest pull of every toy, [toys]; borrowed. */
const double *slice_scan_toy_pulls(const slice_scan *self);

#endif
