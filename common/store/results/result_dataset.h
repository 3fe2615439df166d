/* SPDX-License-Identifier: GPL-3.0-or-later */
/* result_dataset: writes and reads the datasets of a result file by their ids (result_schema.h). A
 * number in memory of another type than the dataset's is a bug of ours; another type or shape in a
 * file is refused. */
#ifndef COMMON_STORE_RESULTS_RESULT_DATASET_H
#define COMMON_STORE_RESULTS_RESULT_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/store/results/result_schema.h"

/* An open file. */
struct result_access {
    hid_t file;
    const char *path; /* for messages */
    /* What is written has these lengths, what is read must have them; HDF5_ANY becomes what the
     * first dataset with that dimension has. */
    hsize_t lengths[DIMENSIONS];
};

/* Texts of one fixed length, each ended by a zero: text i begins at text + i * size. */
struct result_texts {
    size_t n;
    size_t size;
    char *text;
};

/* The element type of a C object. */
#define RESULT_ELEMENT(object)    \
    _Generic(object, uint8_t      \
             : HDF5_U8, uint16_t  \
             : HDF5_U16, uint32_t \
             : HDF5_U32, int32_t  \
             : HDF5_I32, uint64_t \
             : HDF5_U64, float    \
             : HDF5_F32, double   \
             : HDF5_F64)

/* Writes the dataset from `numbers`, a pointer to its first number. False if HDF5 refuses. */
#define result_write(to, id, numbers) result_write_as(to, id, RESULT_ELEMENT(*(numbers)), numbers)
bool result_write_as(const struct result_access *to, enum result_id id, enum hdf5_element element,
                     const void *numbers);
/* As many texts as the dataset's length says. */
bool result_write_texts(const struct result_access *to, enum result_id id,
                        const char *const texts[]);
/* Makes the group that the dataset stands in. */
bool result_make_group(const struct result_access *to, enum result_id id);
/* Gives each dataset that the file has its attributes `units` and `description`. */
bool result_describe(const struct result_access *to);

/* Opens a result file with lengths that may be any; errors are those of hdf5_open. The file is to
 * be given to H5Fclose. */
MUST_CHECK status result_open(struct result_access *out, const char *path);
/* Whether the dataset, or the group that it stands in, is there. */
bool result_has(const struct result_access *from, enum result_id id);
bool result_has_group(const struct result_access *from, enum result_id id);
/* Reads the whole dataset; *out, a pointer to its numbers, is the caller's, to be given to free,
 * and NULL on failure. STATUS_BAD_INPUT, logged with file, dataset, what was found and what was
 * expected, if it is missing, of another type or shape, or damaged. */
#define result_read(from, id, out) result_read_as(from, id, RESULT_ELEMENT(**(out)), out)
MUST_CHECK status result_read_as(struct result_access *from, enum result_id id,
                                 enum hdf5_element element, void *out);
/* Several datasets one after the other; the first failure ends it. */
struct result_part {
    enum result_id id;
    enum hdf5_element element;
    void *out;
};
#define RESULT_PART(id, out)             \
    {                                    \
        id, RESULT_ELEMENT(**(out)), out \
    }
MUST_CHECK status result_read_parts(struct result_access *from, size_t n,
                                    const struct result_part parts[]);
/* Texts, else as result_read; out->text is the caller's, to be given to free. */
MUST_CHECK status result_read_texts(struct result_access *from, enum result_id id,
                                    struct result_texts *out);

#endif
