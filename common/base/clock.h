/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock: elapsed time, which changes of the time of day do not touch. */
#ifndef COMMON_BASE_CLOCK_H
#define COMMON_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since some moment of the past, the same for all processes of the machine. */
uint64_t clock_ms(void);

#endif
