/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/pipeline/numbers.h"

#include <stddef.h>

static const char *fault(const void *record, const struct wire_limits *limits)
{
    const struct numbers *numbers = record;
    return numbers->n > limits->batch ? "it has more numbers than analysis.stream.batch" : NULL;
}

void numbers_add_schemas(void)
{
    static const struct wire_field fields[] = {
        {.name = "first",
         .kind = WIRE_U64,
         .storage = WIRE_SCALAR,
         .offset = offsetof(struct numbers, first),
         .help = "row"},
        {.name = "n",
         .kind = WIRE_U32,
         .storage = WIRE_SCALAR,
         .offset = offsetof(struct numbers, n),
         .help = "numbers"},
        {.name = "value",
         .kind = WIRE_U64,
         .storage = WIRE_COLUMN,
         .offset = offsetof(struct numbers, value),
         .extents = 1,
         .extent = {{.of = offsetof(struct numbers, n), .times = 1, .text = "n"}},
         .help = "each"},
    };
    static struct wire_schema schemas[] = {{.name = "numbers"}, {.name = "squares"}};
    for (unsigned i = 0; i < 2; i++) {
        schemas[i].help = "for a test";
        schemas[i].size = sizeof(struct numbers);
        schemas[i].n = sizeof fields / sizeof *fields;
        schemas[i].fields = fields;
        schemas[i].events = offsetof(struct numbers, n);
        schemas[i].fault = fault;
        wire_schema_add(NUMBERS + i, &schemas[i]);
    }
}
