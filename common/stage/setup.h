/* SPDX-License-Identifier: GPL-3.0-or-later */
/* setup: how a stage learns its place: the JSON file that `clusterscan run` writes for it.
 *   {name, replica, replicas, run_id, log_id, settings, analysis, analysis_text, folder, scratch,
 *    source, sources, window, compression, inputs: [{stage, type, endpoints: [...]}], output,
 *    control, monitor, watch, contents, extents, logs, foreign, started}
 * output is null for a sink; control (sources and the log), monitor (for heartbeats) and watch (the
 * heartbeats of all) are endpoints; compression is "none" or "lz4"; contents, of a reader whose
 * files are known, tells what it will find:
 * [{path, events, identity: [device, inode, size, mtime, ctime], digest}], the masterkey last;
 * extents, of the log: for each source [batches, rows], "journal" for a followed folder, or null;
 * logs, of stages right of them, in the order of the file: [{stage, log_id, folder, first_source,
 * sources}];
 * foreign, of a source: names of stages of others that take its batches; started, of a worker: a
 * file where it may note which batch it has begun (source and seq, 8 bytes each, little-endian, the
 * source plus one; zeros: none). */
#ifndef COMMON_STAGE_SETUP_H
#define COMMON_STAGE_SETUP_H

#include "common/stage/stage.h"

struct process_setup {
    json_t *document; /* what the texts below are borrowed from */
    struct stage_setup setup;
    struct stage_input *inputs;
    const char **endpoints;     /* of all inputs */
    const char *scratch;        /* folder for files of this life of the process */
    enum payload_coding coding; /* of its output */
    const char *output;         /* NULL: it has no consumer */
    const char *control;        /* NULL: none */
    const char *monitor;        /* NULL: none */
};

/* Reads the file. STATUS_BAD_INPUT, logged with the file and the key. */
MUST_CHECK status process_setup_load(struct process_setup *out, const char *path);
/* Frees what is in it and zeroes it. */
void process_setup_fini(struct process_setup *self);

#endif
