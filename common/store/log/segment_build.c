/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segment_build: batches to the bytes of a segment file. */
#include "common/store/log/segment_build.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/log/segment_columns.h"

/* The batches and one scratch column that holds the longest of theirs. */
struct builder {
    hid_t file;
    size_t n;
    const struct segment_batch *batches;
    size_t count[SEGMENT_PERS];
    bool labelled;
    void *scratch;
};

static void count(struct builder *self)
{
    for (size_t b = 0; b < self->n; b++) {
        const struct image_batch *images = &self->batches[b].images;
        for (int per = 0; per < SEGMENT_PERS; per++)
            self->count[per] += segment_count(images, (enum segment_per)per);
        self->labelled = self->labelled || images->label != NULL;
    }
}

static size_t scratch_bytes(const struct builder *self)
{
    const size_t offsets = (self->count[PER_JET] + 1) * sizeof(uint64_t);
    const size_t intensities = self->count[PER_LIT_PIXEL] * sizeof(float);
    const size_t dropped = self->n * DROP_REASONS * sizeof(uint32_t);
    const size_t most = offsets > intensities ? offsets : intensities;
    return most > dropped ? most : dropped;
}

static const void *array_of(const struct image_batch *images, const struct segment_column *column)
{
    const void *array;
    memcpy(&array, (const char *)images + column->offset, sizeof array);
    return array;
}

static bool write_column(const struct builder *self, const struct segment_column *column)
{
    const size_t size = hdf5_element_size(column->element);
    char *end = self->scratch;
    for (size_t b = 0; b < self->n; b++) {
        const struct image_batch *images = &self->batches[b].images;
        const size_t bytes = segment_count(images, column->per) * size;
        const void *array = array_of(images, column);
        assert(array != NULL || bytes == 0 || column == &segment_columns[COLUMN_LABEL]);
        if (array == NULL)
            memset(end, SEGMENT_LABEL_UNKNOWN, bytes);
        else if (bytes > 0)
            memcpy(end, array, bytes);
        end += bytes;
    }
    return hdf5_write(self->file, column->name, column->element, 1,
                      (hsize_t[]){self->count[column->per]}, self->scratch);
}

/* The batch's name beside each of its events: who opens the file with h5py wants it there. */
static bool write_names(const struct builder *self)
{
    const hsize_t events = self->count[PER_EVENT];
    uint32_t *source = self->scratch;
    for (size_t b = 0; b < self->n; b++)
        for (uint32_t e = 0; e < self->batches[b].images.events; e++)
            *source++ = self->batches[b].source;
    if (!hdf5_write(self->file, "source", HDF5_U32, 1, &events, self->scratch))
        return false;
    uint64_t *seq = self->scratch;
    for (size_t b = 0; b < self->n; b++)
        for (uint32_t e = 0; e < self->batches[b].images.events; e++)
            *seq++ = self->batches[b].seq;
    return hdf5_write(self->file, "seq", HDF5_U64, 1, &events, self->scratch);
}

static bool write_offsets(const struct builder *self)
{
    uint64_t *offset = self->scratch;
    uint64_t before = 0;
    *offset++ = 0;
    for (size_t b = 0; b < self->n; b++) {
        const struct image_batch *images = &self->batches[b].images;
        const size_t jets = segment_count(images, PER_JET);
        for (size_t j = 1; j <= jets; j++)
            *offset++ = before + images->offset[j];
        before += images->lit;
    }
    return hdf5_write(self->file, "offset", HDF5_U64, 1, (hsize_t[]){self->count[PER_JET] + 1},
                      self->scratch);
}

static bool write_fields(const struct builder *self)
{
    for (size_t f = 0; f < SEGMENT_FIELDS; f++) {
        const struct segment_field *field = &segment_fields[f];
        const size_t size = hdf5_element_size(field->element);
        for (size_t b = 0; b < self->n; b++)
            memcpy((char *)self->scratch + b * size,
                   (const char *)&self->batches[b] + field->offset, size);
        if (!hdf5_write(self->file, field->name, field->element, 1, (hsize_t[]){self->n},
                        self->scratch))
            return false;
    }
    uint32_t *dropped = self->scratch;
    for (size_t b = 0; b < self->n; b++, dropped += DROP_REASONS)
        memcpy(dropped, self->batches[b].images.dropped, DROP_REASONS * sizeof *dropped);
    return hdf5_write(self->file, "batch/dropped", HDF5_U32, 2, (hsize_t[]){self->n, DROP_REASONS},
                      self->scratch);
}

static bool write_all(const struct builder *self)
{
    if (!hdf5_make_group(self->file, "jet") || !hdf5_make_group(self->file, "batch"))
        return false;
    for (size_t c = 0; c < SEGMENT_COLUMNS; c++)
        if ((c != COLUMN_LABEL || self->labelled) && !write_column(self, &segment_columns[c]))
            return false;
    return write_names(self) && write_offsets(self) && write_fields(self);
}

status segment_build(size_t n, const struct segment_batch batches[], uint8_t **bytes, size_t *size)
{
    assert(n > 0 && batches != NULL && bytes != NULL && size != NULL);
    *bytes = NULL;
    *size = 0;
    struct builder self = {.n = n, .batches = batches};
    count(&self);
    self.scratch = malloc(scratch_bytes(&self));
    if (self.scratch == NULL)
        return STATUS_NO_MEMORY;
    self.file = hdf5_memory_file();
    status outcome = STATUS_IO;
    if (self.file >= 0 && write_all(&self))
        outcome = hdf5_memory_file_bytes(self.file, bytes, size);
    if (outcome == STATUS_IO)
        log_error("HDF5 cannot build a segment of %zu batches in memory", n);
    if (self.file >= 0)
        H5Fclose(self.file);
    free(self.scratch);
    return outcome;
}
