/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_names: where the events of logs came from: from the numbers in it to stages and files. */
#ifndef TOOLS_CLUSTERSCAN_EVENTS_EVENT_NAMES_H
#define TOOLS_CLUSTERSCAN_EVENTS_EVENT_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "tools/clusterscan/events/result_logs.h"

struct event_names_source {
    char *stage;  /* "source 0" where no record has the name */
    size_t first; /* of its files among all */
    size_t n;     /* files */
};
struct event_names {
    size_t n_sources;
    struct event_names_source *source;
    size_t n_files;
    char **path;         /* [n_files] as text_printable writes them */
    uint64_t *first_row; /* [n_files] of the file among the rows of its source */
};
/* The file of an event; file n_files: not known, and row is then that over the whole source. */
struct event_row {
    size_t file;
    uint64_t row;
};

/* The sources of each log, from inputs.json and the journals in its folder,
 * sources[logs->n]; nothing, if they are not there. Those of several logs are numbered one after
 * the other. STATUS_NO_MEMORY. What is in *out is the caller's, to be given to event_names_fini. */
MUST_CHECK status event_names_read(struct event_names *out, const struct result_logs *logs,
                                   const uint32_t sources[]);
struct event_row event_names_find(const struct event_names *self, uint32_t source, uint64_t row);
/* Frees what is in *self and zeroes it. */
void event_names_fini(struct event_names *self);

#endif
