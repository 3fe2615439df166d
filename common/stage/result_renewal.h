/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_renewal: when a scorer writes its result file: after the first slice, then at most every
 * so often, and at the end. The settings `results` and `every` of the stage decide path and
 * interval. */
#ifndef COMMON_STAGE_RESULT_RENEWAL_H
#define COMMON_STAGE_RESULT_RENEWAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"

struct result_renewal {
    char *path;
    const char *run_id; /* borrowed */
    uint64_t every_ms;
    uint64_t written_ms; /* 0: not yet */
    bool final_there;    /* the final result of this run, from before the process was restarted */
};

/* STATUS_BAD_INPUT, logged, without `results`; STATUS_NO_MEMORY. */
MUST_CHECK status result_renewal_init(struct result_renewal *self, const json_t *settings,
                                      const char *run_id);
void result_renewal_fini(struct result_renewal *self);
/* After a slice: *due if the file is to be written now. The first time it makes way for it
 * (result_output_make_way, whose errors it has). */
MUST_CHECK status result_renewal_check(struct result_renewal *self, bool *due);

#endif
