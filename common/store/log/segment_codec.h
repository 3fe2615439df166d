/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segment_codec: what a log on disk needs to know of the records that it seals, as one table. So
 * the folder, its manifest and its checks (log_folder.h) know no type of record; segment_images.h
 * has the codec of image batches. `batches` is an array of the codec's own type of named batches,
 * `segment` what its open has made. */
#ifndef COMMON_STORE_LOG_SEGMENT_CODEC_H
#define COMMON_STORE_LOG_SEGMENT_CODEC_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/records/tally.h"

/* The name of a batch, and what became of its rows. */
struct segment_account {
    uint32_t source;
    uint64_t seq;
    struct tally rows;
};

struct segment_codec {
    /* The content of a segment file of n batches: the same batches give the same bytes. *bytes is
     * the caller's, to be given to free. STATUS_NO_MEMORY; STATUS_IO, logged. */
    status (*build)(size_t n, const void *batches, uint8_t **bytes, size_t *size);
    /* 16 bytes that stand for everything the batches say, whatever file they lie in.
     * STATUS_NO_MEMORY. */
    status (*digest)(size_t n, const void *batches, uint8_t out[16]);
    /* Reads a segment file whole into memory; *segment is the caller's, to be given to close.
     * STATUS_BAD_INPUT, logged with the path, if it is no consistent segment. */
    status (*open)(void **segment, const char *path);
    /* Frees *segment and sets it to NULL; does nothing if it is NULL already. */
    void (*close)(void **segment);
    /* Its batches, *n of them; borrowed from the segment. */
    const void *(*batches)(const void *segment, size_t *n);
    /* Name and row counts of batch i. It is also called for batches that `fault` has not accepted
     * yet, so it must hold for whatever `open` accepts. */
    void (*account)(const void *batches, size_t i, struct segment_account *out);
    /* NULL, or what is wrong inside batch i. made_from: what the log's records were made with (the
     * header of log_folder_open), NULL if that is not known. */
    const char *(*fault)(const void *batches, size_t i, const json_t *made_from);
};

#endif
