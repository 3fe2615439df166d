/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figures_tests: figures of the excess and of the deviations it is picked by. */
#ifndef TOOLS_CLUSTERSCAN_FIGURES_FIGURES_TESTS_H
#define TOOLS_CLUSTERSCAN_FIGURES_FIGURES_TESTS_H

#include <stdio.h>

#include "tools/clusterscan/figures/figure.h"

extern const struct figure figure_rich; /* 4 */
extern const struct figure figure_z;    /* 8 */

/* Tables and panels of which the summary is made. The blocks of $data that a panel reads are those
 * its table writes, from panel->block on. */
void rich_table(const struct figure_data *data, FILE *to);
void rich_panel(const struct figure_data *data, const struct panel *panel, FILE *to);

#endif
