/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figures_images: figures of jet images. */
#ifndef TOOLS_CLUSTERSCAN_FIGURES_FIGURES_IMAGES_H
#define TOOLS_CLUSTERSCAN_FIGURES_FIGURES_IMAGES_H

#include "tools/clusterscan/figures/figure.h"

extern const struct figure figure_average_images; /* 1 */
extern const struct figure figure_cluster_images; /* beside it */
extern const struct figure figure_lit_pixels;     /* 6 */

#endif
