/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure: the figures of a result, each a table of numbers and a gnuplot script that draws it.
 * Those with a number are the paper's (arXiv 2402.17714) that follow from one result. Colours are
 * of Okabe and Ito's set, told apart in grey print by width and dashes too. */
#ifndef TOOLS_CLUSTERSCAN_FIGURES_FIGURE_H
#define TOOLS_CLUSTERSCAN_FIGURES_FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/status.h"
#include "common/store/results/result_tables.h"
#include "common/topology/schema/analysis.h"
#include "tools/clusterscan/figures/image_averages.h"

/* One member of a result, and what follows from it. Pointers into `tables` are borrowed. */
struct figure_data {
    const struct result_tables *tables;
    const struct analysis *analysis;
    const struct image_averages *pictures; /* NULL: no images at hand */
    char *verdict;                         /* the worst one, in words; NULL: all are good */
    bool final;                            /* the run that makes the result has ended */
    size_t member;
    const char *chosen; /* how, in words */
    size_t clusters;
    size_t bins;
    const double *edges;    /* [bins + 1] GeV */
    const uint64_t *counts; /* [clusters, bins] */
    const double *z;        /* [clusters, bins] */
    const uint8_t *rich;    /* [clusters] 1: signal-rich */
    uint64_t *jets;         /* [clusters] in the spectrum */
    double *share;          /* [clusters, bins] of the cluster's jets; 0 without jets */
    double *total;          /* [bins] share of all jets */
    double *typical;        /* [bins] statistical error of the share of a cluster of median size */
    double *plain[2];       /* [bins] mean and standard deviation of share - total */
    double *robust[2];      /* [bins] likewise, outliers cut off */
    double *centres;        /* [clusters, pixels^2] smeared */
};
/* STATUS_BAD_INPUT, logged, if centres and analysis do not fit. Give it to figure_data_fini
 * whatever comes back. */
MUST_CHECK status figure_data_init(struct figure_data *self, const struct result_tables *tables,
                                   const struct analysis *analysis, size_t member);
void figure_data_fini(struct figure_data *self);

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

/* In the order in which they are drawn; NULL behind the last. */
extern const struct figure *const figures_all[];

extern const struct figure figure_summary;        /* a page with the panels below */
extern const struct figure figure_average_images; /* 1 */
extern const struct figure figure_cluster_images; /* beside it */
extern const struct figure figure_normalised;     /* 2 */
extern const struct figure figure_standardised;   /* 3 */
extern const struct figure figure_rich;           /* 4 */
extern const struct figure figure_lit_pixels;     /* 6 */
extern const struct figure figure_z;              /* 8 */
extern const struct figure figure_deviations;     /* 9 */

extern const struct figure figure_members; /* significance and bin of every member */
extern const struct figure figure_history; /* mean significance against events read */
extern const struct figure figure_mass;    /* dijet mass of all events */

/* Tables and panels of which the summary is made. The blocks of $data that a panel reads are those
 * its table writes, from panel->block on. */
void normalised_table(const struct figure_data *data, FILE *to);
void normalised_panel(const struct figure_data *data, const struct panel *panel, FILE *to);
void standardised_table(const struct figure_data *data, FILE *to);
void standardised_panel(const struct figure_data *data, const struct panel *panel, FILE *to);
void rich_table(const struct figure_data *data, FILE *to);
void rich_panel(const struct figure_data *data, const struct panel *panel, FILE *to);
void members_table(const struct figure_data *data, FILE *to);
void members_panel(const struct figure_data *data, const struct panel *panel, FILE *to);
void history_table(const struct figure_data *data, FILE *to);
void history_panel(const struct figure_data *data, const struct panel *panel, FILE *to);
void mass_table(const struct figure_data *data, FILE *to);
void mass_panel(const struct figure_data *data, const struct panel *panel, FILE *to);

/* The lines at the foot of a figure, as labels 97 to 99: the worst verdict, what is shown of which
 * run, and whether that run has ended. */
void figure_print_foot(const struct figure *figure, const struct figure_data *data, FILE *to);
/* What keeps the foot off the next panel of a multiplot. */
#define FIGURE_UNSET_FOOT "unset label 97; unset label 98; unset label 99\n"

#endif
