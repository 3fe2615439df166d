/* SPDX-License-Identifier: GPL-3.0-or-later */
/* document_form: the check that a topology is plain data. */
#ifndef COMMON_TOPOLOGY_YAML_DOCUMENT_FORM_H
#define COMMON_TOPOLOGY_YAML_DOCUMENT_FORM_H

#include "common/topology/yaml/document.h"

/* Notes a mistake for every anchor, alias, tag, doubled key and key that is no text, and for nodes
 * nested more than DOCUMENT_DEPTH_MAX deep, also below keys that no schema knows. */
void document_form_check(document *self);

#endif
