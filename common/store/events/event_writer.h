/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_writer: writes event files. */
#ifndef COMMON_STORE_EVENTS_EVENT_WRITER_H
#define COMMON_STORE_EVENTS_EVENT_WRITER_H

#include "common/base/status.h"
#include "common/records/event_batch.h"

/* Writes a `columns` file, whole or not at all: to a temporary name in the same folder, fsync,
 * rename. Rows are appended batch by batch; labels either always or never. */
typedef struct event_writer event_writer;
/* STATUS_BAD_INPUT for a path that cannot be written, STATUS_LOCKED while another process writes
 * it; from here on also STATUS_NO_SPACE and STATUS_IO. All are logged. */
MUST_CHECK status event_writer_create(event_writer **out, const char *path);
MUST_CHECK status event_writer_add(event_writer *self, const struct event_batch *batch);
/* Makes the file appear under its name and frees *self; on error nothing appears. */
MUST_CHECK status event_writer_commit(event_writer **self);
/* Gives up: removes the temporary file, frees *self. */
void event_writer_destroy(event_writer **self);

#endif
