/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intakes: the intake edges of a worker or the log, one to every process that sends to it. */
#ifndef COMMON_STAGE_ROLES_INTAKES_H
#define COMMON_STAGE_ROLES_INTAKES_H

#include "common/flow/credit/intake.h"
#include "common/stage/roles/role.h"

struct intakes {
    size_t n;
    intake **in;   /* [n] */
    size_t *input; /* [n] which of the stage's inputs it belongs to */
};

/* Connects to every process of every input, each with so many credits. Also after a failure to be
 * closed by intakes_close. */
MUST_CHECK status intakes_open(struct intakes *self, struct runtime *runtime, uint64_t credits);
void intakes_close(struct intakes *self);

#endif
