/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_ids: the names of image logs and of a run, made of what they depend on (docs/design.md,
 * section 4). The same input and settings give the same ids on every machine; replicas, transport,
 * the log's own settings and the names of files do not count. */
#ifndef TOOLS_CLUSTERSCAN_RUN_RUN_IDS_H
#define TOOLS_CLUSTERSCAN_RUN_RUN_IDS_H

#include <jansson.h>

#include "common/base/status.h"
#include "common/topology/topology.h"
#include "common/wire/frame.h"
#include "tools/clusterscan/run/content_book.h"

struct run_ids {
    char run_id[RUN_ID_SIZE];
    char log_id[TOPOLOGY_STAGES_MAX][RUN_ID_SIZE];   /* of log k of the topology */
    char log_ids[TOPOLOGY_STAGES_MAX * RUN_ID_SIZE]; /* all of them, with commas between */
};

/* files[i]: expanded list of stage i, NULL where it is no reader of ours. Opens every event file:
 * STATUS_BAD_INPUT, logged, if one is not what it must be, or if two logs would keep the same
 * images. A file counts by all of its bytes, which the book knows or reads; a followed folder by
 * its path; a foreign command by its words and by the bytes of every file that a word names.
 * contents[i], for each such list, gets what the reader is to find (the files' part of
 * common/stage/setup.h); the caller's. */
MUST_CHECK status run_ids_make(struct run_ids *out, const topology *flow, json_t *const files[],
                               content_book *book, json_t *contents[]);
/* The run id of a replay, whose log_id[k] are there: those of the runs that made the logs. */
MUST_CHECK status run_ids_make_replay(struct run_ids *out, const topology *flow,
                                      content_book *book);

#endif
