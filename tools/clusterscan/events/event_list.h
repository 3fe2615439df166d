/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_list: anomalous events as a table for other programs.
 * CSV (RFC 4180): source, file, row, m_jj, label, members, jets_0, jets_1, ... one line an event;
 * label is empty where it is not known, file where no record names it: row counts over the whole
 * source then.
 * HDF5: /source u32, /file i32 (-1: not known), /row u64, /m_jj f32, /label i8 (-1: not known),
 * /members u32 [event]; /jets u8[event, member]; /sources, /files: the names, UTF-8. */
#ifndef TOOLS_CLUSTERSCAN_EVENTS_EVENT_LIST_H
#define TOOLS_CLUSTERSCAN_EVENTS_EVENT_LIST_H

#include <stdio.h>

#include "tools/clusterscan/events/anomalous_events.h"
#include "tools/clusterscan/events/event_names.h"

struct event_list {
    const struct anomalous_events *events;
    const struct event_names *names;
    size_t members;
};

void event_list_print(const struct event_list *self, FILE *to);
/* Each writes the file whole or not at all; errors as atomic_file.h, all logged. */
MUST_CHECK status event_list_write_csv(const struct event_list *self, const char *path);
MUST_CHECK status event_list_write_hdf5(const struct event_list *self, const char *path);

#endif
