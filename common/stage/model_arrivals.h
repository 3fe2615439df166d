/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_arrivals: the check that every member of the ensemble has arrived as a model of the run's
 * shape, for all stages with an input of models. */
#ifndef COMMON_STAGE_MODEL_ARRIVALS_H
#define COMMON_STAGE_MODEL_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/records/model_record.h"
#include "common/topology/schema/analysis.h"

struct model_arrivals {
    uint32_t members; /* of the ensemble */
    uint32_t clusters;
    uint32_t pixels;
    bool *here; /* [members] */
};

/* STATUS_NO_MEMORY. */
MUST_CHECK status model_arrivals_init(struct model_arrivals *self, const struct analysis *analysis);
/* Also of one that is all zero. */
void model_arrivals_fini(struct model_arrivals *self);
/* Notes a model; a second one of the same member is accepted too. STATUS_BAD_INPUT, logged, if
 * member, clusters or pixels are not those of the analysis. */
MUST_CHECK status model_arrivals_note(struct model_arrivals *self,
                                      const struct model_record *record);
/* To be called at the end of the input. STATUS_BAD_INPUT, logged, if a member is missing. */
MUST_CHECK status model_arrivals_check(const struct model_arrivals *self);

#endif
