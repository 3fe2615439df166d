/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reference_example: messages byte by byte, for docs/wire-format.md. */
#ifndef TOOLS_CLUSTERSCAN_REFERENCE_REFERENCE_EXAMPLE_H
#define TOOLS_CLUSTERSCAN_REFERENCE_REFERENCE_EXAMPLE_H

#include <stdio.h>

#include "common/base/status.h"

/* Messages as bytes, for wire-format.md. */
MUST_CHECK status reference_example(FILE *to);

#endif
