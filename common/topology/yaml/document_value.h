/* SPDX-License-Identifier: GPL-3.0-or-later */
/* document_value: values of a YAML document as JSON. */
#ifndef COMMON_TOPOLOGY_YAML_DOCUMENT_VALUE_H
#define COMMON_TOPOLOGY_YAML_DOCUMENT_VALUE_H

#include <jansson.h>

#include "common/topology/yaml/document.h"

/* The value as JSON, a new reference: plain numbers, true, false and null as YAML 1.2 has them
 * (integers in decimal only), all else text; NULL where it cannot be JSON, which has been noted
 * then. where: the key it belongs to. */
json_t *document_value(document *self, struct fy_node *node, struct fy_node *where);

#endif
