/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/figures/figure_scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "tools/clusterscan/figures/colours.h"
#include "tools/clusterscan/figures/figure.h"

#define WIDTH_CM  17.
#define HEIGHT_CM 6.

enum { BOXES = 30 };

static double pull_of(const struct scan_summary *scan, size_t w)
{
    return scan->null_sd[w] > 0 ? (scan->statistic[w] - scan->null_mean[w]) / scan->null_sd[w] : 0;
}

/* Range of the largest pulls, with that of the events. */
static void range_of(const struct scan_summary *scan, double *low, double *high)
{
    *low = *high = scan->pull;
    for (size_t toy = 0; toy < scan->toys; toy++) {
        *low = fmin(*low, scan->toy_pull[toy]);
        *high = fmax(*high, scan->toy_pull[toy]);
    }
    *high += *high > *low ? 0 : 1;
}

static void print_toys(const struct scan_summary *scan, FILE *to)
{
    double low, high;
    size_t count[BOXES] = {0};
    range_of(scan, &low, &high);
    for (size_t toy = 0; toy < scan->toys; toy++) {
        const size_t box = (size_t)((scan->toy_pull[toy] - low) / (high - low) * BOXES);
        count[box < BOXES ? box : BOXES - 1]++;
    }
    for (size_t i = 0; i < BOXES; i++)
        fprintf(to, "%.17g %zu\n", low + ((double)i + 0.5) * (high - low) / BOXES, count[i]);
    fputs("\n\n", to);
}

static void print_table(const struct scan_summary *scan, FILE *to)
{
    fputs("# lower and upper edge of the mass window [GeV]; its pull\n", to);
    for (size_t w = 0; w < scan->windows; w++)
        fprintf(to, "%.17g %.17g %.17g\n", scan->low[w], scan->high[w], pull_of(scan, w));
    fputs("\n\n# largest pull of a toy, middle of a box; toys in the box\n", to);
    print_toys(scan, to);
    fputs("# events read; significance, - where nothing could be tested\n", to);
    for (size_t s = 0; s < scan->slices; s++)
        if (scan->history_toys[s] > 0)
            fprintf(to, "%llu %.17g\n", (unsigned long long)scan->history_events[s],
                    scan->history_z[s]);
        else
            fprintf(to, "%llu -\n", (unsigned long long)scan->history_events[s]);
}

static void print_windows(const struct scan_summary *scan, FILE *to)
{
    const struct panel panel = {
        .block = 0, .left = 0.07, .right = 0.33, .bottom = 0.22, .top = 0.88};
    double low = 0, high = 1;
    for (size_t w = 0; w < scan->windows; w++) {
        low = fmin(low, pull_of(scan, w));
        high = fmax(high, pull_of(scan, w));
    }
    panel_print_frame(&panel, to);
    fprintf(
        to,
        "set title 'mass windows' font ',7' offset 0,-0.7; unset key\n"
        "set xrange [%.17g:%.17g]; set yrange [%g:%g]\n"
        "set xtics %.17g,%.17g; set xlabel 'm_{jj}  [GeV]' offset 0,0.4\n"
        "set ylabel 'pull of the window' offset 0.4\n"
        "plot 0 with lines lc '" COLOUR_GREY_THIN "' lw 0.6, "
        "$data index 0 using 1:3:($2-$1):(0) with vectors nohead lc '" COLOUR_OTHERS "' lw 1, "
        "$data index 0 using 1:3:($2-$1):(0) every 1::%u::%u with vectors nohead lc '" COLOUR_RICH
        "' lw 2\n",
        scan->edges[0], scan->edges[scan->n_bins], 1.15 * low - 0.3, 1.15 * high + 0.3,
        scan->edges[0], (scan->edges[scan->n_bins] - scan->edges[0]) / 4, scan->largest,
        scan->largest);
}

static void print_null(const struct scan_summary *scan, FILE *to)
{
    const struct panel panel = {
        .block = 1, .left = 0.40, .right = 0.66, .bottom = 0.22, .top = 0.88};
    double low, high;
    range_of(scan, &low, &high);
    panel_print_frame(&panel, to);
    fprintf(to,
            "set title '%zu toys, and the events' font ',7' offset 0,-0.7\n"
            "set xrange [%.17g:%.17g]; set yrange [0:*]; set xtics autofreq; set ytics autofreq\n"
            "set xlabel 'largest pull of all windows' offset 0,0.4; set ylabel 'toys' offset 0.8\n"
            "set style fill solid 1 noborder; set boxwidth %.17g; unset key\n"
            "set arrow 1 from %.17g, graph 0 to %.17g, graph 1 nohead front lc '" COLOUR_RICH
            "' lw 1.5\n"
            "set label 1 'p %s %.2g, Z %.2f%s' at graph 0.97, graph 0.92 right font ',6'\n"
            "plot $data index 1 using 1:2 with boxes lc '" COLOUR_OTHERS_FILL "'\n"
            "unset arrow 1; unset label 1\n",
            scan->toys, low - 0.03 * (high - low), high + 0.03 * (high - low), (high - low) / BOXES,
            scan->pull, scan->pull, scan->reached == 0 && !scan->extrapolated ? "<=" : "=",
            exp(scan->ln_p), scan->z, scan->extrapolated ? ", extrapolated" : "");
}

static void print_history(const struct scan_summary *scan, FILE *to)
{
    const struct panel panel = {
        .block = 2, .left = 0.73, .right = 0.98, .bottom = 0.22, .top = 0.88};
    double low = -1, high = 3;
    for (size_t s = 0; s < scan->slices; s++) {
        low = fmin(low, scan->history_z[s]);
        high = fmax(high, scan->history_z[s]);
    }
    const double thousands = (double)scan->history_events[scan->slices - 1] / 1000;
    panel_print_frame(&panel, to);
    fprintf(to,
            "set title 'after every slice' font ',7' offset 0,-0.7; unset key\n"
            "set xrange [0:%.17g]; set yrange [%g:%g]; set xtics autofreq\n"
            "set xlabel 'events read  [1000]' offset 0,0.4; set ylabel 'Z' offset 0.6\n"
            "set datafile missing '-'\n"
            "plot 0 with lines lc '" COLOUR_GREY_THIN "' lw 0.6, "
            "$data index 2 using ($1/1000):2 with linespoints pt 7 ps 0.35 lc '" COLOUR_OTHERS
            "' lw 1\n",
            1.05 * thousands, low - 0.4, high + 0.4);
}

static void print_script(const struct scan_summary *scan, FILE *to)
{
    fprintf(
        to,
        "set multiplot\n"
        "set label 97 'run %.8s%s; p is corrected for all windows, classes and members, not for "
        "looks at earlier slices' at screen 0.99, screen %g right font ',4.5' textcolor "
        "'" COLOUR_FOOT "'\n",
        scan->about.run_id, scan->about.final ? "" : ", NOT FINAL", 0.16 / HEIGHT_CM);
    print_windows(scan, to);
    fputs("unset label 97\n", to);
    print_null(scan, to);
    print_history(scan, to);
    fputs("unset multiplot\n", to);
}

/* The text that print writes; NULL when out of memory. */
static char *written(void (*print)(const struct scan_summary *scan, FILE *to),
                     const struct scan_summary *scan)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (to == NULL)
        return NULL;
    print(scan, to);
    const bool failed = ferror(to) != 0;
    if (fclose(to) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}

status figure_scan_make(const struct scan_summary *scan, struct drawing *out)
{
    *out = (struct drawing){.name = FIGURE_SCAN_NAME, .width_cm = WIDTH_CM, .height_cm = HEIGHT_CM};
    if (scan->windows == 0 || scan->toys == 0) {
        log_error("this scan has no p-value, and no figure: too few mass bins hold events, or no "
                  "toys were asked for");
        return STATUS_BAD_INPUT;
    }
    out->table = written(print_table, scan);
    out->script = written(print_script, scan);
    return out->table != NULL && out->script != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}
