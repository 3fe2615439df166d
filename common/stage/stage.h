/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stage: what a stage is, and the one main function of all stage programs.
 *
 * A stage is a const table of functions. It never sees a socket: batches and items come as plain
 * records, results go to its outlet, and the loop, signals, heartbeats, credits, acks and end of
 * stream live in loop.c and roles. So a test calls the functions bare. */
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
    const char *stage; /* the producer */
    enum message_type type;
    size_t copies; /* processes of that stage */
    const char *const *endpoint;
};

/* The setup of a stage; borrowed for the life of the process. */
struct stage_setup {
    const char *name;
    uint32_t replica;
    uint32_t replicas;
    const char *run_id;
    const char *log_id;        /* right of several logs: their ids with commas between */
    const char *analysis_text; /* canonical YAML */
    struct analysis analysis;
    const json_t *settings;
    const json_t *foreign;  /* of a source: names of its foreign consumers */
    const char *started;    /* of a worker: file that holds the batch it has begun; NULL: none */
    const json_t *contents; /* of a source: its files as they must be; NULL: not known */
    const json_t *extents;  /* of the log: where its sources end, see setup.h; NULL: not known */
    const json_t *logs;     /* right of them: the logs, see setup.h; NULL: not known */
    const char *folder;     /* STATE/LOG_ID; right of several logs that of the run */
    uint32_t source;        /* of a source: its number among those of its log, in the order of the
                             * file; of a log: that of its first among the sources of all logs */
    uint32_t sources;       /* how many there are: of its log, right of them of all */
    uint32_t window;        /* batches of a source that may be on their way to the log's disk */
    size_t n_inputs;
    const struct stage_input *inputs;
};

/* Where a stage puts its results, one record of its output type at a time. The record is borrowed
 * until emit returns. */
struct stage_outlet {
    status (*emit)(struct stage_outlet *self, const void *record);
    /* To be called by a long computation at least once a second: without it the
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
    /* On a feed. Its place: of a merged input in the order of all inputs that are merged, else its
     * index in its input. */
    uint64_t place;
    uint64_t next; /* later items of this input, or those merged with it, have no lower place */
};

/* The rows of the batch with the name (source, seq). */
struct stage_rows {
    uint64_t first; /* over all files of the source */
    uint32_t n;
};

/* The table of a role. Every function gets the stage's own state, `self`; it is called from the one
 * thread of the loop, and what it is handed is borrowed until it returns. None of them may wait: a
 * stage that waits counts as one that hangs. "Optional" slots may be NULL. A status other than
 * STATUS_OK, and what is said of STATUS_END, ends the process: STATUS_BAD_INPUT the whole run. */

/* Hands out batches that have a name and can be read again. */
struct stage_source {
    /* After create, and after every grow: how many batches and rows there are so far. */
    void (*extent)(void *self, uint64_t *batches, uint64_t *rows);
    /* Whenever a worker has room, and again for what was lost: batch seq < batches, into *out,
     * which holds until the next read; the same seq gives the same bytes, also after a restart. */
    status (*read)(void *self, uint64_t seq, union record *out, struct stage_rows *rows);
    /* Optional: the extent grows. Every turn of the loop until *ended: looks for more. *busy: there
     * is more to look at at once. A batch counted once keeps its rows for good. */
    status (*grow)(void *self, bool *busy, bool *ended);
    /* Optional: batch seq is given up, after three refusals; notes where its rows lie, on the disk,
     * before it returns. */
    status (*quarantine)(void *self, uint64_t seq, const char *because);
};

/* Makes one record of one; keeps nothing between them, so any number may share the work. */
struct stage_worker {
    /* Per batch: emits one record, which goes on under the name of the batch. What takes more than
     * a second calls outlet->alive. */
    status (*process)(void *self, const struct stage_item *item, struct stage_outlet *outlet);
};

/* A deterministic function of what it pulls: killed, it pulls everything again. */
struct stage_feed {
    /* Inputs of this type are pulled to their end before all others;
     * MESSAGE_NONE: all at once. */
    enum message_type first;
    /* Inputs of this type are parts of one stream, as several logs are: their items come in the
     * order (index, input), an input that has ended being left out; MESSAGE_NONE: none are. Each is
     * of one process, and filter wants the same partition of all. */
    enum message_type merged;
    /* Optional: once per input, after create: sets the filter of its items. */
    void (*filter)(void *self, size_t input, struct feed_filter *filter);
    /* Per item of any input, in the order of its producer (copies of one input in any). Emits any
     * number of records. STATUS_END: nothing more is wanted from this input, or from any of those
     * that are merged with it. */
    status (*process)(void *self, const struct stage_item *item, struct stage_outlet *outlet);
    /* Optional: an input has ended; total is the length of its producer's output before any filter
     * (of several copies the longest), or UINT64_MAX if process had enough of it before. Of merged
     * inputs it is called once, with the first of them and the sum of their totals. */
    status (*finish)(void *self, size_t input, uint64_t total, struct stage_outlet *outlet);
    /* Optional: long work in pieces of at most 50 ms or so. From the first finish on, it is called
     * after every finish and process, and again while *more: there is another piece. */
    status (*work)(void *self, struct stage_outlet *outlet, bool *more);
};

/* Keeps records of its output type on disk, in one order, each once. */
struct stage_log {
    /* NULL, or why a batch cannot be kept, beyond the checks of its type. rows: those that its
     * source has announced, NULL if it has not. */
    const char *(*fault)(void *self, const struct stage_item *item, const struct stage_rows *rows);
    /* Keeps a copy of a batch; it may come twice. STATUS_END: there is no room for it yet. */
    status (*process)(void *self, const struct stage_item *item);
    /* Keeps a quarantined batch, without its record. Likewise. */
    status (*give_up)(void *self, uint32_t source, uint64_t seq, const struct stage_rows *rows);
    /* Where source s ends: batches and rows. Every turn, once it is known. */
    void (*source_end)(void *self, uint32_t source, uint64_t batches, uint64_t rows);
    /* Watermark, epoch and bitmap of a source; the bitmap holds until the next call. */
    void (*state)(void *self, uint32_t source, struct control_durable *out);
    /* Every turn: writes what is due, and returns when it is safe. *sealed gets the places on disk,
     * *room whether new batches may come. all: everything that can be, now. */
    status (*seal)(void *self, bool all, uint64_t *sealed, bool *room);
    /* True when every source has ended and all is on disk. */
    bool (*complete)(void *self);
    /* What became of the rows on disk. */
    void (*tally)(void *self, struct tally *out);
    /* The item at a place, its events within mass[0] <= m_jj < mass[1], and its source; *out holds
     * until the next call. STATUS_END: it is not there (any more); seal returns how many are left,
     * and state a new epoch. */
    status (*item)(void *self, uint64_t place, const double mass[2], union record *out,
                   uint32_t *source);
};

/* A descriptor that the loop waits for, and for which events of poll(2). */
struct stage_descriptor {
    int fd;
    short events;
};
enum { STAGE_DESCRIPTORS_MAX = 64 };

/* Descriptors of the stage's own in the loop: of new files, of a server's connections. They stay
 * the stage's, which opens and closes them. */
struct stage_descriptors {
    /* Before every wait: what to wait for, into watch[STAGE_DESCRIPTORS_MAX]; returns how many.
     * *wait_ms is how long the loop would wait at most (0 if it has work); a timer of the stage's
     * may lower it. */
    size_t (*wanted)(void *self, struct stage_descriptor watch[], long *wait_ms);
    /* Optional: after every wait, which is at least every 200 ms and between any two pieces of
     * work: serves the ready descriptors without waiting. */
    status (*serve)(void *self);
};

/* Exactly one of the four tables of roles is set. */
struct stage {
    const char *name; /* the program's */
    const char *help; /* one sentence; NULL: that of the row of this name in schema_stages, which
                       * holds the output too */
    enum message_type output;
    /* Once, from the setup, which holds for the life of the process. STATUS_NO_SPACE: tried again
     * when there may be room; STATUS_BAD_INPUT ends the run with exit code 2. */
    status (*create)(void **self, const struct stage_setup *setup);
    /* Also of a half-made state, and of NULL. */
    void (*destroy)(void **self);
    /* Optional: one line of text about its present work, written to out[size]. */
    void (*describe)(void *self, size_t size, char out[]);
    /* Optional: NULL, if the loop has only sockets to wait for. */
    const struct stage_descriptors *descriptors;
    const struct stage_source *source;
    const struct stage_worker *worker;
    const struct stage_feed *feed;
    const struct stage_log *log;
};

/* The role of a stage by the table that is set; asserts that just one is, with the functions that
 * it must have. */
enum stage_role stage_role_of(const struct stage *stage);

/* Runs a stage program: PROGRAM --stage FILE. Returns its exit code. */
int stage_main(const struct stage *stage, int argc, char **argv);

#endif
