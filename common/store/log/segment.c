/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/log/segment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/log/segment_batch.h"
#include "common/store/log/segment_columns.h"

/* The side of the images is not known here: any pixel that 16 bits can name. */
enum { PIXELS_ANY = UINT16_MAX + 1 };

struct segment {
    size_t n;
    struct segment_batch *batches;  /* [n] pointing into what follows */
    void *columns[SEGMENT_COLUMNS]; /* over all batches; label NULL if no batch has one */
    uint32_t *dropped;              /* [n, DROP_REASONS] */
    uint64_t *offset_in_file;       /* [2 events + 1] */
    uint32_t *offset;               /* of every batch its 2 events + 1, from 0 */
};

/* What the readers below share. */
struct reading {
    hid_t file;
    const char *path;
    size_t count[SEGMENT_PERS];
};

static status damaged(const struct reading *reading, const char *what)
{
    log_error("%s: damaged segment: %s", reading->path, what);
    return STATUS_BAD_INPUT;
}

static status read_fields(segment *self, const struct reading *reading)
{
    for (size_t f = 0; f < SEGMENT_FIELDS; f++) {
        const struct segment_field *field = &segment_fields[f];
        const size_t size = hdf5_element_size(field->element);
        hsize_t n = f == 0 ? HDF5_ANY : self->n;
        void *column;
        const status outcome =
            hdf5_read(reading->file, reading->path, field->name, field->element, 1, &n, &column);
        if (outcome != STATUS_OK)
            return outcome;
        if (self->batches == NULL) {
            self->n = (size_t)n;
            self->batches = calloc(self->n + 1, sizeof *self->batches);
        }
        if (self->batches == NULL) {
            free(column);
            return STATUS_NO_MEMORY;
        }
        for (size_t b = 0; b < self->n; b++)
            memcpy((char *)&self->batches[b] + field->offset, (const char *)column + b * size,
                   size);
        free(column);
    }
    void *dropped;
    const status outcome = hdf5_read(reading->file, reading->path, "batch/dropped", HDF5_U32, 2,
                                     (hsize_t[]){self->n, DROP_REASONS}, &dropped);
    self->dropped = dropped;
    return outcome;
}

/* The rows of each batch must suffice for what became of them. */
static status check_fields(segment *self, struct reading *reading)
{
    if (self->n == 0)
        return damaged(reading, "it holds no batch");
    for (size_t b = 0; b < self->n; b++) {
        struct image_batch *images = &self->batches[b].images;
        images->dropped = self->dropped + b * DROP_REASONS;
        uint64_t accounted = (uint64_t)images->quarantined + images->events;
        for (size_t r = 0; r < DROP_REASONS; r++)
            accounted += images->dropped[r];
        if (accounted > images->read)
            return damaged(reading, "a batch has more events than rows");
        reading->count[PER_EVENT] += images->events;
    }
    reading->count[PER_JET] = 2 * reading->count[PER_EVENT];
    return STATUS_OK;
}

static status read_offsets(segment *self, struct reading *reading)
{
    hsize_t n = reading->count[PER_JET] + 1;
    void *column;
    const status outcome =
        hdf5_read(reading->file, reading->path, "offset", HDF5_U64, 1, &n, &column);
    self->offset_in_file = column;
    if (outcome != STATUS_OK)
        return outcome;
    const uint64_t *offset = self->offset_in_file;
    if (offset[0] != 0)
        return damaged(reading, "/offset does not begin with 0");
    for (size_t j = 0; j < reading->count[PER_JET]; j++)
        if (offset[j + 1] < offset[j])
            return damaged(reading, "/offset goes backwards");
    reading->count[PER_LIT_PIXEL] = (size_t)offset[reading->count[PER_JET]];
    return STATUS_OK;
}

static status read_columns(segment *self, const struct reading *reading)
{
    for (size_t c = 0; c < SEGMENT_COLUMNS; c++) {
        const struct segment_column *column = &segment_columns[c];
        if (c == COLUMN_LABEL && hdf5_find(reading->file, column->name) == HDF5_MISSING)
            continue;
        hsize_t n = reading->count[column->per];
        const status outcome = hdf5_read(reading->file, reading->path, column->name,
                                         column->element, 1, &n, &self->columns[c]);
        if (outcome != STATUS_OK)
            return outcome;
    }
    return STATUS_OK;
}

static void point_into_columns(segment *self, struct image_batch *images, const size_t first[])
{
    for (size_t c = 0; c < SEGMENT_COLUMNS; c++) {
        const struct segment_column *column = &segment_columns[c];
        if (self->columns[c] == NULL)
            continue;
        const void *array = (const char *)self->columns[c] +
                            first[column->per] * hdf5_element_size(column->element);
        memcpy((char *)images + column->offset, &array, sizeof array);
    }
    if (!segment_label_known(images->label, images->events))
        images->label = NULL;
}

/* Gives every batch its arrays; its offsets count from 0 again. */
static status share_out(segment *self, const struct reading *reading)
{
    self->offset = malloc((reading->count[PER_JET] + self->n) * sizeof *self->offset);
    if (self->offset == NULL)
        return STATUS_NO_MEMORY;
    uint32_t *offset = self->offset;
    size_t first[SEGMENT_PERS] = {0};
    for (size_t b = 0; b < self->n; b++) {
        struct image_batch *images = &self->batches[b].images;
        const size_t jets = segment_count(images, PER_JET);
        const uint64_t *in_file = self->offset_in_file + first[PER_JET];
        if (in_file[jets] - in_file[0] > UINT32_MAX)
            return damaged(reading, "a batch has more lit pixels than 32 bits can count");
        images->lit = (uint32_t)(in_file[jets] - in_file[0]);
        images->offset = offset;
        for (size_t j = 0; j <= jets; j++)
            *offset++ = (uint32_t)(in_file[j] - in_file[0]);
        point_into_columns(self, images, first);
        const char *fault = image_batch_fault(images, PIXELS_ANY);
        if (fault != NULL)
            return damaged(reading, fault);
        for (int per = 0; per < SEGMENT_PERS; per++)
            first[per] += segment_count(images, (enum segment_per)per);
    }
    return STATUS_OK;
}

static status read_all(segment *self, struct reading *reading)
{
    status outcome = read_fields(self, reading);
    if (outcome == STATUS_OK)
        outcome = check_fields(self, reading);
    if (outcome == STATUS_OK)
        outcome = read_offsets(self, reading);
    if (outcome == STATUS_OK)
        outcome = read_columns(self, reading);
    if (outcome == STATUS_OK)
        outcome = share_out(self, reading);
    /* Only the rebased ones are needed from here on. */
    free(self->offset_in_file);
    self->offset_in_file = NULL;
    return outcome;
}

status segment_open(segment **out, const char *path)
{
    assert(out != NULL && path != NULL);
    *out = NULL;
    struct reading reading = {.path = path, .file = H5I_INVALID_HID};
    segment *self = calloc(1, sizeof *self);
    hdf5_guard(path);
    status outcome = self != NULL ? hdf5_open(&reading.file, path) : STATUS_NO_MEMORY;
    if (outcome == STATUS_OK)
        outcome = read_all(self, &reading);
    if (reading.file >= 0)
        H5Fclose(reading.file);
    hdf5_guard(NULL);
    if (outcome == STATUS_OK)
        *out = self;
    else
        segment_close(&self);
    return outcome;
}

void segment_close(segment **self)
{
    if (self == NULL || *self == NULL)
        return;
    for (size_t c = 0; c < SEGMENT_COLUMNS; c++)
        free((*self)->columns[c]);
    free((*self)->batches);
    free((*self)->dropped);
    free((*self)->offset_in_file);
    free((*self)->offset);
    free(*self);
    *self = NULL;
}

size_t segment_batches(const segment *self)
{
    return self->n;
}

const struct segment_batch *segment_all(const segment *self)
{
    return self->batches;
}

void segment_get(const segment *self, size_t i, struct segment_batch *out)
{
    assert(i < self->n);
    *out = self->batches[i];
}
