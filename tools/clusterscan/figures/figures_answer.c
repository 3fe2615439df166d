/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures of the answer: what every member found, how it grew, the masses it was found in, and a
 * page that shows all at a glance. */
#include "tools/clusterscan/figures/figures_answer.h"

#include <math.h>
#include <stdbool.h>

#include "common/kernels/statistics/verdicts.h"
#include "tools/clusterscan/figures/colours.h"
#include "tools/clusterscan/figures/figure.h"
#include "tools/clusterscan/figures/figures_images.h"
#include "tools/clusterscan/figures/figures_spectra.h"
#include "tools/clusterscan/figures/figures_tests.h"
#include "tools/clusterscan/figures/gnuplot.h"

static const struct panel column_panel = {.left = 0.15, .right = 0.96, .bottom = 0.2, .top = 0.89};

static void members_table(const struct figure_data *data, FILE *to)
{
    const struct result_summary *summary = &data->tables->summary;
    fputs("# training; its maximum local significance (MLS); lower and upper edge [GeV] of the bin "
          "it is at,\n# - without one; signal-rich clusters\n",
          to);
    for (size_t m = 0; m < summary->members; m++) {
        size_t rich = 0;
        for (size_t c = 0; c < summary->clusters; c++)
            rich += summary->label[m * summary->clusters + c] == 1;
        fprintf(to, "%zu %.17g", m, summary->mls[m]);
        if (summary->bin[m] < 0)
            fprintf(to, " - - %zu\n", rich);
        else
            fprintf(to, " %.17g %.17g %zu\n", data->edges[summary->bin[m]],
                    data->edges[summary->bin[m] + 1], rich);
    }
    fputs("\n\n", to);
}

/* Whole numbers only, and not too many of them. */
static size_t member_step(size_t members)
{
    return 1 + (members - 1) / 10;
}

static void print_significances(const struct figure_data *data, const struct panel *panel, FILE *to)
{
    const struct result_summary *summary = &data->tables->summary;
    panel_print_frame(panel, to);
    fprintf(to,
            "unset mxtics; set xtics 0,%zu; set format x ''; set key width 0\n"
            "set xrange [-0.7:%g]; set yrange [0:%g]\n"
            "set ylabel 'MLS' offset 1.3\n"
            "plot %.17g with lines lc '" COLOUR_OTHERS "' lw 1.2 title 'mean %.2f', "
            "%.17g with lines lc 'black' lw 1 dt (4,3) title 'median %.2f', "
            "$data index %d using 1:2 with impulses lc '" COLOUR_RICH "' lw 0.6 notitle, "
            "$data index %d using 1:2 with points pt 7 ps 0.35 lc '" COLOUR_RICH "' "
            "title 'each training'\n",
            member_step(summary->members), (double)summary->members - 0.3,
            1.12 * fmax(summary->mls_max, 1), summary->mls_mean, summary->mls_mean,
            summary->mls_median, summary->mls_median, panel->block, panel->block);
}

static void print_places(const struct figure_data *data, const struct panel *panel, FILE *to)
{
    const struct result_summary *summary = &data->tables->summary;
    bool any = false;
    for (size_t m = 0; m < summary->members; m++)
        any = any || summary->bin[m] >= 0;
    panel_print_frame(panel, to);
    fprintf(to,
            "unset mxtics; unset key; set xtics 0,%zu; set format x '%%g'\n"
            "set xrange [-0.7:%g]; set yrange [%.17g:%.17g]; set ytics %.17g,%.17g\n"
            "set xlabel 'training' offset 0,0.4\n"
            "set ylabel 'its bin  [GeV]' offset 1.3\n"
            "set style fill solid 1 noborder; set datafile missing '-'\n",
            member_step(summary->members), (double)summary->members - 0.3, data->edges[0],
            data->edges[data->bins], data->edges[0],
            (data->edges[data->bins] - data->edges[0]) / 2);
    if (any)
        fprintf(to,
                "plot $data index %d using 1:(($3+$4)/2):($1-0.35):($1+0.35):3:4 with boxxyerror "
                "lc '" COLOUR_RICH "' notitle\n",
                panel->block);
    else
        fprintf(to, "plot %.17g with lines lc 'white' notitle\n", data->edges[0]);
}

static void members_panel(const struct figure_data *data, const struct panel *panel, FILE *to)
{
    const double share = 0.36, gap = 0.07, high = panel->top - panel->bottom;
    struct panel upper = *panel, lower = *panel;
    upper.bottom = panel->bottom + (share + gap) * high;
    lower.top = panel->bottom + share * high;
    print_significances(data, &upper, to);
    fputs(FIGURE_UNSET_FOOT "unset xlabel\n", to);
    print_places(data, &lower, to);
}

static void members_script(const struct figure_data *data, FILE *to)
{
    fputs("set multiplot\n", to);
    members_panel(data, &column_panel, to);
    fputs("unset multiplot\n", to);
}

static void history_table(const struct figure_data *data, FILE *to)
{
    fputs("# events read at the end of a slice; mean of the maximum local significances, with the "
          "final\n# models\n",
          to);
    for (size_t s = 0; s < data->tables->summary.slices; s++)
        fprintf(to, "%llu %.17g\n", (unsigned long long)data->tables->history_events[s],
                data->tables->history_mean[s]);
    fputs("\n\n", to);
}

static void history_panel(const struct figure_data *data, const struct panel *panel, FILE *to)
{
    const size_t slices = data->tables->summary.slices;
    double most = 1;
    for (size_t s = 0; s < slices; s++)
        most = fmax(most, data->tables->history_mean[s]);
    const double last = slices > 0 ? (double)data->tables->history_events[slices - 1] : 1;
    const bool many = last >= 10000;
    panel_print_frame(panel, to);
    fprintf(to,
            "set xlabel 'events read%s' offset 0,0.4; set xrange [0:%g]; set yrange [0:%g]\n"
            "set ylabel 'mean MLS' offset 1.3\n",
            many ? "  [thousands]" : "", 1.05 * last / (many ? 1000 : 1), 1.12 * most);
    if (slices == 0)
        fputs("plot [0:1] 0 notitle\n", to);
    else
        fprintf(
            to,
            "plot $data index %d using ($1/%d.0):2 with linespoints pt 7 ps 0.35 lc '" COLOUR_OTHERS
            "' "
            "lw 1 title 'after each slice (%zu), with the final clusters'\n",
            panel->block, many ? 1000 : 1, slices);
}

static void history_script(const struct figure_data *data, FILE *to)
{
    history_panel(data, &column_panel, to);
}

/* The bins from the first to the last that holds an event. */
static void mass_span(const struct image_averages *pictures, size_t *first, size_t *end)
{
    *first = PICTURE_MASS_BINS;
    *end = 0;
    for (size_t i = 0; i < PICTURE_MASS_BINS; i++)
        if (pictures->mass[0][i] + pictures->mass[1][i] > 0) {
            *first = i < *first ? i : *first;
            *end = i + 1;
        }
    *first = *first < *end ? *first : 0;
    *end = *end > *first ? *end : *first + 1;
}

static void mass_table(const struct figure_data *data, FILE *to)
{
    const struct image_averages *pictures = data->pictures;
    size_t first, end;
    fputs("# lower and upper edge [GeV]; background (or unlabelled) events; signal events\n", to);
    mass_span(pictures, &first, &end);
    for (size_t i = first; i < end; i++) {
        const double low = pictures->mass_low + (double)i * pictures->mass_width;
        fprintf(to, "%.17g %.17g %llu %llu\n", low, low + pictures->mass_width,
                (unsigned long long)pictures->mass[0][i], (unsigned long long)pictures->mass[1][i]);
    }
    fputs("\n\n", to);
}

static void print_window(int tag, const double window[2], const char *colour, const char *style,
                         FILE *to)
{
    fprintf(to,
            "set object %d rectangle from first %.17g, graph 0 to first %.17g, graph 1 fillstyle "
            "%s fillcolor rgb '%s' behind\n",
            tag, window[0], window[1], style, colour);
}

static uint64_t mass_events(const struct image_averages *pictures, int signal)
{
    uint64_t n = 0;
    for (size_t i = 0; i < PICTURE_MASS_BINS; i++)
        n += pictures->mass[signal][i];
    return n;
}

static void mass_panel(const struct figure_data *data, const struct panel *panel, FILE *to)
{
    const struct image_averages *pictures = data->pictures;
    const uint64_t signal = mass_events(pictures, 1);
    size_t first, end;
    mass_span(pictures, &first, &end);
    panel_print_frame(panel, to);
    print_window(1, data->analysis->spectra.window, COLOUR_SPECTRUM_WINDOW, "solid 1 noborder", to);
    print_window(2, data->analysis->training.window, COLOUR_TRAINING_WINDOW, "solid 1 noborder",
                 to);
    fprintf(
        to,
        "set xrange [%.17g:%.17g]; set logscale y; set yrange [0.5:*]; set format y '10^{%%T}'\n"
        "set xlabel 'dijet mass  {/:Italic m_{jj}}  [GeV]' offset 0,0.4\n"
        "set ylabel 'events per %g GeV' offset 1.3\n"
        "set style fill solid 1 noborder\n"
        "plot $data index %d using (($1+$2)/2):($3+$4) with histeps lc 'black' lw 0.8 "
        "title 'all events (%llu)', ",
        pictures->mass_low + (double)first * pictures->mass_width,
        pictures->mass_low + (double)end * pictures->mass_width, pictures->mass_width, panel->block,
        (unsigned long long)(signal + mass_events(pictures, 0)));
    if (signal > 0)
        fprintf(to,
                "$data index %d using (($1+$2)/2):4 with histeps lc '" COLOUR_RICH
                "' lw 0.9 dt (3,1.5) "
                "title 'signal (%llu)', ",
                panel->block, (unsigned long long)signal);
    fputs("keyentry with boxes lc '" COLOUR_SPECTRUM_WINDOW "' title 'spectrum', "
          "keyentry with boxes lc '" COLOUR_TRAINING_WINDOW "' title 'training'\n",
          to);
}

static void mass_script(const struct figure_data *data, FILE *to)
{
    const struct panel panel = {.left = 0.15, .right = 0.96, .bottom = 0.2, .top = 0.89};
    mass_panel(data, &panel, to);
}

/* ---- the page ---- */

enum { BLOCK_RICH, BLOCK_STANDARDISED, BLOCK_MEMBERS, BLOCK_HISTORY, BLOCK_NORMALISED, BLOCK_MASS };

static void summary_table(const struct figure_data *data, FILE *to)
{
    rich_table(data, to);
    standardised_table(data, to);
    members_table(data, to);
    history_table(data, to);
    normalised_table(data, to);
    if (data->pictures != NULL)
        mass_table(data, to);
}

/* The text above the panels; labels 11 on. */
static void print_words(const struct figure_data *data, FILE *to)
{
    const struct result_summary *summary = &data->tables->summary;
    const struct tally *tally = &summary->tally;
    size_t named;
    const int32_t bin = most_named_bin(summary->members, summary->bin, &named);
    const char *colour = data->verdict != NULL ? COLOUR_WARNING : "black";
    fputs("set label 11 ", to);
    gnuplot_print_text(data->verdict != NULL ? data->verdict
                       : summary->n_verdicts > 0
                           ? "good: no check of the answer has failed"
                           : "not checked: the result is of an earlier version",
                       105, to);
    fprintf(
        to,
        " at screen 0.03, screen 0.978 left font ':Bold,7' textcolor '%s'\n"
        "set label 12 'Mean MLS of %zu trainings: %.2f (median %.2f, from %.2f to %.2f): local, of "
        "clusters picked because they stick out%s' at screen 0.03, screen 0.957\n",
        colour, summary->members, summary->mls_mean, summary->mls_median, summary->mls_min,
        summary->mls_max, data->final ? "" : "; not final");
    if (bin >= 0)
        fprintf(to,
                "set label 13 '%zu of %zu trainings name the bin %g to %g GeV' at screen 0.03, "
                "screen 0.939\n",
                named, summary->members, data->edges[bin], data->edges[bin + 1]);
    else
        fputs("set label 13 'no training names a bin' at screen 0.03, screen 0.939\n", to);
    fprintf(
        to,
        "set label 14 '%llu events read: %llu counted, %llu dropped, %llu quarantined' at screen "
        "0.03, screen 0.921\n",
        (unsigned long long)tally->read, (unsigned long long)tally->counted,
        (unsigned long long)tally_dropped(tally), (unsigned long long)tally->quarantined);
}

static void summary_script(const struct figure_data *data, FILE *to)
{
    static const struct {
        int block;
        void (*print)(const struct figure_data *data, const struct panel *panel, FILE *to);
    } panels[] = {
        {BLOCK_RICH, rich_panel},       {BLOCK_MEMBERS, members_panel},
        {BLOCK_HISTORY, history_panel}, {BLOCK_STANDARDISED, standardised_panel},
        {BLOCK_MASS, mass_panel},       {BLOCK_NORMALISED, normalised_panel},
    };
    const double wide = 0.5, high = 0.29, left = 0.075, right = 0.48, bottom = 0.05, top = 0.255;
    fputs("set multiplot\n", to);
    print_words(data, to);
    for (size_t i = 0; i < sizeof panels / sizeof *panels; i++) {
        const double x = wide * (double)(i % 2), y = 0.05 + high * (2 - (double)(i / 2));
        const struct panel panel = {.block = panels[i].block,
                                    .left = x + left,
                                    .right = x + right,
                                    .bottom = y + bottom - 0.02,
                                    .top = y + top - 0.01};
        if (panels[i].block == BLOCK_MASS && data->pictures == NULL)
            continue;
        panels[i].print(data, &panel, to);
        fputs("reset\nset minussign\n", to);
    }
    fputs("unset multiplot\n", to);
}

const struct figure figure_members = {
    .name = "figure-members",
    .title = "significance and bin of every training",
    .foot = FOOT_RUN,
    .width_cm = 8.6,
    .height_cm = 6.9,
    .table = members_table,
    .script = members_script,
};
const struct figure figure_history = {
    .name = "figure-history",
    .title = "mean significance against events read",
    .foot = FOOT_RUN,
    .width_cm = 8.6,
    .height_cm = 6.0,
    .table = history_table,
    .script = history_script,
};
const struct figure figure_mass = {
    .name = "figure-mass",
    .title = "dijet mass of all events",
    .needs = NEEDS_IMAGES,
    .foot = FOOT_RUN,
    .width_cm = 8.6,
    .height_cm = 6.6,
    .table = mass_table,
    .script = mass_script,
};
const struct figure figure_summary = {
    .name = "summary",
    .title = "all at a glance",
    .width_cm = 17.8,
    .height_cm = 22.0,
    .table = summary_table,
    .script = summary_script,
};

const struct figure *const figures_all[] = {
    &figure_summary,
    &figure_average_images,
    &figure_cluster_images,
    &figure_normalised,
    &figure_standardised,
    &figure_rich,
    &figure_lit_pixels,
    &figure_z,
    &figure_deviations,
    &figure_members,
    &figure_history,
    &figure_mass,
    NULL,
};
