/* SPDX-License-Identifier: GPL-3.0-or-later */
/* role: what the loop (loop.c) and the four roles (source.c, worker.c, log.c, feed.c) share. */
#ifndef COMMON_STAGE_ROLES_ROLE_H
#define COMMON_STAGE_ROLES_ROLE_H

#include <zmq.h>

#include "common/flow/link/flow.h"
#include "common/stage/setup.h"
#include "common/stage/stage.h"

enum { RUNTIME_SOCKETS_MAX = 1024 };

struct runtime {
    const struct stage *stage;
    void *self; /* the stage's own state */
    struct process_setup given;
    struct flow flow;
    void *role;          /* the role's own state */
    void *monitor;       /* where heartbeats go; NULL: nowhere */
    uint64_t items;      /* sent, sealed or emitted: what counts as progress */
    uint64_t events;     /* in the batches received or handed out */
    struct tally tally;  /* of the log */
    uint64_t total_rows; /* of a source, so far */
    bool growing;        /* of a source: more may come */
    bool finished;       /* all work is done; only serving is left */
};

/* Why a process is idle, as `status` shows it. */
enum wait_for {
    WAIT_FOR_INPUT,  /* something from input `waits_input` */
    WAIT_FOR_OUTPUT, /* credit from a consumer */
    WAIT_FOR_LOG,    /* acknowledgements of the log */
    WAIT_FOR_FILES,  /* more events in a followed folder */
    WAIT_FOR_DISK    /* room on the disk */
};

/* State of the flow control, for heartbeats. */
struct role_flow {
    enum wait_for wait;
    size_t waits_input;
    uint64_t credits; /* batches that may be on their way to its consumers; 0: none are counted */
    uint64_t used;    /* of them */
    uint64_t lag;     /* of a source: batches that are not on the log's disk */
};

/* A way to move data. */
struct role {
    status (*open)(struct runtime *runtime);
    /* One round without waiting; *busy: call again at once. STATUS_END: the stage has finished and
     * has no consumer left. */
    status (*turn)(struct runtime *runtime, bool *busy);
    /* Called once, when the process is to stop in order. */
    status (*stop)(struct runtime *runtime);
    /* The sockets to wait for; returns how many. */
    size_t (*sockets)(const struct runtime *runtime, void *sockets[RUNTIME_SOCKETS_MAX]);
    void (*describe_flow)(const struct runtime *runtime, struct role_flow *out);
    /* Of a feed: the next item wanted of an input; UINT64_MAX: no more. NULL for other roles. */
    uint64_t (*next)(const struct runtime *runtime, size_t input);
    /* Also of a half-open role. */
    void (*close)(struct runtime *runtime);
};
extern const struct role role_source;
extern const struct role role_worker;
extern const struct role role_log;
extern const struct role role_feed;

/* The role of a stage. */
const struct role *role_of(const struct stage *stage);

/* NULL, or why a record is refused: it is not of the type of the input, or not within the limits of
 * its type and of the run. */
const char *runtime_fault(const struct runtime *runtime, size_t input,
                          const struct wire_header *header, const union record *record);

#endif
