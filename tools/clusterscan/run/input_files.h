/* SPDX-License-Identifier: GPL-3.0-or-later */
/* input_files: which files a reader reads. */
#ifndef TOOLS_CLUSTERSCAN_RUN_INPUT_FILES_H
#define TOOLS_CLUSTERSCAN_RUN_INPUT_FILES_H

#include <jansson.h>
#include <stdbool.h>

#include "common/base/status.h"
#include "common/topology/topology.h"

/* The files of a reader's settings.files with its globs expanded in byte order: a new array of
 * texts. STATUS_BAD_INPUT, logged with stage and pattern, if a pattern matches nothing. Of a reader
 * that follows a folder: the absolute path of the folder, which must be there. */
MUST_CHECK status input_files_expand(const struct topology_stage *stage, json_t **out);
/* Whether it follows a folder. */
bool input_files_followed(const struct topology_stage *stage);

#endif
