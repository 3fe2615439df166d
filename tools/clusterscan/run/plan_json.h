/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan_json: a plan as JSON, for `clusterscan plan` and for the provenance of a result. */
#ifndef TOOLS_CLUSTERSCAN_RUN_PLAN_JSON_H
#define TOOLS_CLUSTERSCAN_RUN_PLAN_JSON_H

#include <jansson.h>

#include "tools/clusterscan/run/plan.h"

/* All of it; a new reference, NULL when out of memory. */
json_t *plan_json(const struct plan *plan);
/* The folders of the images: of one log a text, of several a list; likewise. */
json_t *plan_json_images(const struct plan *plan);

#endif
