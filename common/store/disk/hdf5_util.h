/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hdf5_util: the HDF5 calls that the files of this folder share.
 * HDF5's own error stack is silenced; readers turn a failure into one log line. Objects are made
 * without times, so that equal content gives equal bytes. */
#ifndef COMMON_STORE_DISK_HDF5_UTIL_H
#define COMMON_STORE_DISK_HDF5_UTIL_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

/* Element types of our datasets: little-endian in files, native in memory. A text has a length of
 * its dataset's own, so hdf5_read and hdf5_write take none. */
enum hdf5_element {
    HDF5_I8,
    HDF5_U8,
    HDF5_U16,
    HDF5_I32,
    HDF5_U32,
    HDF5_U64,
    HDF5_F32,
    HDF5_F64,
    HDF5_TEXT
};
size_t hdf5_element_size(enum hdf5_element element);      /* 0 for a text */
const char *hdf5_element_name(enum hdf5_element element); /* "u64", "text" */
hid_t hdf5_file_type(enum hdf5_element element);
hid_t hdf5_memory_type(enum hdf5_element element);

enum { HDF5_RANK_MAX = 3 };
/* A dimension that may have any length. */
#define HDF5_ANY HSIZE_UNDEF

/* Switches off HDF5's error printing for this thread, and its clean-up at exit. */
void hdf5_silence(void);
/* From here to the next call the HDF5 library works on the file at path (kept, not copied); NULL:
 * on none. Where it crashes meanwhile, which only a damaged or hostile file makes it do, the
 * process ends with exit code 2 and a line that names the file. Other crashes, and those under a
 * sanitizer, end the process as they would. */
void hdf5_guard(const char *path);
/* File access without HDF5's file locks (which fail on read-only media and would meet our own),
 * whose files close all their objects with them. H5I_INVALID_HID when out of memory. */
hid_t hdf5_file_access(void);

/* STATUS_BAD_INPUT (logged: found this, expected that) unless path is a regular file, not empty and
 * readable. */
MUST_CHECK status hdf5_check_regular(const char *path, const char *expected);

/* Opens a file for reading. STATUS_BAD_INPUT (logged with the path) if it is missing, no regular
 * file, no HDF5 file, truncated or damaged. *out is to be given to H5Fclose. */
MUST_CHECK status hdf5_open(hid_t *out, const char *path);
/* Text to put behind a complaint about the file: that somebody seems to write it still; "" if
 * nobody does. */
const char *hdf5_writer_hint(const char *path);

/* What stands at `name` (slashes allowed, relative to parent). */
enum hdf5_found {
    HDF5_MISSING,
    HDF5_LINKED_AWAY, /* a soft or external link is on the way: such are not followed */
    HDF5_GROUP,
    HDF5_DATASET,
    HDF5_ELSEWHERE, /* a dataset whose bytes lie in other files (external or virtual) */
    HDF5_OTHER
};
enum hdf5_found hdf5_find(hid_t parent, const char *name);

/* Opens a dataset for reading forward along its first dimension: the chunk cache holds two full
 * stripes of chunks, so that every chunk is read once. H5I_INVALID_HID on failure. */
hid_t hdf5_open_forward(hid_t parent, const char *name);
/* Number of dimensions, or -1 if that is above HDF5_RANK_MAX or unknown; fills dims. */
int hdf5_shape(hid_t dataset, hsize_t dims[HDF5_RANK_MAX]);
/* a x b, or the largest number there is. */
hsize_t hdf5_times(hsize_t a, hsize_t b);
/* "i32", "text" or, for what is no element type of ours, another word; written to out[size]. */
void hdf5_type_text(hid_t type, size_t size, char out[]);
/* "3 x 5" (or "a scalar"), written to out[size]. */
void hdf5_shape_text(int rank, const hsize_t dims[], size_t size, char out[]);
/* Rows first .. first + n - 1 along the first dimension, of a dataset of the given rank, with all
 * of its other dimensions. False if HDF5 cannot. */
bool hdf5_read_rows(hid_t dataset, int rank, const hsize_t dims[], uint64_t first, uint64_t n,
                    hid_t memory_type, void *out);

/* Reads the whole of dataset `name`. dims[rank]: what it must be, or HDF5_ANY, which becomes what
 * was found. STATUS_BAD_INPUT (logged with path and name) for a missing dataset, another element
 * type, another shape, more bytes than the file has, or data that cannot be read; path is for
 * messages. *out is the caller's, to be given to free; never NULL on success. */
MUST_CHECK status hdf5_read(hid_t file, const char *path, const char *name,
                            enum hdf5_element element, int rank, hsize_t dims[], void **out);

/* A new HDF5 file that lives in memory only; H5I_INVALID_HID on failure. */
hid_t hdf5_memory_file(void);
/* Its bytes as they would stand on disk; *bytes is the caller's, to be given to free. */
MUST_CHECK status hdf5_memory_file_bytes(hid_t file, uint8_t **bytes, size_t *size);
/* False if HDF5 refuses. */
bool hdf5_make_group(hid_t parent, const char *name);
/* Properties of a new dataset: no times. H5I_INVALID_HID on failure. */
hid_t hdf5_dataset_properties(void);
/* Writes a whole contiguous dataset; rank 0 is a scalar. False if HDF5 refuses. */
bool hdf5_write(hid_t parent, const char *name, enum hdf5_element element, int rank,
                const hsize_t dims[], const void *data);
/* Writes a list of texts of one fixed length, as plain readers of HDF5 like them, UTF-8, padded
 * with zeros. False if HDF5 refuses. */
bool hdf5_write_texts(hid_t parent, const char *name, size_t n, const char *const texts[]);

#endif
