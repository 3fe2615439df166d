/* SPDX-License-Identifier: GPL-3.0-or-later */
/* masterkey: labels of a table of events, one a line in a text file, as the LHC Olympics gave them
 * out after the boxes were opened. */
#ifndef COMMON_STORE_EVENTS_MASTERKEY_H
#define COMMON_STORE_EVENTS_MASTERKEY_H

#include <stdint.h>

#include "common/base/status.h"

/* Reads exactly `events` labels, integers of 8 bits in any spelling of the number. STATUS_BAD_INPUT
 * (logged with path and line). *labels is the caller's, to be given to free. */
MUST_CHECK status masterkey_read(const char *path, uint64_t events, int8_t **labels);

#endif
