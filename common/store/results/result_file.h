/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_file: results.h5, the answer of one run, written whole or not at all.
 * Attributes (strings UTF-8 variable length, numbers u64): run_id, log_id (of the image log it was
 * made from, the name of its folder), version, analysis (YAML text), events_read,
 * events_counted, events_dropped, events_quarantined, final (0 while the run may add to it, 1 at
 * its end). Datasets, each with attributes `units` and `description` (result_schema.h):
 * /dropped/reason (fixed-length UTF-8 strings), /dropped/count u64; /edges f64[bins+1] GeV;
 * /codebook/centres f32[member,k,pixels], inertia f64, steps u64, seed u64 [member];
 * /spectra/counts u64[member,k,bins]; /selection/z f64[member,k,bins], label u8[member,k],
 * rich u64[member,bins], depleted u64, background f64; /score/mls f64[member], bin i32[member],
 * mls_mean, mls_median, mls_max, mls_min (scalars); /history/events u64, mls_mean f64 per slice;
 * /truth/signal_counts u64[member,k,bins] if the label of every event in the spectra is known and
 * there is one; /verdict/name, state, text (what speaks against the answer, verdicts.h);
 * where there are any, /refused/file, reason: input files that were not taken, and
 * /quarantined/file, first_row, rows, reason: rows of files that no stage could work on. No times:
 * the same input gives the same bytes. */
#ifndef COMMON_STORE_RESULTS_RESULT_FILE_H
#define COMMON_STORE_RESULTS_RESULT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/statistics/mass_bins.h"
#include "common/kernels/statistics/verdicts.h"
#include "common/records/codebook_record.h"
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
    const struct codebook_record *codebooks;  /* [members], in order */
    const struct selection_record *selection; /* of the last slice */
    const struct score_record *score;         /* of the last slice */
    size_t slices;
    const uint64_t *history_events; /* [slices] read so far */
    const double *history_mean;     /* [slices] */
    const struct verdict *verdicts; /* [VERDICT_CHECKS] */
    const struct input_notes *notes;
    bool final;
};

/* Writes path by way of a temporary name in the same folder, fsync, rename, fsync of the folder.
 * Refuses (STATUS_BAD_SHAPE, logged) a tally that does not add up or parts that do not fit each
 * other. STATUS_BAD_INPUT for a path that cannot be written, STATUS_LOCKED while another process
 * writes it, STATUS_IO, STATUS_NO_SPACE; all are logged. */
MUST_CHECK status result_file_write(const char *path, const struct result *result);
/* Before the first write of a run: what stands at path and is not this run's result is renamed to
 * path.1 (or .2 and so on, the first that is free), with a line that says so. *final tells whether
 * this run's final result is there already. STATUS_IO, logged, if it cannot be renamed. */
MUST_CHECK status result_file_make_way(const char *path, const char *run_id, bool *final);

/* A verdict as a file tells it. */
struct result_verdict {
    char *name;
    enum verdict_state state;
    char *text;
};

/* The run id and `final` of a result file of ours; false, nothing logged, if path is none. */
bool result_file_owner(const char *path, char run_id[33], bool *final);

/* What `report` needs of a result file. */
struct result_summary {
    char *run_id;
    char *log_id; /* NULL: the file is of an earlier version, which did not tell it */
    char *version;
    char *analysis;
    struct tally tally; /* dropped[] by name; unknown reasons are an error */
    uint32_t bins;
    double *edges; /* [bins + 1] */
    size_t members;
    size_t clusters;
    double *mls;  /* [members] */
    int32_t *bin; /* [members] */
    double mls_mean, mls_median, mls_max, mls_min;
    uint8_t *label;     /* [members, clusters] */
    uint64_t *rich;     /* [members, bins] */
    uint64_t *depleted; /* [members, bins]; NULL: the file does not tell */
    double *background; /* [members, bins] */
    size_t slices;
    uint64_t *history_events; /* [slices] */
    double *history_mean;     /* [slices]; NULL: the file does not tell */
    size_t n_verdicts;        /* 0: the file is of an earlier version, which made none */
    struct result_verdict *verdicts;
    struct input_notes notes; /* sources are not told */
    bool final;               /* true also where an earlier version did not tell */
};
/* STATUS_BAD_INPUT (logged with path and dataset) if it is no result file of ours. Filled arrays
 * are the caller's, to be given to result_summary_fini. */
MUST_CHECK status result_file_read(struct result_summary *out, const char *path);
/* The worst of its verdicts; good if it has none. */
enum verdict_state result_summary_worst(const struct result_summary *self);
/* The member with the largest significance, the lowest on a tie. */
size_t result_summary_best(const struct result_summary *self);
/* Frees what is in *self and zeroes it. */
void result_summary_fini(struct result_summary *self);

#endif
