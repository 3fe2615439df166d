/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/events/packed_rows.h"

#include <assert.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/disk/hdf5_util.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bytes are put together as in the file");
_Static_assert(sizeof(float) == sizeof(uint32_t), "a float is put together from four bytes");

enum { BYTES = sizeof(double), CHUNK_BYTES_MAX = 1 << 28 };

struct packed_rows {
    hid_t dataset;
    hsize_t rows, width; /* of a chunk; width is that of the dataset, 1 for a column */
    size_t element;      /* bytes of a number */
    bool shuffled;
    struct libdeflate_decompressor *inflater;
    uint8_t *packed; /* a chunk as it lies in the file */
    size_t packed_room;
    uint8_t
        *plain; /* inflated: the numbers or, shuffled, the first bytes of all, the second, ... */
    bool filled;
    bool planes;   /* whether `plain` holds the current chunk shuffled */
    hsize_t chunk; /* number of the current chunk */
    size_t row;    /* the wanted row, counted in the chunk */
};

/* Whether the filters are deflate, or shuffle (of these numbers) and deflate. */
static bool read_filters(hid_t made, size_t element, bool *shuffled)
{
    const int n = H5Pget_nfilters(made);
    unsigned flags, size = 0;
    size_t none = 0;
    *shuffled = n == 2;
    if (n < 1 || n > 2 ||
        H5Pget_filter2(made, (unsigned)n - 1, &flags, &none, NULL, 0, NULL, NULL) !=
            H5Z_FILTER_DEFLATE)
        return false;
    size_t one = 1;
    return n == 1 ||
           (H5Pget_filter2(made, 0, &flags, &one, &size, 0, NULL, NULL) == H5Z_FILTER_SHUFFLE &&
            one == 1 && size == element);
}

/* Whether every chunk goes through the filters, also those that reach past the last row. */
static bool filters_every_chunk(hid_t made)
{
    unsigned options = 0;
    return H5Pget_chunk_opts(made, &options) >= 0 &&
           (options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) == 0;
}

/* Fills what is known of the layout; false if it is none of ours. */
static bool read_layout(packed_rows *self)
{
    const hid_t made = H5Dget_create_plist(self->dataset);
    const hid_t space = H5Dget_space(self->dataset);
    const hid_t type = H5Dget_type(self->dataset);
    const int rank = H5Sget_simple_extent_ndims(space);
    hsize_t chunk[2] = {0, 1}, dims[2] = {0, 1};
    self->element = rank == 1 ? sizeof(float) : sizeof(double);
    const bool good =
        made >= 0 && type >= 0 && (rank == 1 || rank == 2) && H5Pget_layout(made) == H5D_CHUNKED &&
        H5Tequal(type, rank == 1 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE) > 0 &&
        H5Sget_simple_extent_dims(space, dims, NULL) == rank &&
        H5Pget_chunk(made, rank, chunk) == rank && chunk[1] == dims[1] && chunk[0] > 0 &&
        chunk[0] <= CHUNK_BYTES_MAX / BYTES / chunk[1] && filters_every_chunk(made) &&
        read_filters(made, self->element, &self->shuffled);
    self->rows = chunk[0];
    self->width = chunk[1];
    H5Pclose(made);
    H5Sclose(space);
    H5Tclose(type);
    return good;
}

status packed_rows_open(packed_rows **out, hid_t dataset)
{
    assert(out != NULL);
    *out = NULL;
    packed_rows *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->dataset = dataset;
    if (!read_layout(self)) {
        packed_rows_close(&self);
        return STATUS_OK;
    }
    self->inflater = libdeflate_alloc_decompressor();
    /* Eight bytes more: they are read eight at a time. */
    self->plain = malloc(self->rows * self->width * self->element + BYTES);
    if (self->inflater == NULL || self->plain == NULL) {
        packed_rows_close(&self);
        return STATUS_NO_MEMORY;
    }
    *out = self;
    return STATUS_OK;
}

void packed_rows_close(packed_rows **self)
{
    if (*self == NULL)
        return;
    if ((*self)->inflater != NULL)
        libdeflate_free_decompressor((*self)->inflater);
    free((*self)->packed);
    free((*self)->plain);
    free(*self);
    *self = NULL;
}

static bool reserve_packed(packed_rows *self, hsize_t size)
{
    if (size <= self->packed_room)
        return true;
    if (size > CHUNK_BYTES_MAX)
        return false;
    free(self->packed);
    self->packed = malloc(size);
    self->packed_room = self->packed != NULL ? size : 0;
    return self->packed != NULL;
}

static bool inflate_chunk(packed_rows *self, hsize_t size)
{
    const size_t plain = self->rows * self->width * self->element;
    self->planes = self->shuffled;
    return libdeflate_zlib_decompress(self->inflater, self->packed, size, self->plain, plain,
                                      NULL) == LIBDEFLATE_SUCCESS;
}

/* Reads a chunk through HDF5: one that was never written, or that skipped a filter. */
static bool read_by_hdf5(packed_rows *self, hsize_t first)
{
    hsize_t dims[2] = {0, 1};
    const hid_t space = H5Dget_space(self->dataset);
    const int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    if (rank < 1 || first >= dims[0])
        return false;
    const hsize_t left = dims[0] - first;
    self->planes = false;
    return hdf5_read_rows(self->dataset, rank, dims, first, left < self->rows ? left : self->rows,
                          rank == 1 ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE, self->plain);
}

static bool fill_chunk(packed_rows *self, hsize_t chunk)
{
    const hsize_t at[2] = {chunk * self->rows, 0};
    hsize_t size = 0;
    uint32_t skipped = 0; /* filters this chunk did not go through */
    if (H5Dget_chunk_storage_size(self->dataset, at, &size) < 0)
        return false;
    if (size == 0)
        return read_by_hdf5(self, at[0]);
    if (!reserve_packed(self, size) ||
        H5Dread_chunk(self->dataset, H5P_DEFAULT, at, &skipped, self->packed) < 0)
        return false;
    return skipped == 0 ? inflate_chunk(self, size) : read_by_hdf5(self, at[0]);
}

bool packed_rows_seek(packed_rows *self, uint64_t row)
{
    const hsize_t chunk = row / self->rows;
    self->row = row % self->rows;
    if (self->filled && chunk == self->chunk)
        return true;
    self->chunk = chunk;
    self->filled = fill_chunk(self, chunk);
    return self->filled;
}

/* One past the last of n bytes that is not 0, 0 if all are. */
static size_t used_bytes(const uint8_t bytes[], size_t n)
{
    static const uint8_t zero[64];
    while (n >= sizeof zero && memcmp(bytes + n - sizeof zero, zero, sizeof zero) == 0)
        n -= sizeof zero;
    while (n > 0 && bytes[n - 1] == 0)
        n--;
    return n;
}

/* Swaps the bytes of a that lie `shift` bits above those in mask with those of b in mask. */
static inline void swap_halves(uint64_t *a, uint64_t *b, uint64_t mask, unsigned shift)
{
    const uint64_t differ = ((*a >> shift) ^ *b) & mask;
    *a ^= differ << shift;
    *b ^= differ;
}

/* Eight numbers from the eight bytes each that every plane has of them: a matrix of bytes is
 * turned over, by halves, quarters and eighths (H. S. Warren, Hacker's Delight, 2nd ed., 7-3). */
static inline void turn_eight(const uint8_t *planes, size_t plane, double out[8])
{
    uint64_t x[8];
    for (size_t b = 0; b < 8; b++)
        memcpy(&x[b], planes + b * plane, sizeof x[b]);
    for (size_t i = 0; i < 4; i++)
        swap_halves(&x[i], &x[i + 4], UINT64_C(0x00000000ffffffff), 32);
    for (size_t i = 0; i < 8; i += 4)
        for (size_t j = i; j < i + 2; j++)
            swap_halves(&x[j], &x[j + 2], UINT64_C(0x0000ffff0000ffff), 16);
    for (size_t i = 0; i < 8; i += 2)
        swap_halves(&x[i], &x[i + 1], UINT64_C(0x00ff00ff00ff00ff), 8);
    memcpy(out, x, sizeof x);
}

static size_t get_shuffled(const packed_rows *self, size_t first, size_t n, double out[])
{
    const size_t plane = self->rows * self->width;
    const uint8_t *planes = self->plain + self->row * self->width + first;
    size_t used = 0;
    for (size_t b = 0; b < BYTES; b++) {
        const size_t here = used + used_bytes(planes + b * plane + used, n - used);
        used = here > used ? here : used;
    }
    for (size_t i = 0; i < used; i += 8)
        turn_eight(planes + i, plane, out + i);
    return used;
}

size_t packed_rows_get(const packed_rows *self, size_t first, size_t n, double out[])
{
    assert(self->filled && self->element == BYTES && first + n <= self->width);
    if (self->planes)
        return get_shuffled(self, first, n, out);
    memcpy(out, self->plain + (self->row * self->width + first) * BYTES, n * BYTES);
    while (n > 0 && out[n - 1] == 0)
        n--;
    return n;
}

/* Values of the current chunk from the row that was asked for. */
static void take_floats(const packed_rows *self, size_t n, float out[])
{
    if (!self->planes) {
        memcpy(out, self->plain + self->row * sizeof *out, n * sizeof *out);
        return;
    }
    const uint8_t *a = self->plain + self->row, *b = a + self->rows;
    const uint8_t *c = b + self->rows, *d = c + self->rows;
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits =
            (uint32_t)a[i] | (uint32_t)b[i] << 8 | (uint32_t)c[i] << 16 | (uint32_t)d[i] << 24;
        memcpy(&out[i], &bits, sizeof bits);
    }
}

bool packed_rows_column(packed_rows *self, uint64_t first, uint64_t n, float out[])
{
    assert(self->element == sizeof(float));
    while (n > 0) {
        if (!packed_rows_seek(self, first))
            return false;
        const uint64_t here = self->rows - self->row;
        const uint64_t some = n < here ? n : here;
        take_floats(self, some, out);
        first += some;
        out += some;
        n -= some;
    }
    return true;
}
