/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock: how much time has passed, whatever is done to the time of day. */
#ifndef COMMON_BASE_CLOCK_H
#define COMMON_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since some moment of the past, the same for all processes of the machine. */
uint64_t clock_ms(void);

#endif
