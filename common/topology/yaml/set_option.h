/* SPDX-License-Identifier: GPL-3.0-or-later */
/* set_option: applies a --set of the command line to a topology. */
#ifndef COMMON_TOPOLOGY_YAML_SET_OPTION_H
#define COMMON_TOPOLOGY_YAML_SET_OPTION_H

#include "common/topology/yaml/document.h"

/* Replaces or adds the value at `key.path=value` (borrowed until document_close); mappings on the
 * way are made where there are none. A text that cannot be applied becomes a mistake of the
 * document. */
void set_option_apply(document *self, const char *text);

#endif
