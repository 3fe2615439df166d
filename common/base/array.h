/* SPDX-License-Identifier: GPL-3.0-or-later */
/* array: arrays that grow. */
#ifndef COMMON_BASE_ARRAY_H
#define COMMON_BASE_ARRAY_H

#include <stddef.h>

#include "common/base/status.h"

/* The pointer at `array`, to *room elements of so many bytes (NULL: none), gets room for at least
 * `wanted`: twice as many as before if they must move, so that adding one after the other costs
 * little. STATUS_NO_MEMORY leaves all as it was. Typed by ARRAY_RESERVE. */
MUST_CHECK status array_reserve(void *array, size_t *room, size_t wanted, size_t bytes);

#define ARRAY_RESERVE(array, room, wanted) \
    array_reserve((array), (room), (wanted), sizeof **(array))

#endif
