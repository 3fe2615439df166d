/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_file: events in HDF5 files, in any of the layouts we know.
 *   lhco-table  /KEY/block0_values (KEY may be nested: a/b/c), N x 2101 (label last) or N x 2100
 * (label unknown, or from a masterkey text file with one label a line), float64 or float32: pandas
 * 'fixed' files of the LHC Olympics; a row is 700 x (pT, eta, phi), padded with zeros columns
 * /events/offset u64[N+1], /events/pt, eta, phi f32, optional /events/label i8 */
#ifndef COMMON_STORE_EVENTS_EVENT_FILE_H
#define COMMON_STORE_EVENTS_EVENT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/records/event_batch.h"
#include "common/store/disk/content.h"
#include "common/store/events/event_labels.h"

enum event_layout { LAYOUT_LHCO_TABLE, LAYOUT_COLUMNS };
/* "lhco-table" or "columns". */
const char *event_layout_name(enum event_layout layout);

typedef struct event_file event_file;

/* Opens FILE, or the table FILE:KEY (see table_name), for reading; masterkey may be NULL (it is for
 * tables without labels only; anything else is STATUS_BAD_INPUT). Errors are logged with the path,
 * what was found and expected: STATUS_BAD_INPUT for a missing, truncated or non-HDF5 file, an
 * unknown layout, wrong shapes, a filter that is not installed (names the Debian package for
 * blosc). The chunk cache is sized from the file's own chunks. On STATUS_OK *out is the caller's.
 */
MUST_CHECK status event_file_open(event_file **out, const char *name, const char *masterkey);
void event_file_close(event_file **self);

void event_file_set_labels(event_file *self, const struct event_labels *labels);

enum event_layout event_file_layout(const event_file *self);
uint64_t event_file_events(const event_file *self);
bool event_file_has_labels(const event_file *self);
/* Shape of the main dataset as text for people, e.g. "/df/block0_values 1000 x 2101 float64". */
const char *event_file_shape(const event_file *self);

/* Rows first .. first + n - 1 (within events). Fills *out with arrays that belong to the file and
 * hold until the next read; first_row is `first`. Padding (pT 0) of tables is left out. Angles and
 * momenta are the file's values rounded to float32. STATUS_BAD_INPUT (logged with path and row)
 * for data that cannot be read or offsets that go backwards or past the end. Reading forward
 * touches every chunk once. */
MUST_CHECK status event_file_read(event_file *self, uint64_t first, uint32_t n,
                                  struct event_batch *out);

/* The identity of the file that is open here, which another may have replaced under its name.
 * STATUS_IO or STATUS_BAD_INPUT, not logged, if it cannot be told. */
MUST_CHECK status event_file_identity(const event_file *self, struct file_identity *out);
/* Reads all bytes of the file that is open here again; errors as content_read. */
MUST_CHECK status event_file_reread(const event_file *self, struct content *out);

#endif
