/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/figures/figure_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/kernels/clustering/model.h"
#include "common/kernels/statistics/ensemble.h"
#include "common/kernels/statistics/robust.h"
#include "common/store/results/result_schema.h"
#include "tools/clusterscan/figures/colours.h"
#include "tools/clusterscan/figures/figure.h"
#include "tools/clusterscan/figures/gnuplot.h"

static status allocate(struct figure_data *self, size_t pixels)
{
    bool done = (self->jets = calloc(self->clusters, sizeof *self->jets)) != NULL;
    done = (self->share = calloc(self->clusters * self->bins, sizeof(double))) != NULL && done;
    done = (self->total = calloc(self->bins, sizeof(double))) != NULL && done;
    done = (self->typical = calloc(self->bins, sizeof(double))) != NULL && done;
    for (size_t i = 0; i < 2; i++) {
        done = (self->plain[i] = calloc(self->bins, sizeof(double))) != NULL && done;
        done = (self->robust[i] = calloc(self->bins, sizeof(double))) != NULL && done;
    }
    done = (self->centres = calloc(self->clusters * pixels, sizeof(double))) != NULL && done;
    return done ? STATUS_OK : STATUS_NO_MEMORY;
}

static void normalise(struct figure_data *self)
{
    uint64_t all = 0;
    for (size_t i = 0; i < self->clusters * self->bins; i++) {
        self->jets[i / self->bins] += self->counts[i];
        self->total[i % self->bins] += (double)self->counts[i];
        all += self->counts[i];
    }
    for (size_t i = 0; i < self->clusters * self->bins; i++)
        if (self->counts[i] > 0)
            self->share[i] = (double)self->counts[i] / (double)self->jets[i / self->bins];
    for (size_t b = 0; all > 0 && b < self->bins; b++)
        self->total[b] /= (double)all;
}

/* Mean and spread of the shares of a bin, plain and robust, over the clusters that have jets.
 * scratch [3 clusters]. */
static void estimate_bin(struct figure_data *self, size_t bin, double factor, double scratch[])
{
    size_t n = 0;
    for (size_t c = 0; c < self->clusters; c++)
        if (self->jets[c] > 0)
            scratch[n++] = self->share[c * self->bins + bin] - self->total[bin];
    if (n == 0)
        return;
    double *rest = scratch + self->clusters;
    robust_mean_sd(n, scratch, 0.0, 1.0, rest, &self->plain[0][bin], &self->plain[1][bin]);
    robust_mean_sd(n, scratch, self->analysis->selection.outlier_fraction, factor, rest,
                   &self->robust[0][bin], &self->robust[1][bin]);
}

/* Poisson spread of a cluster with the median number of jets and the mean shares. scratch
 * [3 clusters]. */
static void estimate_typical(struct figure_data *self, double scratch[])
{
    for (size_t c = 0; c < self->clusters; c++)
        scratch[c] = (double)self->jets[c];
    const double jets = ensemble_of(self->clusters, scratch, scratch + self->clusters).median;
    for (size_t b = 0; jets > 0 && b < self->bins; b++)
        self->typical[b] = sqrt(self->total[b] / jets);
}

static status estimate(struct figure_data *self)
{
    const double fraction = self->analysis->selection.outlier_fraction;
    const double given = self->analysis->selection.sd_factor;
    const double factor = given > 0 ? given : robust_sd_factor(fraction);
    double *scratch = malloc(3 * self->clusters * sizeof *scratch);
    if (scratch == NULL)
        return STATUS_NO_MEMORY;
    for (size_t b = 0; b < self->bins; b++)
        estimate_bin(self, b, factor, scratch);
    estimate_typical(self, scratch);
    free(scratch);
    return STATUS_OK;
}

static status smear_centres(struct figure_data *self, size_t pixels)
{
    smearing *smear;
    double *sharp = malloc(pixels * sizeof *sharp);
    status done = sharp != NULL ? smearing_create(&smear, self->analysis->image.pixels,
                                                  self->analysis->image.smear)
                                : STATUS_NO_MEMORY;
    const float *centres = self->tables->centres + self->member * self->clusters * pixels;
    for (size_t c = 0; done == STATUS_OK && c < self->clusters; c++) {
        for (size_t p = 0; p < pixels; p++)
            sharp[p] = (double)centres[c * pixels + p];
        smearing_once(smear, sharp, self->centres + c * pixels);
    }
    if (done == STATUS_OK)
        smearing_destroy(&smear);
    free(sharp);
    return done;
}

/* The first of the worst verdicts. NULL: all are good. */
static status find_verdict(struct figure_data *self)
{
    const struct result_summary *summary = &self->tables->summary;
    const enum verdict_state worst = result_summary_worst(summary);
    for (size_t i = 0; worst != VERDICT_GOOD && i < summary->n_verdicts; i++) {
        const struct result_verdict *verdict = &summary->verdicts[i];
        if (verdict->state == worst)
            return asprintf(&self->verdict, "%s: %s", verdict_state_name(worst), verdict->text) >= 0
                       ? STATUS_OK
                       : STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

status figure_data_init(struct figure_data *self, const struct result_tables *tables,
                        const struct analysis *analysis, size_t member)
{
    const struct result_summary *summary = &tables->summary;
    const size_t labels = member * summary->clusters;
    *self = (struct figure_data){.tables = tables,
                                 .analysis = analysis,
                                 .final = summary->final,
                                 .member = member,
                                 .chosen = "",
                                 .clusters = summary->clusters,
                                 .bins = summary->bins,
                                 .edges = summary->edges,
                                 .counts = tables->counts + labels * summary->bins,
                                 .z = tables->z + labels * summary->bins,
                                 .rich = summary->label + labels};
    const size_t pixels = (size_t)analysis->image.pixels * analysis->image.pixels;
    if (pixels != tables->pixels) {
        log_error("/%s have %zu pixels, expected %zu by analysis.image.pixels",
                  result_dataset(RESULT_CODEBOOK_CENTRES)->path, tables->pixels, pixels);
        return STATUS_BAD_INPUT;
    }
    status done = allocate(self, pixels);
    if (done != STATUS_OK)
        return done;
    normalise(self);
    done = find_verdict(self);
    if (done == STATUS_OK)
        done = estimate(self);
    return done == STATUS_OK ? smear_centres(self, pixels) : done;
}

void figure_data_fini(struct figure_data *self)
{
    free(self->verdict);
    free(self->jets);
    free(self->share);
    free(self->total);
    free(self->typical);
    for (size_t i = 0; i < 2; i++) {
        free(self->plain[i]);
        free(self->robust[i]);
    }
    free(self->centres);
    *self = (struct figure_data){0};
}

double figure_height_cm(const struct figure *figure, const struct figure_data *data)
{
    return figure->height_of != NULL ? figure->height_of(data) : figure->height_cm;
}

void panel_print_frame(const struct panel *panel, FILE *to)
{
    fprintf(to,
            "set lmargin at screen %g; set rmargin at screen %g\n"
            "set bmargin at screen %g; set tmargin at screen %g\n"
            "set border lw 0.6; set tics scale 0.6 font ',6'; set mxtics 2; set mytics 2\n"
            "set key at graph 1, graph 1.02 right bottom horizontal samplen 1.5 "
            "width -4 maxcols 2 font ',6'\n",
            panel->left, panel->right, panel->bottom, panel->top);
}

/* A line of small print at the right edge, `line` lines above the lowest one. */
static void print_foot_line(int tag, const char *text, size_t most, int line, const char *colour,
                            double height_cm, FILE *to)
{
    const double lowest_cm = 0.16, line_cm = 0.2;
    fprintf(to, "set label %d ", tag);
    gnuplot_print_text(text, most, to);
    fprintf(to, " at screen 0.99, screen %g right font ',4.5' textcolor '%s'\n",
            (lowest_cm + line * line_cm) / height_cm, colour);
}

void figure_print_foot(const struct figure *figure, const struct figure_data *data, FILE *to)
{
    static const char grey[] = COLOUR_FOOT, red[] = COLOUR_WARNING;
    const struct result_summary *summary = &data->tables->summary;
    const double height_cm = figure_height_cm(figure, data), characters_per_cm = 10.5;
    const size_t most = (size_t)(characters_per_cm * figure->width_cm);
    char line[300];
    if (figure->foot == FOOT_MEMBER)
        snprintf(line, sizeof line, "training %zu (0 to %zu%s), MLS %.2f, run %s", data->member,
                 summary->members - 1, data->chosen, summary->mls[data->member], summary->run_id);
    else
        snprintf(line, sizeof line, "run %s", summary->run_id);
    print_foot_line(99, line, most, 0, grey, height_cm, to);
    if (data->verdict != NULL)
        print_foot_line(98, data->verdict, most, 1, red, height_cm, to);
    if (!data->final)
        fprintf(to,
                "set label 97 'not final' at screen 0.01, screen %g left font ',4.5' textcolor "
                "'%s'\n",
                0.16 / height_cm, red);
}
