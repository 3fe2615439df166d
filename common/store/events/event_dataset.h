/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_dataset: a dataset of an event file, of the type and shape that it must have, all of it
 * written, in this file, with filters that are there. Nothing outside event_*.c includes this. */
#ifndef COMMON_STORE_EVENTS_EVENT_DATASET_H
#define COMMON_STORE_EVENTS_EVENT_DATASET_H

#include <hdf5.h>

#include "common/store/events/event_layouts.h"

/* Elements of a column, rows of a table. */
#define EVENT_ROWS_MAX ((hsize_t)1 << 40)

/* Opens a dataset of `rank` dimensions and one of the type classes for reading forward; refuses
 * (logged) a filter that is not installed. bits is the size of its numbers. */
MUST_CHECK status event_dataset_open(const event_file *self, const char *name, int rank,
                                     H5T_class_t type_class, hid_t *out, hsize_t dims[],
                                     unsigned *bits);

#endif
