/* SPDX-License-Identifier: GPL-3.0-or-later */
/* anomalous_events: the events of a result's image logs, sorted by how many members of a result's
 * ensemble find a jet of theirs in a signal-rich cluster. */
#ifndef TOOLS_CLUSTERSCAN_EVENTS_ANOMALOUS_EVENTS_H
#define TOOLS_CLUSTERSCAN_EVENTS_ANOMALOUS_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store/results/result_tables.h"
#include "common/topology/schema/analysis.h"
#include "tools/clusterscan/events/result_logs.h"

struct anomalous_event {
    uint64_t order;    /* in the log, or of several in the order of all together */
    uint32_t source;   /* those of several logs are numbered one after the other */
    uint64_t row;      /* over all files of the source */
    double m_jj;       /* GeV */
    int8_t label;      /* -1: not known */
    uint32_t agreeing; /* members with a jet in a rich cluster */
    uint32_t jets;     /* in rich clusters, over all members */
    uint8_t *rich;     /* [members] 0, 1, 2 jets in rich clusters; owned */
};

/* Which events are wanted. */
struct event_wish {
    double window[2]; /* GeV, half-open */
    bool all;         /* those without a jet in a rich cluster too */
    size_t top;       /* the first of them only; 0: no limit */
};

struct anomalous_events {
    uint32_t *sources; /* [logs->n] of each log */
    size_t n;
    size_t room;
    struct anomalous_event *event; /* the most agreeing members first, then the most jets, then as
                                      in the log */
};

/* Labels the jets of every segment of the logs as the accumulators do. Memory: what is wanted and
 * one segment. STATUS_BAD_INPUT, logged, if a log is damaged or does not fit. */
MUST_CHECK status anomalous_events_find(struct anomalous_events *out,
                                        const struct result_logs *logs,
                                        const struct result_tables *tables,
                                        const struct analysis *analysis,
                                        const struct event_wish *wish);
/* Frees what is in *self and zeroes it. */
void anomalous_events_fini(struct anomalous_events *self);

#endif
