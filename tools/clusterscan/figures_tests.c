/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures of the test: 4 rich against scaled depleted clusters, 8 the distribution of z. */
#include <math.h>
#include <string.h>

#include "common/kernels/stats.h"
#include "tools/clusterscan/figure.h"

/* With the sign of the excess. */
static double signed_significance(const struct figure_data *data, uint64_t rich, double background)
{
    const double size =
        local_significance(rich, background, data->analysis->score.approximation, MLS_ABSOLUTE);
    return (double)rich < background ? -size : size;
}

static void rich_table(const struct figure_data *data, FILE *to)
{
    const size_t row = data->member * data->bins;
    fputs("# lower and upper edge [GeV]; jets in signal-rich clusters; in all others; these scaled "
          "to\n"
          "# the sum of the former; square root of that; local significance of the difference\n",
          to);
    for (size_t b = 0; b < data->bins; b++) {
        const uint64_t rich = data->tables->summary.rich[row + b];
        const double background = data->tables->summary.background[row + b];
        fprintf(to, "%.17g %.17g %llu %llu %.17g %.17g %.17g\n", data->edges[b], data->edges[b + 1],
                (unsigned long long)rich, (unsigned long long)data->tables->depleted[row + b],
                background, sqrt(background), signed_significance(data, rich, background));
    }
}

/* Where the upper panel ends; above 0 even if no cluster is rich. */
static double most_jets(const struct figure_data *data)
{
    const size_t row = data->member * data->bins;
    double most = 1;
    for (size_t b = 0; b < data->bins; b++) {
        const double background = data->tables->summary.background[row + b];
        most = fmax(most, (double)data->tables->summary.rich[row + b]);
        most = fmax(most, background + sqrt(background));
    }
    return 1.08 * most;
}

static void print_upper_panel(const struct figure_data *data, FILE *to)
{
    fprintf(to,
            "set multiplot\n"
            "set lmargin at screen 0.15; set rmargin at screen 0.96\n"
            "set border lw 0.6; set tics scale 0.6 font ',6'; set mxtics 2; set mytics 2\n"
            "set xrange [%.17g:%.17g]\n"
            "set tmargin at screen 0.97; set bmargin at screen 0.415\n"
            "set format x ''; set yrange [0:%g]\n"
            "set ylabel 'jets per %g GeV' offset 2; set errorbars 0\n"
            "set key top right samplen 2 spacing 1.1 height 0.3\n"
            "set style fill solid 1 noborder\n",
            data->edges[0], data->edges[data->bins], most_jets(data),
            data->edges[1] - data->edges[0]);
    figure_print_foot(data, to);
    fputs(
        "plot $data using (($1+$2)/2):5:1:2:($5-$6):($5+$6) with boxxyerror lc '#A9CFE6' notitle, "
        "$data using 1:5 with steps lc '#0072B2' lw 0.8 notitle, "
        "$data using 2:5 with fsteps lc '#0072B2' lw 0.8 notitle, "
        "$data using (($1+$2)/2):3:1:2 with xerrorbars pt 7 ps 0.3 lc '#D55E00' lw 0.8 notitle, "
        "keyentry with points pt 7 ps 0.3 lc '#D55E00' title 'signal-rich clusters', "
        "keyentry with lines lc '#0072B2' lw 0.8 title 'all others, scaled', "
        "keyentry with boxes lc '#A9CFE6' title '{/Symbol \261} its square root'\n",
        to);
}

/* A range of significances with room at both ends, and the step between its marks. */
struct span {
    double low, high, step;
};

static struct span significance_span(const struct figure_data *data)
{
    const size_t row = data->member * data->bins;
    double low = -3, high = 3;
    for (size_t b = 0; b < data->bins; b++) {
        const double z = signed_significance(data, data->tables->summary.rich[row + b],
                                             data->tables->summary.background[row + b]);
        low = fmin(low, z);
        high = fmax(high, z);
    }
    double step = 1; /* 2, 5, 10, 20, 50, ... */
    for (int i = 0; (high - low) / step > 4; i++)
        step *= i % 3 == 1 ? 2.5 : 2;
    const double room = 0.12 * (high - low);
    return (struct span){low - room, high + room, step};
}

static void rich_script(const struct figure_data *data, FILE *to)
{
    print_upper_panel(data, to);
    const struct span span = significance_span(data);
    fprintf(to,
            "unset label 99; unset mytics\n"
            "set tmargin at screen 0.39; set bmargin at screen 0.15\n"
            "set format x '%%g'; set yrange [%g:%g]; set ytics %g\n"
            "set xlabel 'dijet mass  {/:Italic m_{jj}}  [GeV]' offset 0,0.4\n"
            "set ylabel 'local {/:Italic Z}' offset 0.5\n"
            "set style fill solid 1 border lc '#D55E00'\n"
            "plot $data using (($1+$2)/2):(0):1:2:($7<0?$7:0):($7>0?$7:0) with boxxyerror "
            "lc '#F0B48C' lw 0.6 notitle, 0 with lines lc 'black' lw 0.6 notitle\n"
            "unset multiplot\n",
            span.low, span.high, span.step);
}

enum { Z_BOXES = 26 }; /* of half a standard deviation */
static const double z_low = -5.0, z_width = 0.5;

/* How many clusters with jets lie in a box of one bin; what lies beyond is in the outermost. */
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

/* One histogram with its unit Gaussian in a frame on the page. */
static void print_histogram(size_t column, size_t entries, const double frame[4], const char *width,
                            FILE *to)
{
    fprintf(to,
            "set lmargin at screen %g; set rmargin at screen %g\n"
            "set bmargin at screen %g; set tmargin at screen %g\n"
            "plot $data using (($1+$2)/2):%zu:1:2:(0):%zu with boxxyerror lc '#A9CFE6' notitle, "
            "%zu*%g*exp(-x*x/2)/sqrt(2*pi) with lines lc '#D55E00' lw %s notitle\n",
            frame[0], frame[1], frame[2], frame[3], column, column, entries, z_width, width);
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
    fprintf(to, "set yrange [0:%g]\n", 1.35 * (double)most);
    for (size_t b = 0; b < data->bins; b++) {
        const size_t row = b / columns, column = b % columns;
        const double x = left + (double)column * wide, y = top - (double)(row + 1) * high;
        const double frame[] = {x, x + 0.94 * wide, y, y + 0.92 * high};
        fprintf(to,
                "set label 1 '%g–%g GeV' at graph 0.96, graph 0.86 right font ',5'\n"
                "set format x '%s'; set format y '%s'\n",
                data->edges[b], data->edges[b + 1], b + columns < data->bins ? "" : "%g",
                column > 0 ? "" : "%g");
        print_histogram(b + 4, clusters_with_jets(data), frame, "0.9", to);
        fputs("unset label 99; unset label 2; unset label 3; unset label 4\n", to);
    }
}

static void z_script(const struct figure_data *data, FILE *to)
{
    fprintf(to,
            "set multiplot\n"
            "set border lw 0.6; set tics scale 0.5 font ',5.5'\n"
            "set style fill solid 1 border lc '#0072B2'\n"
            "set samples 300\n"
            "set xrange [%g:%g]; set xtics -4,2,8; set ytics autofreq\n"
            "set label 2 '{/:Italic z}' at screen 0.32, screen 0.09 center\n"
            "set label 3 'clusters per %g' at screen 0.012, screen 0.57 center rotate by 90\n"
            "set label 4 '{/:Italic z}, all bins' at screen 0.83, screen 0.09 center\n",
            z_low, z_low + Z_BOXES * z_width, z_width);
    figure_print_foot(data, to);
    print_bins(data, to);
    const double frame[] = {0.675, 0.985, 0.175, 0.953};
    fputs("unset label 1\n"
          "set format x '%g'; set format y '%g'; set yrange [0:*]\n"
          "set label 5 'unit Gaussian' at graph 0.96, graph 0.93 right textcolor '#D55E00' "
          "font ',6'\n",
          to);
    print_histogram(3, clusters_with_jets(data) * data->bins, frame, "1.3", to);
    fputs("unset multiplot\n", to);
}

const struct figure figure_rich = {
    .name = "figure-4",
    .title = "signal-rich against scaled depleted clusters",
    .width_cm = 8.6,
    .height_cm = 7.4,
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
