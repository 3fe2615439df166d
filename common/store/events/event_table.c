/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/events/event_table.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/records/event_batch.h"
#include "common/store/events/event_dataset.h"
#include "common/store/events/event_layouts.h"

enum {
    WIDTH = 3 * EVENT_TABLE_PARTICLES, /* numbers in a row, and one more for the label */
    ROW_ROOM = WIDTH + 8,              /* and what packed_rows_get overwrites */
    BLOCK_ROWS = 32                    /* half a megabyte: stays in the processor's cache */
};

static status check_width(event_file *self, const char *name)
{
    const hsize_t *dims = self->table.dims;
    /* What pandas writes for a frame without rows. */
    if (dims[0] == 1 && dims[1] == 1)
        return STATUS_OK;
    if (dims[1] == WIDTH || dims[1] == WIDTH + 1) {
        self->events = dims[0];
        self->labelled = dims[1] == WIDTH + 1;
        return STATUS_OK;
    }
    log_error(
        "%s: /%s has shape %llu x %llu, expected N x %d (700 x (pT, eta, phi) and a label) or "
        "N x %d (without label)",
        self->path, name, (unsigned long long)dims[0], (unsigned long long)dims[1], WIDTH + 1,
        WIDTH);
    return STATUS_BAD_INPUT;
}

/* pandas puts columns of another type (such as whole numbers) into a block of their own. */
static status check_single_block(const event_file *self, const char *key)
{
    char *name;
    if (asprintf(&name, "%s/block1_values", key) < 0)
        return STATUS_NO_MEMORY;
    const bool single = hdf5_find(self->file, name) == HDF5_MISSING;
    if (!single)
        log_error("%s: the columns of /%s are of more than one type (there is a /%s too), expected "
                  "all float32 or all float64",
                  self->path, key, name);
    free(name);
    return single ? STATUS_OK : STATUS_BAD_INPUT;
}

static const struct event_layout_reader table_reader;

status event_table_open(event_file *self, const char *key)
{
    char *name;
    if (asprintf(&name, "%s/block0_values", key) < 0)
        return STATUS_NO_MEMORY;
    self->layout = LAYOUT_LHCO_TABLE;
    self->reader = &table_reader;
    unsigned bits;
    status outcome =
        event_dataset_open(self, name, 2, H5T_FLOAT, &self->table.values, self->table.dims, &bits);
    if (outcome == STATUS_OK)
        outcome = check_single_block(self, key);
    if (outcome == STATUS_OK)
        outcome = check_width(self, name);
    if (outcome == STATUS_OK) {
        snprintf(self->shape, sizeof self->shape, "/%s %llu x %llu float%u", name,
                 (unsigned long long)self->table.dims[0], (unsigned long long)self->table.dims[1],
                 bits);
        /* The key may be any bytes, the text is for people and JSON. */
        for (char *c = self->shape; *c != '\0'; c++)
            if (*c < ' ' || *c > '~')
                *c = '?';
        self->table.rows = malloc(BLOCK_ROWS * ROW_ROOM * sizeof *self->table.rows);
        self->table.lengths = malloc(BLOCK_ROWS * sizeof *self->table.lengths);
        outcome = self->table.rows != NULL && self->table.lengths != NULL
                      ? packed_rows_open(&self->table.packed, self->table.values)
                      : STATUS_NO_MEMORY;
    }
    free(name);
    return outcome;
}

static void table_close(event_file *self)
{
    packed_rows_close(&self->table.packed);
    if (self->table.values >= 0)
        H5Dclose(self->table.values);
    free(self->table.rows);
    free(self->table.lengths);
}

/* Appends the particles of one row, in its first `length` numbers; returns how many there are now.
 */
static uint32_t take_particles(const double row[], uint32_t length, uint32_t used,
                               struct event_arrays *arrays)
{
    for (size_t p = 0; p < length; p += 3) {
        if (row[p] == 0)
            continue; /* padding */
        arrays->pt[used] = (float)row[p];
        arrays->eta[used] = (float)row[p + 1];
        arrays->phi[used] = (float)row[p + 2];
        used++;
    }
    return used;
}

static status take_label(const event_file *self, uint64_t row, double value, int8_t *out)
{
    const double whole = round(value);
    if (!(fabs(value - whole) <= EVENT_LABEL_WITHIN) || whole < INT8_MIN || whole > INT8_MAX) {
        log_error("%s: row %" PRIu64 ": label %.9g, expected an integer from %d to %d", self->path,
                  row, value, INT8_MIN, INT8_MAX);
        return STATUS_BAD_INPUT;
    }
    *out = (int8_t)whole;
    return STATUS_OK;
}

/* Events done .. done + n - 1 of the batch, which stand in rows[] now. */
static status take_block(event_file *self, uint64_t first, uint32_t done, uint32_t n)
{
    struct event_arrays *arrays = &self->arrays;
    uint32_t used = arrays->offset[done];
    status outcome =
        event_arrays_reserve(arrays, done + n, used + (size_t)n * EVENT_TABLE_PARTICLES);
    for (uint32_t r = 0; outcome == STATUS_OK && r < n; r++) {
        const double *row = self->table.rows + r * self->table.dims[1];
        used = take_particles(row, self->table.lengths[r], used, arrays);
        arrays->offset[done + r + 1] = used;
        if (self->table.dims[1] > WIDTH)
            outcome = take_label(self, first + done + r, row[WIDTH], &arrays->label[done + r]);
    }
    return outcome;
}

/* Reads the block by packed_rows into the form that HDF5 gives: row after row, labels at the ends.
 */
static bool unpack_rows(event_file *self, uint64_t first, uint32_t n)
{
    const size_t width = self->table.dims[1];
    for (uint32_t r = 0; r < n; r++) {
        double *row = self->table.rows + r * width;
        if (!packed_rows_seek(self->table.packed, first + r))
            return false;
        size_t length = packed_rows_get(self->table.packed, 0, WIDTH, row);
        while (length % 3 != 0)
            row[length++] = 0;
        self->table.lengths[r] = (uint32_t)length;
        if (width > WIDTH) {
            double label[8] = {0}; /* packed_rows writes no trailing 0 */
            (void)packed_rows_get(self->table.packed, WIDTH, 1, label);
            row[WIDTH] = label[0];
        }
    }
    return true;
}

static bool read_rows(event_file *self, uint64_t first, uint32_t n)
{
    if (self->table.packed != NULL)
        return unpack_rows(self, first, n);
    for (uint32_t r = 0; r < n; r++)
        self->table.lengths[r] = WIDTH;
    return hdf5_read_rows(self->table.values, 2, self->table.dims, first, n, H5T_NATIVE_DOUBLE,
                          self->table.rows);
}

static status table_read(event_file *self, uint64_t first, uint32_t n, uint32_t *particles)
{
    assert(n <= UINT32_MAX / EVENT_TABLE_PARTICLES);
    self->arrays.offset[0] = 0;
    for (uint32_t done = 0; done < n;) {
        const uint32_t rows = n - done < BLOCK_ROWS ? n - done : BLOCK_ROWS;
        if (!read_rows(self, first + done, rows)) {
            log_error("%s: rows %" PRIu64 " to %" PRIu64 " cannot be read: truncated or damaged",
                      self->path, first + done, first + done + rows - 1);
            return STATUS_BAD_INPUT;
        }
        const status outcome = take_block(self, first, done, rows);
        if (outcome != STATUS_OK)
            return outcome;
        done += rows;
    }
    *particles = self->arrays.offset[n];
    return STATUS_OK;
}

static const struct event_layout_reader table_reader = {.read = table_read, .close = table_close};
