/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_attributes: the attributes of a result file, which say of which run it is and what became
 * of the events, and its group of drop reasons. They are the same whichever stage writes the file.
 */
#ifndef COMMON_STORE_RESULTS_RESULT_ATTRIBUTES_H
#define COMMON_STORE_RESULTS_RESULT_ATTRIBUTES_H

#include <stdbool.h>

#include "common/base/status.h"
#include "common/records/tally.h"
#include "common/store/results/result_dataset.h"

/* What is written; the texts are borrowed. */
struct result_origin {
    const char *run_id;
    const char *log_id; /* of several logs with commas between */
    const char *version;
    const char *analysis;
    struct tally tally;
    bool final;
};

/* What is read; the texts are owned. */
struct result_attributes {
    char *run_id;
    char *log_id; /* of several logs with commas between; NULL: the file is of an earlier version */
    char *version;
    char *analysis;
    struct tally tally;
    bool final; /* true also where an earlier version has no such attribute */
};

/* Writes them into the file; to->lengths has the drop reasons. False if HDF5 refuses. */
bool result_attributes_write(const struct result_access *to, const struct result_origin *from);
/* Reads and checks them. STATUS_BAD_INPUT, logged with path and attribute, if it is no result file
 * of ours or the events do not add up; STATUS_NO_MEMORY. *out is to be given to
 * result_attributes_fini whatever is returned. */
MUST_CHECK status result_attributes_read(struct result_attributes *out, struct result_access *from);
/* Also of those that are all zero. */
void result_attributes_fini(struct result_attributes *self);

/* The run id and `final` of a result file of ours; false, nothing logged, if path is none. */
bool result_attributes_owner(const char *path, char run_id[33], bool *final);

#endif
