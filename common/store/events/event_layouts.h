/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_layouts: what event_file shares with the readers of its layouts (event_table.c,
 * event_columns.c). Nothing outside event_*.c includes this. */
#ifndef COMMON_STORE_EVENTS_EVENT_LAYOUTS_H
#define COMMON_STORE_EVENTS_EVENT_LAYOUTS_H

#include "common/store/disk/hdf5_util.h"
#include "common/store/events/event_arrays.h"
#include "common/store/events/event_file.h"
#include "common/store/events/event_labels.h"
#include "common/store/events/packed_rows.h"

/* A layout reads n rows into arrays: offset, pt, eta, phi and, where the file has labels, label. */
struct event_layout_reader {
    status (*read)(event_file *file, uint64_t first, uint32_t n, uint32_t *particles);
    void (*close)(event_file *file);
};

/* One number of every particle. */
struct event_column {
    hid_t values;
    packed_rows *packed; /* NULL: HDF5 reads them */
};

struct event_file {
    char *path;
    hid_t file;
    uint64_t bytes;
    enum event_layout layout;
    const struct event_layout_reader *reader; /* NULL until the layout is known */
    uint64_t events;
    bool labelled;
    bool told_angles; /* the warning that angles are not in radians was given */
    struct event_labels labels;
    int8_t *mapped; /* [mapped_room] 0 or 1 */
    uint32_t mapped_room;
    char shape[200];
    int8_t *masterkey; /* [events] or NULL */
    struct event_arrays arrays;
    struct {
        hid_t values;
        hsize_t dims[2];     /* events (or 1 for an empty frame's placeholder), numbers in a row */
        packed_rows *packed; /* NULL: HDF5 reads them */
        double *rows;        /* a block of them as they stand in the file */
        uint32_t *lengths;   /* of each: one past the last particle that is not padding */
    } table;
    struct {
        hid_t offset, label; /* label H5I_INVALID_HID if there is none */
        struct event_column pt, eta, phi;
        uint64_t particles; /* of all events */
        uint64_t *offsets;  /* [offsets_room] of the batch, as in the file */
        size_t offsets_room;
    } columns;
};

#endif
