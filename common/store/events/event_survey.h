/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_survey: which tables of events an HDF5 file holds, at its root or in nested groups. Nothing
 * outside event_*.c includes this. */
#ifndef COMMON_STORE_EVENTS_EVENT_SURVEY_H
#define COMMON_STORE_EVENTS_EVENT_SURVEY_H

#include <hdf5.h>
#include <stdbool.h>

#include "common/base/status.h"

enum { EVENT_TABLES_MAX = 16, EVENT_LINKS_MAX = 10000 };

struct event_survey {
    size_t n;                      /* tables, at most EVENT_TABLES_MAX are told */
    char *table[EVENT_TABLES_MAX]; /* groups with block0_values, "df" or "a/b/df", by name */
    bool more;
    char *linked;      /* a link that may lead to one: at the root, or to block0_values; or NULL */
    char *frame_table; /* a group in pandas' format='table', or NULL */
    char names[200];   /* of the first things at the root, for people */
    size_t links;      /* looked at, no more than EVENT_LINKS_MAX */
};

/* Follows hard links only. STATUS_BAD_INPUT, not logged, if the groups cannot be read; *out is to
 * be given to event_survey_fini all the same. */
MUST_CHECK status event_survey_make(struct event_survey *out, hid_t file);
/* "/a, /b and more"; cut where it does not fit. */
void event_survey_list(const struct event_survey *self, size_t size, char out[]);
void event_survey_fini(struct event_survey *self);

#endif
