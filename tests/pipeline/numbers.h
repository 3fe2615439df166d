/* SPDX-License-Identifier: GPL-3.0-or-later */
/* numbers: a second pipeline, of whose records common/ knows nothing but what is added to the
 * schema table here: numbers 1 to N, in batches -> workers that square them -> a log, or
 * several -> their sum. */
#ifndef TESTS_PIPELINE_NUMBERS_H
#define TESTS_PIPELINE_NUMBERS_H

#include "common/stage/stage.h"

enum { NUMBERS = WIRE_OWN_FIRST, SQUARES };

struct numbers {
    uint64_t first; /* row */
    uint32_t n;
    const uint64_t *value; /* [n] */
};

/* Both types are such records. */
void numbers_add_schemas(void);
/* The record in which a program finds or puts one. */
static inline struct numbers *numbers_of(union record *record)
{
    return (struct numbers *)(void *)record->own;
}
static inline const struct numbers *numbers_in(const union record *record)
{
    return (const struct numbers *)(const void *)record->own;
}

#endif
