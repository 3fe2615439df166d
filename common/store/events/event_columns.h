/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_columns: particles as arrays, one behind the other, with the offsets of the events. Nothing
 * outside event_*.c includes this. */
#ifndef COMMON_STORE_EVENTS_EVENT_COLUMNS_H
#define COMMON_STORE_EVENTS_EVENT_COLUMNS_H

#include "common/store/events/event_layouts.h"

/* Opens the columns in /events; logs what does not fit. */
MUST_CHECK status event_columns_open(event_file *self);

#endif
