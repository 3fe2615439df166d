/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runtime: what the loop (stage.c) and the four roles (role_*.c) share. */
#ifndef COMMON_STAGE_RUNTIME_H
#define COMMON_STAGE_RUNTIME_H

#include <zmq.h>

#include "common/flow/link.h"
#include "common/stage/setup.h"
#include "common/stage/stage.h"

enum { RUNTIME_SOCKETS_MAX = 1024 };

struct runtime {
    const struct stage *stage;
    void *self; /* the stage's own state */
    struct stage_place place;
    struct flow flow;
    void *role;          /* the role's own state */
    uint64_t items;      /* sent, sealed or emitted: what counts as progress */
    uint64_t events;     /* in the batches taken in or handed out */
    struct tally tally;  /* of the log */
    uint64_t total_rows; /* of a source, so far */
    bool growing;        /* of a source: more may come */
    bool finished;       /* all work is done; only serving is left */
};

/* A way to move data. */
struct role {
    status (*open)(struct runtime *runtime);
    /* One round without waiting; *busy: call again at once. STATUS_END: the stage has finished and
     * nobody needs it any more. */
    status (*turn)(struct runtime *runtime, bool *busy);
    /* Asked to stop in order. */
    status (*stop)(struct runtime *runtime);
    /* The sockets to wait for; returns how many. */
    size_t (*sockets)(const struct runtime *runtime, void *sockets[RUNTIME_SOCKETS_MAX]);
    /* Takes a half-open role too. */
    void (*close)(struct runtime *runtime);
};
extern const struct role role_source;
extern const struct role role_worker;
extern const struct role role_log;
extern const struct role role_feed;

/* False, logged, if a record is not what its type and the analysis say; such a record is refused.
 */
bool runtime_accepts(const struct runtime *runtime, const struct wire_header *header,
                     const union record *record);

#endif
