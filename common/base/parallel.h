/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parallel: independent pieces of one computation on several threads. */
#ifndef COMMON_BASE_PARALLEL_H
#define COMMON_BASE_PARALLEL_H

#include <stddef.h>

/* Threads that can run at once: the cores this process may use. */
unsigned parallel_cores(void);

/* Calls work(context, i) for every i < n, each in a thread of its own, one of them the caller's,
 * and returns when all have returned. A thread that cannot be made is the caller's too. */
void parallel_run(size_t n, void (*work)(void *context, size_t i), void *context);

#endif
