/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

struct piece {
    void (*work)(void *context, size_t i);
    void *context;
    size_t i;
    pthread_t thread;
};

unsigned parallel_cores(void)
{
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 ? (unsigned)CPU_COUNT(&cores) : 1;
}

static void *run_piece(void *argument)
{
    const struct piece *piece = argument;
    piece->work(piece->context, piece->i);
    return NULL;
}

void parallel_run(size_t n, void (*work)(void *context, size_t i), void *context)
{
    if (n == 0)
        return;
    struct piece *pieces = calloc(n, sizeof *pieces);
    size_t started = 1; /* pieces 1 to started - 1 have threads */
    while (pieces != NULL && started < n) {
        struct piece *piece = &pieces[started];
        *piece = (struct piece){.work = work, .context = context, .i = started};
        if (pthread_create(&piece->thread, NULL, run_piece, piece) != 0)
            break;
        started++;
    }
    work(context, 0);
    for (size_t i = started; i < n; i++)
        work(context, i);
    for (size_t i = 1; i < started; i++)
        pthread_join(pieces[i].thread, NULL);
    free(pieces);
}
