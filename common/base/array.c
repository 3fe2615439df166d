/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 16 };

status array_reserve(void *array, size_t *room, size_t wanted, size_t bytes)
{
    void *elements; /* of whatever type: its pointer is copied as bytes */
    memcpy(&elements, array, sizeof elements);
    if (wanted <= *room && elements != NULL)
        return STATUS_OK;
    size_t larger = 2 * *room > wanted ? 2 * *room : wanted;
    larger = larger > FIRST ? larger : FIRST;
    if (larger > SIZE_MAX / 2 / bytes)
        return STATUS_NO_MEMORY;
    void *moved = realloc(elements, larger * bytes);
    if (moved == NULL)
        return STATUS_NO_MEMORY;
    memcpy(array, &moved, sizeof moved);
    *room = larger;
    return STATUS_OK;
}
