/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure: the figures of a result, each a table of numbers and a gnuplot script that draws it.
 * Those with a number are the paper's (arXiv 2402.17714) that follow from one result. Colours are
 * of Okabe and Ito's set, which differ in width and dashes too, for grey print. */
#ifndef TOOLS_CLUSTERSCAN_FIGURES_FIGURE_H
#define TOOLS_CLUSTERSCAN_FIGURES_FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/status.h"
#include "tools/clusterscan/figures/figure_data.h"

/* Where the axes of a plot stand, in shares of the page, and which block of $data they show. */
struct panel {
    int block;
    double left, right, bottom, top;
};
/* The frame of a panel and its tics. A panel begins with this and ends with a plot. */
void panel_print_frame(const struct panel *panel, FILE *to);

enum figure_needs { NEEDS_RESULT, NEEDS_IMAGES, NEEDS_LABELS /* and images */ };
/* What the grey line at the foot names: the run alone, or the member that is shown too. */
enum figure_foot { FOOT_MEMBER, FOOT_RUN };

struct figure {
    const char *name; /* of its files, without suffix */
    const char *title;
    enum figure_needs needs;
    enum figure_foot foot;
    double width_cm, height_cm;
    double (*height_of)(const struct figure_data *data); /* in place of height_cm; NULL: none */
    void (*table)(const struct figure_data *data, FILE *to);
    void (*script)(const struct figure_data *data, FILE *to);
};
double figure_height_cm(const struct figure *figure, const struct figure_data *data);

/* The lines at the foot of a figure, as labels 97 to 99: the worst verdict, the name of the run and
 * of what is shown, and whether that run has ended. */
void figure_print_foot(const struct figure *figure, const struct figure_data *data, FILE *to);
/* What keeps the foot off the next panel of a multiplot. */
#define FIGURE_UNSET_FOOT "unset label 97; unset label 98; unset label 99\n"

#endif
