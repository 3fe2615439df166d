/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/events/event_columns.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/records/message_type.h"
#include "common/store/events/event_dataset.h"
#include "common/store/events/event_layouts.h"

static status check_length(const event_file *self, const char *name, hsize_t length, hsize_t must)
{
    if (length == must)
        return STATUS_OK;
    log_error("%s: /%s has %llu elements, expected %llu", self->path, name,
              (unsigned long long)length, (unsigned long long)must);
    return STATUS_BAD_INPUT;
}

static status open_offset(event_file *self)
{
    hsize_t length;
    unsigned bits;
    const status outcome = event_dataset_open(self, "events/offset", 1, H5T_INTEGER,
                                              &self->columns.offset, &length, &bits);
    if (outcome != STATUS_OK)
        return outcome;
    if (length == 0) {
        log_error("%s: /events/offset is empty, expected one element more than events", self->path);
        return STATUS_BAD_INPUT;
    }
    self->events = length - 1;
    return STATUS_OK;
}

static status open_particles(event_file *self, unsigned *bits)
{
    const struct {
        const char *name;
        struct event_column *column;
    } columns[] = {{"events/pt", &self->columns.pt},
                   {"events/eta", &self->columns.eta},
                   {"events/phi", &self->columns.phi}};
    for (size_t c = 0; c < 3; c++) {
        hsize_t length;
        unsigned found;
        status outcome = event_dataset_open(self, columns[c].name, 1, H5T_FLOAT,
                                            &columns[c].column->values, &length, &found);
        if (c == 0) {
            self->columns.particles = length;
            *bits = found;
        } else if (outcome == STATUS_OK) {
            outcome = check_length(self, columns[c].name, length, self->columns.particles);
        }
        if (outcome == STATUS_OK)
            outcome = packed_rows_open(&columns[c].column->packed, columns[c].column->values);
        if (outcome != STATUS_OK)
            return outcome;
    }
    return STATUS_OK;
}

static status open_label(event_file *self)
{
    if (hdf5_find(self->file, "events/label") == HDF5_MISSING)
        return STATUS_OK;
    hsize_t length;
    unsigned bits;
    status outcome = event_dataset_open(self, "events/label", 1, H5T_INTEGER, &self->columns.label,
                                        &length, &bits);
    if (outcome == STATUS_OK)
        outcome = check_length(self, "events/label", length, self->events);
    self->labelled = true;
    return outcome;
}

static status unreadable(const event_file *self, const char *name, uint64_t first, uint32_t n)
{
    log_error("%s: /%s of rows %" PRIu64 " to %" PRIu64 " cannot be read: truncated or damaged",
              self->path, name, first, first + n - 1);
    return STATUS_BAD_INPUT;
}

/* The first and last offset show early whether particles and offsets belong together; those between
 * are checked when they are read. */
static status check_ends(event_file *self)
{
    const uint64_t at[] = {0, self->events};
    uint64_t ends[2];
    for (size_t i = 0; i < 2; i++)
        if (!hdf5_read_rows(self->columns.offset, 1, NULL, at[i], 1, H5T_NATIVE_UINT64, &ends[i]))
            return unreadable(self, "events/offset", at[i], 1);
    if (ends[0] == 0 && ends[1] == self->columns.particles)
        return STATUS_OK;
    log_error("%s: /events/offset runs from %" PRIu64 " to %" PRIu64 ", expected 0 to %" PRIu64
              ", the length of /events/pt",
              self->path, ends[0], ends[1], self->columns.particles);
    return STATUS_BAD_INPUT;
}

static const struct event_layout_reader columns_reader;

status event_columns_open(event_file *self)
{
    self->layout = LAYOUT_COLUMNS;
    self->reader = &columns_reader;
    unsigned bits = 0;
    status outcome = open_offset(self);
    if (outcome == STATUS_OK)
        outcome = open_particles(self, &bits);
    if (outcome == STATUS_OK)
        outcome = open_label(self);
    if (outcome == STATUS_OK)
        outcome = check_ends(self);
    snprintf(self->shape, sizeof self->shape,
             "/events %" PRIu64 " events, %" PRIu64 " particles float%u", self->events,
             self->columns.particles, bits);
    return outcome;
}

static void columns_close(event_file *self)
{
    packed_rows_close(&self->columns.pt.packed);
    packed_rows_close(&self->columns.eta.packed);
    packed_rows_close(&self->columns.phi.packed);
    const hid_t datasets[] = {self->columns.offset, self->columns.pt.values,
                              self->columns.eta.values, self->columns.phi.values,
                              self->columns.label};
    for (size_t d = 0; d < 5; d++)
        if (datasets[d] >= 0)
            H5Dclose(datasets[d]);
    free(self->columns.offsets);
}

/* The n + 1 offsets of the rows, checked. */
static status read_offsets(event_file *self, uint64_t first, uint32_t n)
{
    if (self->columns.offsets_room < (size_t)n + 1) {
        uint64_t *larger = realloc(self->columns.offsets, ((size_t)n + 1) * sizeof *larger);
        if (larger == NULL)
            return STATUS_NO_MEMORY;
        self->columns.offsets = larger;
        self->columns.offsets_room = (size_t)n + 1;
    }
    uint64_t *offsets = self->columns.offsets;
    if (!hdf5_read_rows(self->columns.offset, 1, NULL, first, (uint64_t)n + 1, H5T_NATIVE_UINT64,
                        offsets))
        return unreadable(self, "events/offset", first, n);
    for (uint32_t e = 0; e < n; e++) {
        if (offsets[e + 1] >= offsets[e] && offsets[e + 1] <= self->columns.particles)
            continue;
        log_error("%s: row %" PRIu64 ": /events/offset goes from %" PRIu64 " to %" PRIu64
                  ", expected a step forward within the %" PRIu64 " particles",
                  self->path, first + e, offsets[e], offsets[e + 1], self->columns.particles);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

/* Particles of event e that are read: of one that will be dropped for its length, just enough to
 * see that. */
static uint64_t taken(const uint64_t offsets[], uint32_t e)
{
    const uint64_t all = offsets[e + 1] - offsets[e];
    return all <= EVENT_PARTICLES_MAX ? all : EVENT_PARTICLES_MAX + 1;
}

/* Sets the offsets of the batch as it will be; no larger one than a message takes is gathered. */
static status set_offsets(event_file *self, uint64_t first, uint32_t n)
{
    const uint64_t most = (MESSAGE_BYTES_MAX - (1 << 20)) / (3 * sizeof(float));
    uint64_t particles = 0;
    status outcome = event_arrays_reserve(&self->arrays, n, 0);
    if (outcome != STATUS_OK)
        return outcome;
    self->arrays.offset[0] = 0;
    for (uint32_t e = 0; e < n; e++) {
        particles += taken(self->columns.offsets, e);
        if (particles > most) {
            log_error("%s: rows %" PRIu64 " to %" PRIu64 " hold more than the %" PRIu64
                      " particles that fit into a message: choose a smaller analysis.stream.batch",
                      self->path, first, first + n - 1, most);
            return STATUS_BAD_INPUT;
        }
        self->arrays.offset[e + 1] = (uint32_t)particles;
    }
    return event_arrays_reserve(&self->arrays, n, (size_t)particles);
}

/* Particles of the events from `e` that stand in the file without a gap: up to and with the first
 * that is cut. *end gets the event behind them. */
static uint64_t run_of(const uint64_t offsets[], uint32_t e, uint32_t n, uint32_t *end)
{
    uint64_t count = 0;
    bool cut = false;
    for (; e < n && !cut; e++) {
        count += taken(offsets, e);
        cut = taken(offsets, e) > EVENT_PARTICLES_MAX;
    }
    *end = e;
    return count;
}

static bool read_numbers(const struct event_column *from, uint64_t first, uint64_t n, float to[])
{
    if (from->packed != NULL)
        return packed_rows_column(from->packed, first, n, to);
    return hdf5_read_rows(from->values, 1, NULL, first, n, H5T_NATIVE_FLOAT, to);
}

static status read_particles(event_file *self, uint64_t first, uint32_t n)
{
    const struct event_arrays *arrays = &self->arrays;
    const struct {
        const char *name;
        const struct event_column *column;
        float *to;
    } columns[] = {{"events/pt", &self->columns.pt, arrays->pt},
                   {"events/eta", &self->columns.eta, arrays->eta},
                   {"events/phi", &self->columns.phi, arrays->phi}};
    for (uint32_t e = 0, end; e < n; e = end) {
        const uint64_t count = run_of(self->columns.offsets, e, n, &end);
        for (size_t c = 0; c < 3 && count > 0; c++)
            if (!read_numbers(columns[c].column, self->columns.offsets[e], count,
                              columns[c].to + arrays->offset[e]))
                return unreadable(self, columns[c].name, first, n);
    }
    return STATUS_OK;
}

static status read_labels(event_file *self, uint64_t first, uint32_t n)
{
    int8_t *label = self->arrays.label;
    if (!hdf5_read_rows(self->columns.label, 1, NULL, first, n, H5T_NATIVE_INT8, label))
        return unreadable(self, "events/label", first, n);
    for (uint32_t e = 0; e < n; e++) {
        if (label[e] != INT8_MIN && label[e] != INT8_MAX)
            continue;
        int64_t found = label[e]; /* may be clipped to 8 bits; next comes the value in the file: */
        if (!hdf5_read_rows(self->columns.label, 1, NULL, first + e, 1, H5T_NATIVE_INT64, &found))
            return unreadable(self, "events/label", first + e, 1);
        if (found == label[e])
            continue;
        log_error("%s: row %" PRIu64 ": label %" PRIi64 ", expected an integer from %d to %d",
                  self->path, first + e, found, INT8_MIN, INT8_MAX);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

static status columns_read(event_file *self, uint64_t first, uint32_t n, uint32_t *particles)
{
    status outcome = read_offsets(self, first, n);
    if (outcome == STATUS_OK)
        outcome = set_offsets(self, first, n);
    if (outcome == STATUS_OK)
        outcome = read_particles(self, first, n);
    if (outcome == STATUS_OK && self->labelled && n > 0)
        outcome = read_labels(self, first, n);
    if (outcome == STATUS_OK)
        *particles = self->arrays.offset[n];
    return outcome;
}

static const struct event_layout_reader columns_reader = {.read = columns_read,
                                                          .close = columns_close};
