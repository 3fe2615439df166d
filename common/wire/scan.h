/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scan: is this one well-formed msgpack object, small enough to parse? Allocates nothing. */
#ifndef COMMON_WIRE_SCAN_H
#define COMMON_WIRE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCAN_DEPTH_MAX = 8 };

/* True if data[size] is exactly one msgpack object, nested at most SCAN_DEPTH_MAX deep, whose items
 * all fit into the bytes there are. Extension types are refused. */
bool scan_msgpack(const uint8_t *data, size_t size);

#endif
