/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures of the test: 4 rich against scaled depleted clusters, 8 the distribution of z. */
#include "tools/clusterscan/figures/figures_tests.h"

#include <math.h>
#include <string.h>

#include "common/kernels/statistics/significance.h"
#include "tools/clusterscan/figures/colours.h"
#include "tools/clusterscan/figures/figure.h"

/* The significance of a bin (bin_significance) with the sign of the excess. The on/off binomial has
 * no deficits: these are in Poisson form. */
static double signed_significance(const struct figure_data *data, size_t bin)
{
    const size_t row = data->member * data->bins;
    const uint64_t *rich = data->tables->summary.rich + row,
                   *depleted = data->tables->depleted + row;
    const double background = data->tables->summary.background[row + bin];
    double all_rich = 0, all_depleted = 0;
    for (size_t b = 0; b < data->bins; b++) {
        all_rich += (double)rich[b];
        all_depleted += (double)depleted[b];
    }
    const enum mls_approximation wanted = data->analysis->score.approximation;
    if ((double)rich[bin] < background)
        return -local_significance(rich[bin], background,
                                   wanted == MLS_BINOMIAL ? MLS_POISSON : wanted, MLS_ABSOLUTE);
    const struct mls_counts counts = {.rich = rich[bin],
                                      .depleted = depleted[bin],
                                      .background = background,
                                      .ratio = all_depleted > 0 ? all_rich / all_depleted : 0};
    return bin_significance(&counts, wanted, MLS_ABSOLUTE);
}

void rich_table(const struct figure_data *data, FILE *to)
{
    const size_t row = data->member * data->bins;
    fputs("# lower and upper edge [GeV]; jets in signal-rich clusters; in all others; these scaled "
          "to\n"
          "# the sum of the former; square root of that; local significance of the difference;\n"
          "# square root of the jets in signal-rich clusters\n",
          to);
    for (size_t b = 0; b < data->bins; b++) {
        const uint64_t rich = data->tables->summary.rich[row + b];
        const double background = data->tables->summary.background[row + b];
        fprintf(to, "%.17g %.17g %llu %llu %.17g %.17g %.17g %.17g\n", data->edges[b],
                data->edges[b + 1], (unsigned long long)rich,
                (unsigned long long)data->tables->depleted[row + b], background, sqrt(background),
                signed_significance(data, b), sqrt((double)rich));
    }
    fputs("\n\n", to);
}

/* Where the upper panel ends; above 0 even if no cluster is rich. */
static double most_jets(const struct figure_data *data)
{
    const size_t row = data->member * data->bins;
    double most = 1;
    for (size_t b = 0; b < data->bins; b++) {
        const double background = data->tables->summary.background[row + b];
        const double rich = (double)data->tables->summary.rich[row + b];
        most = fmax(most, rich + sqrt(rich));
        most = fmax(most, background + sqrt(background));
    }
    return 1.05 * most;
}

static void print_counts(const struct figure_data *data, const struct panel *panel, FILE *to)
{
    panel_print_frame(panel, to);
    fprintf(to,
            "set xrange [%.17g:%.17g]; set format x ''; set yrange [0:%g]\n"
            "set ylabel 'jets per %g GeV' offset 2; set errorbars 0\n"
            "set style fill solid 1 noborder\n",
            data->edges[0], data->edges[data->bins], most_jets(data),
            data->edges[1] - data->edges[0]);
    const int block = panel->block;
    fprintf(to,
            "plot $data index %d using (($1+$2)/2):5:1:2:($5-$6):($5+$6) with boxxyerror "
            "lc '" COLOUR_OTHERS_ERROR "' notitle, "
            "$data index %d using 1:5 with steps lc '" COLOUR_OTHERS "' lw 0.8 notitle, "
            "$data index %d using 2:5 with fsteps lc '" COLOUR_OTHERS "' lw 0.8 notitle, "
            "$data index %d using (($1+$2)/2):3:1:2:($3-$8):($3+$8) with xyerrorbars pt 7 ps 0.25 "
            "lc '" COLOUR_RICH "' lw 0.8 notitle, "
            "keyentry with xyerrorbars pt 7 ps 0.25 lc '" COLOUR_RICH
            "' title 'signal-rich clusters', "
            "keyentry with lines lc '" COLOUR_OTHERS "' lw 0.8 title 'all others, scaled', "
            "keyentry with boxes lc '" COLOUR_OTHERS_ERROR "' title '± its root'\n",
            block, block, block, block);
}

/* A range of significances with room at both ends, and the step between its marks. */
struct span {
    double low, high, step;
};

static struct span significance_span(const struct figure_data *data)
{
    double low = -3, high = 3;
    for (size_t b = 0; b < data->bins; b++) {
        const double z = signed_significance(data, b);
        low = fmin(low, z);
        high = fmax(high, z);
    }
    double step = 1; /* 2, 5, 10, 20, 50, ... */
    for (int i = 0; (high - low) / step > 4; i++)
        step *= i % 3 == 1 ? 2.5 : 2;
    const double room = 0.12 * (high - low);
    return (struct span){low - room, high + room, step};
}

static void print_significances(const struct figure_data *data, const struct panel *panel, FILE *to)
{
    const struct span span = significance_span(data);
    panel_print_frame(panel, to);
    fprintf(to,
            "unset mytics; unset key\n"
            "set xrange [%.17g:%.17g]; set format x '%%g'; set yrange [%g:%g]; set ytics %g\n"
            "set xlabel 'dijet mass  {/:Italic m_{jj}}  [GeV]' offset 0,0.4\n"
            "set ylabel 'local {/:Italic Z}' offset 0.5\n"
            "set style fill solid 1 border lc '" COLOUR_RICH "'\n",
            data->edges[0], data->edges[data->bins], span.low, span.high, span.step);
    fprintf(to,
            "plot $data index %d using (($1+$2)/2):(0):1:2:($7<0?$7:0):($7>0?$7:0) with "
            "boxxyerror lc '" COLOUR_RICH_FILL "' lw 0.6 notitle, "
            "$data index %d using (($1+$2)/2):($5==0&&$3>0?$7:NaN) with points pt 4 ps 0.5 "
            "lc 'black' notitle, "
            "0 with lines lc 'black' lw 0.6 notitle\n",
            panel->block, panel->block);
}

void rich_panel(const struct figure_data *data, const struct panel *panel, FILE *to)
{
    const double share = 0.32, gap = 0.03, high = panel->top - panel->bottom;
    struct panel upper = *panel, lower = *panel;
    upper.bottom = panel->bottom + (share + gap) * high;
    lower.top = panel->bottom + share * high;
    print_counts(data, &upper, to);
    fputs(FIGURE_UNSET_FOOT "unset label 1; unset label 2; unset xlabel\n", to);
    print_significances(data, &lower, to);
}

/* What a reader of the far bins must know. */
static void print_warning(double y, FILE *to)
{
    fprintf(
        to,
        "set label 1 'All others are scaled to the number of signal-rich jets: an excess in some "
        "bins lowers all others,' at screen 0.02, screen %g left font ',4.5'\n"
        "set label 2 'and a slope between the two spectra is no signal. Squares: no jet in all "
        "others there (on/off binomial).' at screen 0.02, screen %g left font ',4.5'\n",
        y, y - 0.025);
}

static void rich_script(const struct figure_data *data, FILE *to)
{
    const struct panel panel = {.left = 0.15, .right = 0.96, .bottom = 0.225, .top = 0.91};
    fputs("set multiplot\n", to);
    print_warning(0.098, to);
    rich_panel(data, &panel, to);
    fputs("unset multiplot\n", to);
}

enum { Z_BOXES = 26 }; /* of half a standard deviation */
static const double z_low = -5.0, z_width = 0.5;

/* Counts the clusters with jets per box of z in one mass bin; the outermost boxes hold all beyond.
 */
static size_t count_z(const struct figure_data *data, size_t bin, int box)
{
    size_t n = 0;
    for (size_t c = 0; c < data->clusters; c++) {
        if (data->jets[c] == 0)
            continue;
        const double at = floor((data->z[c * data->bins + bin] - z_low) / z_width);
        const double in = at < 0 ? 0 : at > Z_BOXES - 1 ? Z_BOXES - 1 : at;
        n += in == box;
    }
    return n;
}

static void z_table(const struct figure_data *data, FILE *to)
{
    fputs("# lower and upper edge of z (what lies beyond is in the outermost); clusters, summed "
          "over\n"
          "# the mass bins; then a column per mass bin\n",
          to);
    for (int i = 0; i < Z_BOXES; i++) {
        size_t all = 0;
        for (size_t b = 0; b < data->bins; b++)
            all += count_z(data, b, i);
        fprintf(to, "%g %g %zu", z_low + i * z_width, z_low + (i + 1) * z_width, all);
        for (size_t b = 0; b < data->bins; b++)
            fprintf(to, " %zu", count_z(data, b, i));
        fputc('\n', to);
    }
}

static size_t clusters_with_jets(const struct figure_data *data)
{
    size_t n = 0;
    for (size_t c = 0; c < data->clusters; c++)
        n += data->jets[c] > 0;
    return n;
}

/* One histogram with its unit Gaussian in a frame on the page; the outermost boxes are dark, since
 * they hold all beyond. */
static void print_histogram(size_t column, size_t entries, const struct panel *panel,
                            const char *width, FILE *to)
{
    fprintf(to,
            "set lmargin at screen %g; set rmargin at screen %g\n"
            "set bmargin at screen %g; set tmargin at screen %g\n"
            "plot $data using (($1+$2)/2):%zu:1:2:(0):%zu:($0==0||$0==%d ? 0x444444 : 0xA9CFE6) "
            "with boxxyerror lc rgb variable notitle, "
            "%zu*%g*exp(-x*x/2)/sqrt(2*pi) with lines lc '" COLOUR_RICH "' lw %s notitle\n",
            panel->left, panel->right, panel->bottom, panel->top, column, column, Z_BOXES - 1,
            entries, z_width, width);
}

/* A step of 1, 2 or 5 times a power of ten, so that at most two marks stand above 0. */
static double mark_step(double most)
{
    double step = 1;
    for (int i = 0; most / step >= 3; i++)
        step *= i % 3 == 1 ? 2.5 : 2;
    return step;
}

/* The mass bins, row by row in the left two thirds of the page. */
static void print_bins(const struct figure_data *data, FILE *to)
{
    size_t columns = 1;
    while (columns * columns < data->bins)
        columns++;
    const size_t rows = (data->bins + columns - 1) / columns;
    const double left = 0.055, right = 0.60, bottom = 0.175, top = 0.97;
    const double wide = (right - left) / (double)columns, high = (top - bottom) / (double)rows;
    size_t most = 1;
    for (size_t b = 0; b < data->bins; b++)
        for (int i = 0; i < Z_BOXES; i++)
            most = count_z(data, b, i) > most ? count_z(data, b, i) : most;
    fprintf(to, "set yrange [0:%g]; set ytics %g\n", 1.35 * (double)most,
            mark_step(1.35 * (double)most));
    for (size_t b = 0; b < data->bins; b++) {
        const size_t row = b / columns, column = b % columns;
        const double x = left + (double)column * wide, y = top - (double)(row + 1) * high;
        const struct panel panel = {
            .left = x, .right = x + 0.94 * wide, .bottom = y, .top = y + 0.92 * high};
        fprintf(to,
                "set label 1 '%g–%g GeV' at graph 0.96, graph 0.86 right font ',5'\n"
                "set format x '%s'; set format y '%s'\n",
                data->edges[b], data->edges[b + 1], b + columns < data->bins ? "" : "%g",
                column > 0 ? "" : "%g");
        print_histogram(b + 4, clusters_with_jets(data), &panel, "0.9", to);
        fputs(FIGURE_UNSET_FOOT "unset label 2; unset label 3; unset label 4; unset label 6\n", to);
    }
}

static void z_script(const struct figure_data *data, FILE *to)
{
    fprintf(to,
            "set multiplot\n"
            "set border lw 0.6; set tics scale 0.5 font ',5.5'\n"
            "set style fill solid 1 border lc '" COLOUR_OTHERS "'\n"
            "set samples 300\n"
            "set xrange [%g:%g]; set xtics -4,4,8; set mxtics 2\n"
            "set label 2 '{/:Italic z}' at screen 0.32, screen 0.09 center\n"
            "set label 3 'clusters per %g' at screen 0.012, screen 0.57 center rotate by 90\n"
            "set label 4 '{/:Italic z}, all bins' at screen 0.83, screen 0.09 center\n"
            "set label 6 'dark: all that lies beyond, too' at screen 0.055, screen 0.09 left "
            "font ',5.5'\n",
            z_low, z_low + Z_BOXES * z_width, z_width);
    print_bins(data, to);
    const struct panel panel = {.left = 0.675, .right = 0.985, .bottom = 0.175, .top = 0.953};
    fputs("unset label 1\n"
          "set format x '%g'; set format y '%g'; set yrange [0:*]; set ytics autofreq\n"
          "set label 5 'unit Gaussian' at graph 0.96, graph 0.93 right textcolor '" COLOUR_RICH "' "
          "font ',6'\n",
          to);
    print_histogram(3, clusters_with_jets(data) * data->bins, &panel, "1.3", to);
    fputs("unset multiplot\n", to);
}

const struct figure figure_rich = {
    .name = "figure-4",
    .title = "signal-rich against scaled depleted clusters",
    .width_cm = 8.6,
    .height_cm = 8.0,
    .table = rich_table,
    .script = rich_script,
};
const struct figure figure_z = {
    .name = "figure-8",
    .title = "z per mass bin against a unit Gaussian, and their sum",
    .width_cm = 17.8,
    .height_cm = 9.0,
    .table = z_table,
    .script = z_script,
};
