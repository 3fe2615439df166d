/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures of jet images: 1 averages by true kind, beside it the clusters' centres, 6 non-zero
 * pixels. */
#include "tools/clusterscan/figures/figures_images.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "tools/clusterscan/figures/colours.h"
#include "tools/clusterscan/figures/figure.h"

enum { TILE_COLUMNS = 10 };

/* Lower end of the colour scale, as a share of the brightest pixel. */
static const double dark = 1e-4;

/* A dense image as a block of a table: two angles and the content of every pixel. */
static void print_image(const struct figure_data *data, const double image[], FILE *to)
{
    const uint32_t side = data->analysis->image.pixels;
    const double half = data->analysis->image.half_width, width = 2 * half / side;
    for (uint32_t p = 0; p < side * side; p++)
        fprintf(to, "%.17g %.17g %.17g\n", (p / side + 0.5) * width - half,
                (p % side + 0.5) * width - half, image[p]);
    fputs("\n\n", to);
}

static double brightest(size_t n, const double image[])
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = image[i] > most ? image[i] : most;
    return most;
}

/* viridis: brightness rises all the way, so that it survives grey print. */
static void print_colours(double most, FILE *to)
{
    const double top = most > 0 ? most : 1;
    fprintf(to,
            COLOUR_MAP "\n"
                       "low = %.17g\n"
                       "set logscale cb; set cbrange [low:%.17g]; set format cb '10^{%%T}'\n"
                       "seen(v) = v > low ? v : low\n"
                       "set border lw 0.6; set tics scale 0.5\n",
            top * dark, top);
}

static void average_table(const struct figure_data *data, FILE *to)
{
    static const char *const kinds[PICTURE_KINDS] = {
        [PICTURE_BACKGROUND] = "background",
        [PICTURE_LIGHTER] = "lighter signal",
        [PICTURE_HEAVIER] = "heavier signal",
    };
    fputs("# average of the images that are clustered (to the power, smeared), a block per kind:\n"
          "# azimuth and pseudorapidity in the jet's frame, share of the image\n",
          to);
    for (size_t k = 0; k < PICTURE_KINDS; k++) {
        fprintf(to, "# %s jets: %llu\n", kinds[k], (unsigned long long)data->pictures->jets[k]);
        print_image(data, data->pictures->average[k], to);
    }
}

/* The quantity of a pixel, as the label of a colour box. */
static void print_content(const struct figure_data *data, const char *line_break, FILE *to)
{
    const double power = data->analysis->image.power;
    fprintf(to, "set cblabel \"average share of%sthe jet's {/:Italic p}_T", line_break);
    if (power != 1)
        fprintf(to, "^{%g}", power);
    fputs("\" font ',6'\n", to);
}

static void average_script(const struct figure_data *data, FILE *to)
{
    static const char *const titles[PICTURE_KINDS] = {
        [PICTURE_BACKGROUND] = "QCD",
        [PICTURE_LIGHTER] = "signal, lighter jet",
        [PICTURE_HEAVIER] = "heavier jet",
    };
    const size_t pixels = data->tables->pixels;
    const double half = data->analysis->image.half_width;
    double most = 0;
    for (size_t k = 0; k < PICTURE_KINDS; k++) {
        const double here = brightest(pixels, data->pictures->average[k]);
        most = here > most ? here : most;
    }
    fputs("set multiplot\n", to);
    print_colours(most, to);
    fprintf(to,
            "set xrange [%g:%g]; set yrange [%g:%g]; set xtics %g,%g,%g offset 0,0.5; "
            "set ytics %g,%g,%g offset 0.5\n"
            "set tics font ',6' front; set format x '%%g'\n"
            "set bmargin at screen 0.34; set tmargin at screen 0.91\n"
            "set xlabel '{/Symbol f}' offset 0,0.9; set ylabel '{/Symbol h}' offset 1.9\n"
            "set colorbox user origin screen 0.815, screen 0.34 size screen 0.02, screen 0.57\n"
            "unset key\n",
            -half, half, -half, half, -0.625 * half, 0.625 * half, 0.625 * half, -0.625 * half,
            0.625 * half, 0.625 * half);
    print_content(data, "\\n", to);
    for (int k = 0; k < PICTURE_KINDS; k++) {
        const double left = 0.105 + 0.235 * k;
        fprintf(to,
                "set lmargin at screen %g; set rmargin at screen %g\n"
                "set title '%s' offset 0,-0.9 font ',6'\n"
                "plot $data index %d using 1:2:(seen($3)) with image\n" FIGURE_UNSET_FOOT
                "unset ylabel; set format y ''; unset colorbox\n",
                left, left + 0.22, titles[k], k);
    }
    fputs("unset multiplot\n", to);
}

static void cluster_table(const struct figure_data *data, FILE *to)
{
    fputs(
        "# centres of the clusters as average images (to the power, smeared), a block per cluster\n"
        "# from 0 on: azimuth and pseudorapidity in the jet's frame, share of the image\n",
        to);
    for (size_t c = 0; c < data->clusters; c++) {
        fprintf(to, "# cluster %zu%s: %llu jets\n", c, data->rich[c] == 1 ? " (signal-rich)" : "",
                (unsigned long long)data->jets[c]);
        print_image(data, data->centres + c * data->tables->pixels, to);
    }
}

/* Tiles are square and do not touch; in units of their half width. */
static const double tile_step = 2.16, tile_edge = 1.04;

/* Number, number of jets and, of the signal-rich ones, a frame. */
static void print_tile(const struct figure_data *data, size_t cluster, FILE *to)
{
    const double half = data->analysis->image.half_width, step = tile_step * half;
    const double x = (double)(cluster % TILE_COLUMNS) * step;
    const double y = -(double)(cluster / TILE_COLUMNS) * step;
    const bool rich = data->rich[cluster] == 1;
    fprintf(to,
            "set label %zu '{%s%zu}' at %g,%g left font ',5.5' textcolor 'white' front\n"
            "set label %zu '%llu' at %g,%g right font ',4.5' textcolor 'white' front\n",
            2 * cluster + 100, rich ? "/:Bold " : "", cluster, x - 0.9 * half, y + 0.76 * half,
            2 * cluster + 101, (unsigned long long)data->jets[cluster], x + 0.92 * half,
            y - 0.82 * half);
    if (rich)
        fprintf(
            to,
            "set object %zu rectangle from %g,%g to %g,%g fillstyle empty border lc '" COLOUR_RICH
            "' "
            "lw 1.8 front\n",
            cluster + 1, x - 1.02 * half, y - 1.02 * half, x + 1.02 * half, y + 1.02 * half);
}

static double cluster_height_cm(const struct figure_data *data)
{
    const size_t rows = (data->clusters + TILE_COLUMNS - 1) / TILE_COLUMNS;
    return 1.1 + 1.62 * (double)rows;
}

static void cluster_script(const struct figure_data *data, FILE *to)
{
    const double half = data->analysis->image.half_width, step = tile_step * half;
    const size_t rows = (data->clusters + TILE_COLUMNS - 1) / TILE_COLUMNS;
    const double height_cm = cluster_height_cm(data), bottom = 0.85 / height_cm;
    print_colours(brightest(data->clusters * data->tables->pixels, data->centres), to);
    for (size_t c = 0; c < data->clusters; c++)
        print_tile(data, c, to);
    fprintf(to,
            "set xrange [%g:%g]; set yrange [%g:%g]; unset tics; unset border; unset key\n"
            "set cbtics scale 0.5 font ',6'\n"
            "set lmargin at screen 0.01; set rmargin at screen 0.915\n"
            "set bmargin at screen %g; set tmargin at screen 0.985\n"
            "set colorbox user origin screen 0.925, screen %g size screen 0.012, screen %g\n"
            "set label 1 'upper left: the cluster, lower right: its jets in the spectrum; framed: "
            "signal-rich; each side is %g in azimuth (across) and pseudorapidity' at screen 0.01, "
            "screen %g left font ',5.5'\n",
            -tile_edge * half, (TILE_COLUMNS - 1) * step + tile_edge * half,
            -(double)(rows - 1) * step - tile_edge * half, tile_edge * half, bottom, bottom,
            0.985 - bottom, 2 * half, 0.6 / height_cm);
    print_content(data, " ", to);
    fprintf(to,
            "plot for [c=0:%zu] $data index c using ((c%%%d)*%g+$1):(-(c/%d)*%g+$2):(seen($3)) "
            "with image\n",
            data->clusters - 1, TILE_COLUMNS, step, TILE_COLUMNS, step);
}

/* One more than the largest number of non-zero pixels. */
static size_t lit_end(const struct figure_data *data)
{
    size_t end = 1;
    for (size_t n = 0; n <= data->tables->pixels; n++)
        if (data->pictures->lit[0][n] + data->pictures->lit[1][n] > 0)
            end = n + 1;
    return end;
}

static void lit_table(const struct figure_data *data, FILE *to)
{
    fputs("# lit pixels of an image; background (or unlabelled) jets, signal jets\n", to);
    for (size_t n = 0; n < lit_end(data); n++)
        fprintf(to, "%zu %llu %llu\n", n, (unsigned long long)data->pictures->lit[0][n],
                (unsigned long long)data->pictures->lit[1][n]);
}

/* Of the shares that lit_script draws. */
static double largest_share(const struct figure_data *data, uint64_t others, uint64_t signal)
{
    double most = 0;
    for (size_t n = 0; n < lit_end(data); n++) {
        if (others > 0)
            most = fmax(most, (double)data->pictures->lit[0][n] / (double)others);
        if (signal > 0)
            most = fmax(most, (double)data->pictures->lit[1][n] / (double)signal);
    }
    return most > 0 ? most : 1;
}

static void lit_script(const struct figure_data *data, FILE *to)
{
    const uint64_t *jets = data->pictures->jets;
    const uint64_t signal = jets[PICTURE_LIGHTER] + jets[PICTURE_HEAVIER];
    const uint64_t others = jets[PICTURE_BACKGROUND];
    const struct panel panel = {.left = 0.15, .right = 0.96, .bottom = 0.185, .top = 0.885};
    panel_print_frame(&panel, to);
    fprintf(to,
            "set xlabel 'number of lit pixels {/:Italic n} of an image' offset 0,0.4\n"
            "set ylabel 'share of the jets that have {/:Italic n}' offset 2\n"
            "set xrange [0:%zu]; set yrange [0:%g]; set key maxcols 1 width 0\n"
            "set style fill solid 1 noborder\n",
            lit_end(data), 1.1 * largest_share(data, others, signal));
    const char *before = "plot ";
    if (others > 0) {
        fprintf(to,
                "%s$data using 1:($2/%llu.0) with boxes lc '" COLOUR_OTHERS_FILL
                "' title '%s inside the spectrum "
                "(%llu)'",
                before, (unsigned long long)others,
                data->pictures->unlabelled > 0 ? "jets" : "QCD jets", (unsigned long long)others);
        before = ", ";
    }
    if (signal > 0)
        fprintf(to,
                "%s$data using 1:($3/%llu.0) with histeps lc '" COLOUR_RICH "' lw 1.3 title "
                "'signal jets inside the spectrum (%llu)'",
                before, (unsigned long long)signal, (unsigned long long)signal);
    fputs(others + signal > 0 ? "\n" : "plot 0 notitle\n", to);
}

const struct figure figure_average_images = {
    .name = "figure-1",
    .title = "average images",
    .needs = NEEDS_LABELS,
    .foot = FOOT_RUN,
    .width_cm = 8.6,
    .height_cm = 3.4,
    .table = average_table,
    .script = average_script,
};
const struct figure figure_cluster_images = {
    .name = "figure-1-clusters",
    .title = "average images of the clusters",
    .width_cm = 17.8,
    .height_of = cluster_height_cm,
    .table = cluster_table,
    .script = cluster_script,
};
const struct figure figure_lit_pixels = {
    .name = "figure-6",
    .title = "lit pixels per image",
    .needs = NEEDS_IMAGES,
    .foot = FOOT_RUN,
    .width_cm = 8.6,
    .height_cm = 6.6,
    .table = lit_table,
    .script = lit_script,
};
