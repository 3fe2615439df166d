/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reference_schema: the schema table as a JSON Schema. */
#ifndef TOOLS_CLUSTERSCAN_REFERENCE_REFERENCE_SCHEMA_H
#define TOOLS_CLUSTERSCAN_REFERENCE_REFERENCE_SCHEMA_H

#include <jansson.h>

/* The JSON Schema (draft-07) of a topology file; a new reference, NULL when out of memory. */
json_t *reference_schema(void);

#endif
