/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_file: results.h5, the answer of one run, written whole or not at all.
 * Attributes (strings UTF-8 variable length, numbers u64): run_id, log_id (of the image log it was
 * made from, the name of its folder), version, analysis (YAML text), events_read,
 * events_counted, events_dropped, events_quarantined. Datasets:
 * /dropped/reason (fixed-length UTF-8 strings), /dropped/count u64; /edges f64[bins+1] GeV;
 * /codebook/centres f32[member,k,pixels], inertia f64, steps u64, seed u64 [member];
 * /spectra/counts u64[member,k,bins]; /selection/z f64[member,k,bins], label u8[member,k],
 * rich u64[member,bins], depleted u64, background f64; /score/mls f64[member], bin i32[member],
 * mls_mean, mls_median, mls_max, mls_min (scalars); /history/events u64, mls_mean f64 per slice;
 * /truth/signal_counts u64[member,k,bins] if the label of every event in the spectra is known and
 * there is one. No times: the same input gives the same bytes. */
#ifndef COMMON_STORE_RESULT_FILE_H
#define COMMON_STORE_RESULT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/kernels/records.h"
#include "common/kernels/spectra.h"
#include "common/status/status.h"

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
};

/* Writes path by way of a temporary name in the same folder, fsync, rename, fsync of the folder.
 * Refuses (STATUS_BAD_SHAPE, logged) a tally that does not add up or parts that do not fit each
 * other. STATUS_BAD_INPUT for a path that cannot be written, STATUS_LOCKED while another process
 * writes it, STATUS_IO, STATUS_NO_SPACE; all are logged. */
MUST_CHECK status result_file_write(const char *path, const struct result *result);

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
    double *background; /* [members, bins] */
    size_t slices;
};
/* STATUS_BAD_INPUT (logged with path and dataset) if it is no result file of ours. Filled arrays
 * are the caller's, to be given to result_summary_fini. */
MUST_CHECK status result_file_read(struct result_summary *out, const char *path);
/* The member with the largest significance, the lowest on a tie. */
size_t result_summary_best(const struct result_summary *self);
/* Frees what is in *self and zeroes it. */
void result_summary_fini(struct result_summary *self);

#endif
