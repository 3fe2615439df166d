/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_file: results.h5, the answer of one run, written whole or not at all.
 * Attributes (strings UTF-8 variable length, numbers u64): run_id, log_id (of the image log it was
 * made from, the name of its folder; of several logs with commas between), version, analysis (YAML
 * text), events_read, events_counted, events_dropped, events_quarantined, final (0 while the run
 * may add to it, 1 at its end). The datasets are those of result_schema.h, each with attributes
 * `units` and `description`; the group of the true labels is there if the label of every event in
 * the spectra is known and there is one, those of refused files and of quarantined rows where there
 * are any. No times: the same input gives the same bytes. */
#ifndef COMMON_STORE_RESULTS_RESULT_FILE_H
#define COMMON_STORE_RESULTS_RESULT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/statistics/mass_bins.h"
#include "common/kernels/statistics/verdicts.h"
#include "common/records/model_record.h"
#include "common/records/score_record.h"
#include "common/records/selection_record.h"
#include "common/records/tally.h"
#include "common/store/events/input_notes.h"

struct result {
    const char *run_id;
    const char *log_id;
    const char *version;
    const char *analysis;
    struct mass_bins bins;
    size_t members;
    const struct model_record *models;        /* [members], in order */
    const struct selection_record *selection; /* of the last slice */
    const struct score_record *score;         /* of the last slice */
    size_t slices;
    const uint64_t *history_events; /* [slices] read so far */
    const double *history_mean;     /* [slices] */
    const struct verdict *verdicts; /* [VERDICT_CHECKS] */
    const struct input_notes *notes;
    bool final;
};

/* Writes path as result_output_write does. Refuses (STATUS_BAD_SHAPE, logged) a tally that does not
 * add up or parts that do not fit each other. */
MUST_CHECK status result_file_write(const char *path, const struct result *result);

#endif
