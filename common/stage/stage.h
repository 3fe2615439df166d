/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stage: what a stage is, and the one main function of all stage programs.
 *
 * A stage is a const table of functions. It never sees a socket: batches and items come as plain
 * records, results go to its outlet, and the loop, signals, heartbeats, credits, acks and end of
 * stream live in stage.c. So a test calls the functions bare. */
#ifndef COMMON_STAGE_STAGE_H
#define COMMON_STAGE_STAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/flow/feed/puller.h"
#include "common/topology/topology.h"
#include "common/wire/frame.h"

/* How much may be on its way to a process from each one that sends to it. */
enum {
    STAGE_WORKER_CREDITS = 2, /* batches: one at work, one unsealed */
    STAGE_LOG_CREDITS = 8,    /* batches; the readers' window bounds the sum */
    STAGE_FEED_AHEAD = 8      /* items */
};

struct stage_input {
    const char *stage; /* who sends */
    enum message_type type;
    size_t copies; /* processes of that stage */
    const char *const *endpoint;
};

/* What a stage is told when it starts; borrowed for the life of the process. */
struct stage_setup {
    const char *name;
    uint32_t replica;
    uint32_t replicas;
    const char *run_id;
    const char *log_id;
    const char *analysis_text; /* canonical YAML */
    struct analysis analysis;
    const json_t *settings;
    const json_t *foreign;  /* of a source: names of stages of others that take its batches */
    const char *started;    /* of a worker: file that holds what it has begun; NULL: none */
    const json_t *contents; /* of a source: its files as they must be; NULL: not known */
    const json_t *extents;  /* of the log: where its sources end, see setup.h; NULL: not known */
    const char *folder;     /* STATE/LOG_ID */
    uint32_t source;        /* of a source: its number in the order of the file */
    uint32_t sources;       /* how many there are */
    uint32_t window;        /* batches of a source that may be on their way to the log's disk */
    size_t n_inputs;
    const struct stage_input *inputs;
};

/* Where a stage puts its results, one record of its output type at a time. The record is borrowed
 * until emit returns. */
struct stage_outlet {
    status (*emit)(struct stage_outlet *self, const void *record);
    /* To be called from time to time by what takes long, at least once a second: without it the
     * process counts as one that hangs after FLOW_LEASE_MS. Cheap. NULL: not needed. */
    void (*alive)(struct stage_outlet *self);
};

/* One record that has come. */
struct stage_item {
    size_t input; /* which of setup->inputs */
    size_t copy;  /* which process of it */
    const struct wire_header
        *header;                /* its source; intake: seq of the batch; feed: seq is the index */
    const union record *record; /* borrowed until process returns */
};

/* What the log has beyond the usual functions. */
struct stage_log {
    /* Where source s ends: batches and rows. */
    void (*source_end)(void *self, uint32_t source, uint64_t batches, uint64_t rows);
    /* Watermark, epoch and bitmap of a source. */
    void (*state)(void *self, uint32_t source, struct control_durable *out);
    /* Seals what is due; *sealed gets the places on disk, *room whether new batches may come.
     * all: seal everything that can be, now. */
    status (*seal)(void *self, bool all, uint64_t *sealed, bool *room);
    /* True when every source has ended and all is on disk. */
    bool (*complete)(void *self);
    /* What became of the rows on disk. */
    void (*tally)(void *self, struct tally *out);
    /* The item at a place, its events within mass[0] <= m_jj < mass[1], and its source. STATUS_END:
     * it is not there (any more); seal will tell how many are, and state a new epoch. */
    status (*item)(void *self, uint64_t place, const double mass[2], union record *out,
                   uint32_t *source);
};

struct stage {
    const char *name; /* the program's */
    const char *help; /* one sentence */
    enum stage_role role;
    enum message_type output;
    /* Once, from the setup. STATUS_BAD_INPUT ends the run with exit code 2. */
    status (*create)(void **self, const struct stage_setup *setup);
    /* Per record. STATUS_END: nothing more is wanted from this input. */
    status (*process)(void *self, const struct stage_item *item, struct stage_outlet *outlet);
    /* An input has ended; total is the length of its producer's output before any filter (of
     * several copies the longest), or UINT64_MAX if process had enough of it before. */
    status (*finish)(void *self, size_t input, uint64_t total, struct stage_outlet *outlet);
    /* Long work in pieces, after an input has ended; *more while there is another piece. */
    status (*work)(void *self, struct stage_outlet *outlet, bool *more);
    void (*destroy)(void **self);
    /* Feed stages: what of an input is wanted. All of it if NULL. */
    void (*filter)(void *self, size_t input, struct feed_filter *filter);
    /* Sources: how many batches and rows there are; reads one. */
    void (*extent)(void *self, uint64_t *batches, uint64_t *rows);
    status (*read)(void *self, uint64_t seq, struct event_batch *out);
    /* Sources whose extent grows (NULL: it is what it is at the start): looks for more without
     * waiting. A batch counted once keeps its rows for good, also after a restart. *busy: there is
     * more to look at at once; *ended: there will be no more. */
    status (*grow)(void *self, bool *busy, bool *ended);
    /* Sources: the rows of a batch are given up, after three refusals: notes where they lie, on the
     * disk. NULL: nothing to note. */
    status (*quarantine)(void *self, uint64_t seq, const char *because);
    /* A descriptor that is readable when grow may find something, -1 for none; NULL likewise. */
    int (*watch)(void *self);
    /* The log only. */
    const struct stage_log *log;
    /* One line for people about what it is doing now, written to out[size]; may be NULL. */
    void (*describe)(void *self, size_t size, char out[]);
};

/* Runs a stage program: PROGRAM --stage FILE. Returns its exit code. */
int stage_main(const struct stage *stage, int argc, char **argv);

#endif
