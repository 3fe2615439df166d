/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figures_spectra: figures of the spectra of the clusters. */
#ifndef TOOLS_CLUSTERSCAN_FIGURES_FIGURES_SPECTRA_H
#define TOOLS_CLUSTERSCAN_FIGURES_FIGURES_SPECTRA_H

#include <stdio.h>

#include "tools/clusterscan/figures/figure.h"

extern const struct figure figure_normalised;   /* 2 */
extern const struct figure figure_standardised; /* 3 */
extern const struct figure figure_deviations;   /* 9 */

/* Tables and panels of which the summary is made. The blocks of $data that a panel reads are those
 * its table writes, from panel->block on. */
void normalised_table(const struct figure_data *data, FILE *to);
void normalised_panel(const struct figure_data *data, const struct panel *panel, FILE *to);
void standardised_table(const struct figure_data *data, FILE *to);
void standardised_panel(const struct figure_data *data, const struct panel *panel, FILE *to);

#endif
