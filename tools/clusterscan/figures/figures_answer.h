/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figures_answer: figures of the answer as a whole, and the list of all figures. */
#ifndef TOOLS_CLUSTERSCAN_FIGURES_FIGURES_ANSWER_H
#define TOOLS_CLUSTERSCAN_FIGURES_FIGURES_ANSWER_H

#include "tools/clusterscan/figures/figure.h"

/* In the order in which they are drawn; NULL behind the last. */
extern const struct figure *const figures_all[];

extern const struct figure figure_summary; /* a page with panels of the other figures */
extern const struct figure figure_members; /* significance and bin of every member */
extern const struct figure figure_history; /* mean significance against events read */
extern const struct figure figure_mass;    /* dijet mass of all events */

#endif
