/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_table: rows of 700 x (pT, eta, phi) and perhaps a label, as pandas wrote them. Nothing
 * outside event_*.c includes this. */
#ifndef COMMON_STORE_EVENTS_EVENT_TABLE_H
#define COMMON_STORE_EVENTS_EVENT_TABLE_H

#include "common/store/events/event_layouts.h"

/* Opens the table /KEY/block0_values; logs what does not fit. */
MUST_CHECK status event_table_open(event_file *self, const char *key);

#endif
