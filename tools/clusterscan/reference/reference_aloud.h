/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reference_aloud: the bytes of a message explained, a line per item, decoded from the bytes alone.
 */
#ifndef TOOLS_CLUSTERSCAN_REFERENCE_REFERENCE_ALOUD_H
#define TOOLS_CLUSTERSCAN_REFERENCE_REFERENCE_ALOUD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* msgpack of the kinds that our messages hold; another one is our own bug. names: of the elements
 * of an array in the first place, ends with NULL; may be NULL. */
void reference_read_msgpack(FILE *to, size_t size, const uint8_t bytes[],
                            const char *const names[]);
/* One LZ4 frame of stored blocks without checksums, and the msgpack in it. */
void reference_read_lz4(FILE *to, size_t size, const uint8_t bytes[]);

#endif
