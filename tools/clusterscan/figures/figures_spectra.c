/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures with a line per cluster: 2 normalised, 3 standardised, 9 their deviations.
 * A bin is a step: gnuplot's `steps` from the lower edges draws all bins but the last, `fsteps`
 * from the upper edges all but the first, both together each one. */
#include "tools/clusterscan/figures/figures_spectra.h"

#include <stdbool.h>
#include <stdlib.h>

#include "tools/clusterscan/figures/colours.h"
#include "tools/clusterscan/figures/figure.h"

enum {
    CLUSTER_COLUMN = 3
}; /* of cluster 0 in the tables of 2 and 3; lower and upper edge before */
enum { DEVIATION_COLUMN = 8 };

static const struct panel column_panel = {
    .left = 0.15, .right = 0.96, .bottom = 0.185, .top = 0.895};

/* Without the end of the line. */
static void print_row(const struct figure_data *data, const double value[], size_t bin, FILE *to)
{
    fprintf(to, "%.17g %.17g", data->edges[bin], data->edges[bin + 1]);
    for (size_t c = 0; c < data->clusters; c++)
        fprintf(to, " %.17g", value[c * data->bins + bin]);
}

static void print_axes(const struct figure_data *data, const struct panel *panel,
                       const char *ylabel, FILE *to)
{
    panel_print_frame(panel, to);
    fprintf(to,
            "set xlabel 'dijet mass  {/:Italic m_{jj}}  [GeV]' offset 0,0.4\n"
            "set ylabel \"%s\" offset 1.3\n"
            "set xrange [%.17g:%.17g]; set offsets 0, 0, graph 0.05, 0\n",
            ylabel, data->edges[0], data->edges[data->bins]);
}

/* Line styles 1 and 2: thin and pale, thicker and dark. */
static const char thin_blue_and_red[] = "set style line 1 lc '" COLOUR_OTHERS_THIN "' lw 0.3\n"
                                        "set style line 2 lc '" COLOUR_RICH "' lw 0.6\n";
static const char thin_grey_and_red[] = "set style line 1 lc '" COLOUR_GREY_THIN "' lw 0.3\n"
                                        "set style line 2 lc '" COLOUR_RICH "' lw 0.6 dt (3,2)\n";

/* The lines of all clusters of one kind, in line style `style`; returns how many. */
static size_t print_lines(const struct figure_data *data, bool rich, int block, int first_column,
                          int style, FILE *to)
{
    size_t n = 0;
    for (size_t c = 0; c < data->clusters; c++) {
        const size_t column = c + (size_t)first_column;
        if ((data->rich[c] == 1) != rich || data->jets[c] == 0)
            continue;
        fprintf(to,
                "$data index %d using 1:%zu with steps ls %d notitle, "
                "$data index %d using 2:%zu with fsteps ls %d notitle, ",
                block, column, style, block, column, style);
        n++;
    }
    return n;
}

/* All clusters, the signal-rich ones over the others; the plot elements before and after them end
 * with a comma or are empty. */
static void print_plot(const struct figure_data *data, int block, int first_column,
                       const char *before, const char *after, FILE *to)
{
    fprintf(to, "plot %s", before);
    const size_t others = print_lines(data, false, block, first_column, 1, to);
    const size_t rich = print_lines(data, true, block, first_column, 2, to);
    fprintf(to,
            "%s"
            "keyentry with lines ls 2 title 'signal-rich (%zu)', "
            "keyentry with lines ls 1 title 'all others (%zu)'\n",
            after, rich, others);
}

void normalised_table(const struct figure_data *data, FILE *to)
{
    fputs("# lower and upper edge [GeV], then the share of its jets, a column per cluster from 0 "
          "on;\n"
          "# last the share of all jets, and its statistical error in a cluster of median size\n",
          to);
    for (size_t b = 0; b < data->bins; b++) {
        print_row(data, data->share, b, to);
        fprintf(to, " %.17g %.17g\n", data->total[b], data->typical[b]);
    }
    fputs("\n\n", to);
}

void normalised_panel(const struct figure_data *data, const struct panel *panel, FILE *to)
{
    const size_t total = CLUSTER_COLUMN + data->clusters;
    char errors[400];
    snprintf(errors, sizeof errors,
             "$data index %d using (($1+$2)/2):($%zu-$%zu):(0):(2*$%zu) with vectors nohead "
             "lc 'black' lw 1 notitle, "
             "$data index %d using (($1+$2)/2):%zu with points pt 7 ps 0.2 lc 'black' "
             "title 'all jets ± typical error', ",
             panel->block, total, total + 1, total + 1, panel->block, total);
    print_axes(data, panel, "share of the cluster's jets per bin", to);
    fputs(thin_blue_and_red, to);
    fputs("set yrange [0:*]; set key width -6\n", to);
    print_plot(data, panel->block, CLUSTER_COLUMN, "", errors, to);
}

static void normalised_script(const struct figure_data *data, FILE *to)
{
    normalised_panel(data, &column_panel, to);
}

void standardised_table(const struct figure_data *data, FILE *to)
{
    fputs("# lower and upper edge [GeV], then z, a column per cluster from 0 on\n", to);
    for (size_t b = 0; b < data->bins; b++) {
        print_row(data, data->z, b, to);
        fputc('\n', to);
    }
    fputs("\n\n", to);
}

void standardised_panel(const struct figure_data *data, const struct panel *panel, FILE *to)
{
    print_axes(data, panel, "standardised share  {/:Italic z}", to);
    fputs(thin_blue_and_red, to);
    char threshold[120];
    snprintf(threshold, sizeof threshold,
             "%.17g with lines lc 'black' lw 1 dt (6,4) title 'threshold  {/Symbol q} = %g', ",
             data->analysis->selection.threshold, data->analysis->selection.threshold);
    print_plot(data, panel->block, CLUSTER_COLUMN, "", threshold, to);
}

static void standardised_script(const struct figure_data *data, FILE *to)
{
    standardised_panel(data, &column_panel, to);
}

static void deviations_table(const struct figure_data *data, FILE *to)
{
    fputs(
        "# lower and upper edge [GeV]; share of all jets; plain mean and standard deviation over\n"
        "# the clusters of (share of the cluster's jets - share of all jets); the same two "
        "robust;\n"
        "# then those differences, a column per cluster from 0 on\n",
        to);
    for (size_t b = 0; b < data->bins; b++) {
        fprintf(to, "%.17g %.17g %.17g %.17g %.17g %.17g %.17g", data->edges[b], data->edges[b + 1],
                data->total[b], data->plain[0][b], data->plain[1][b], data->robust[0][b],
                data->robust[1][b]);
        for (size_t c = 0; c < data->clusters; c++)
            fprintf(to, " %.17g", data->share[c * data->bins + b] - data->total[b]);
        fputc('\n', to);
    }
}

/* Mean and both edges of a band, over the lines of the clusters. */
static void print_band(const char *mean, const char *width, const char *style, FILE *to)
{
    static const char *const signs[] = {"0", "1", "-1"};
    for (size_t i = 0; i < 3; i++)
        fprintf(to,
                "$data using 1:($%s+%s*$%s) with steps %s lw %s notitle, "
                "$data using 2:($%s+%s*$%s) with fsteps %s lw %s notitle, ",
                mean, signs[i], width, style, i == 0 ? "1.5" : "0.8", mean, signs[i], width, style,
                i == 0 ? "1.5" : "0.8");
}

static void deviations_script(const struct figure_data *data, FILE *to)
{
    static const char plain[] = "lc '" COLOUR_PLAIN "' dt (6,4)",
                      robust[] = "lc '" COLOUR_OTHERS "'";
    const struct panel panel = {.left = 0.15, .right = 0.96, .bottom = 0.18, .top = 0.9};
    char *bands = NULL;
    size_t size = 0;
    FILE *words = open_memstream(&bands, &size);
    if (words == NULL)
        return;
    print_band("4", "5", plain, words);
    print_band("6", "7", robust, words);
    fprintf(words,
            "keyentry with lines %s lw 1.2 title 'plain mean ± s.d.', "
            "keyentry with lines %s lw 1.2 title 'robust ± s.d. (%g%% cut off)', ",
            plain, robust, 100 * data->analysis->selection.outlier_fraction);
    fclose(words);
    print_axes(data, &panel, "share in the cluster − share of all", to);
    fputs(thin_grey_and_red, to);
    fputs("set style fill solid 1 noborder; set key width -8\n", to);
    print_plot(
        data, 0, DEVIATION_COLUMN,
        "$data using (($1+$2)/2):6:1:2:($6-$7):($6+$7) with boxxyerror lc '" COLOUR_OTHERS_BAND
        "' notitle, ",
        bands, to);
    free(bands);
}

const struct figure figure_normalised = {
    .name = "figure-2",
    .title = "normalised cluster spectra",
    .width_cm = 8.6,
    .height_cm = 6.9,
    .table = normalised_table,
    .script = normalised_script,
};
const struct figure figure_standardised = {
    .name = "figure-3",
    .title = "standardised cluster spectra",
    .width_cm = 8.6,
    .height_cm = 6.9,
    .table = standardised_table,
    .script = standardised_script,
};
const struct figure figure_deviations = {
    .name = "figure-9",
    .title = "cluster spectra minus that of all jets",
    .width_cm = 8.6,
    .height_cm = 7.2,
    .table = deviations_table,
    .script = deviations_script,
};
