/* SPDX-License-Identifier: GPL-3.0-or-later */
/* limits: sizes that the records of a run never exceed; a larger record is refused. */
#ifndef COMMON_WIRE_LIMITS_H
#define COMMON_WIRE_LIMITS_H

#include <stdint.h>

struct wire_limits {
    uint32_t batch;  /* rows of a batch */
    uint32_t pixels; /* of an image */
};

#endif
