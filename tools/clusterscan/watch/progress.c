/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/watch/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/watch/run_summary.h"
#include "tools/clusterscan/watch/human_text.h"

enum { LIVE_MS = 250, PLAIN_MS = 3000, LINE_SIZE = 512, WIDTH = 80, HEIGHT = 24 };

void progress_init(struct progress *self, bool quiet)
{
    const char *terminal = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    const bool live =
        isatty(STDERR_FILENO) == 1 && terminal != NULL && strcmp(terminal, "dumb") != 0;
    *self = (struct progress){.quiet = quiet,
                              .live = live,
                              .colours = live && (no_colour == NULL || no_colour[0] == '\0'),
                              .start_ms = clock_ms()};
}

void progress_fini(struct progress *self)
{
    progress_clear(self);
}

static struct winsize window_size(void)
{
    struct winsize window = {0};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0;
    if (!known || window.ws_col < 2)
        window.ws_col = WIDTH;
    if (!known || window.ws_row < 2)
        window.ws_row = HEIGHT;
    return window;
}

/* A terminal that was made narrower has broken the lines that stood on it. */
static size_t rows_of_block(const struct progress *self)
{
    const size_t width = window_size().ws_col;
    size_t rows = 0;
    for (size_t i = 0; i < self->lines; i++)
        rows += self->length[i] > width ? (self->length[i] + width - 1) / width : 1;
    return rows;
}

/* To the beginning of the block. */
static void go_back(const struct progress *self)
{
    const size_t rows = rows_of_block(self);
    fputc('\r', stderr);
    if (rows > 1)
        fprintf(stderr, "\033[%zuA", rows - 1);
}

/* Row by row: some terminals keep a copy of what is cleared from the top of the screen on. */
void progress_clear(struct progress *self)
{
    if (self->lines == 0)
        return;
    const size_t rows = rows_of_block(self);
    go_back(self);
    for (size_t row = 1; row < rows; row++)
        fputs("\033[K\033[B", stderr);
    fputs("\033[K", stderr);
    go_back(self);
    fflush(stderr);
    self->lines = 0;
    self->shown_ms = 0; /* back as soon as may be */
}

void progress_print(struct progress *self, const char *line)
{
    progress_clear(self);
    fprintf(stderr, "%s\n", line);
}

/* --- the line of the run ----------------------------------------------------------------- */

/* Time left until all is read; "" where it is unknown. */
static void print_rest(const struct run_totals *totals, size_t size, char out[])
{
    char text[NUMBER_TEXT_SIZE];
    out[0] = '\0';
    if (totals->growing || totals->rate < 1 || totals->read >= totals->rows)
        return;
    const double seconds = (double)(totals->rows - totals->read) / totals->rate;
    if (seconds < 1e9)
        snprintf(out, size, ", %s left", duration_text((uint64_t)seconds, text));
}

static void write_run(const struct progress *self, const struct run_totals *totals,
                      char out[LINE_SIZE])
{
    char text[6][NUMBER_TEXT_SIZE];
    char rest[NUMBER_TEXT_SIZE + 16];
    char rate[NUMBER_TEXT_SIZE + 16] = "";
    if (totals->rate >= 1)
        snprintf(rate, sizeof rate, ", %s/s", number_text((uint64_t)totals->rate, text[5]));
    char share[32] = "";
    print_rest(totals, sizeof rest, rest);
    if (!totals->growing) /* while input grows the whole is unknown */
        snprintf(share, sizeof share, " (%.0f %%)",
                 totals->rows > 0 ? 100 * (double)totals->read / (double)totals->rows : 0);
    const uint64_t seconds = (clock_ms() - self->start_ms) / 1000;
    snprintf(out, LINE_SIZE, "%s  %s of %s events read%s%s, %s counted, %s dropped%s%s",
             duration_text(seconds, text[0]), number_text(totals->read, text[1]),
             number_text(totals->rows, text[2]), totals->growing ? " so far" : "", share,
             number_text(totals->counted, text[3]), number_text(totals->dropped, text[4]), rate,
             rest);
}

/* --- the lines of the stages ------------------------------------------------------------- */

struct look {
    FILE *to;
    int width;
    int name_width;
    bool colours;
    const char *clear; /* what takes the rest of an older line away */
};

/* Prints at most the terminal's width of a line, its columns [from, from + n) in a colour; returns
 * how many columns that are. */
static int print_cut(const struct look *look, const char *line, int from, int n, const char *colour)
{
    const int length = (int)strlen(line);
    const int end = length < look->width ? length : look->width;
    if (!look->colours || colour[0] == '\0' || from + n > end)
        fprintf(look->to, "%.*s", end, line);
    else
        fprintf(look->to, "%.*s\033[%sm%.*s\033[0m%.*s", from, line, colour, n, line + from,
                end - from - n, line + from + n);
    fputs(look->clear, look->to);
    return end;
}

static const char *colour_of(const struct stage_summary *summary)
{
    if (strcmp(summary->state, "restarting") == 0)
        return "31"; /* red */
    if (strcmp(summary->state, "starting") == 0)
        return "33";                                            /* yellow */
    return strcmp(summary->state, "running") == 0 ? "32" : "2"; /* green, faint */
}

static int show_stage(const struct look *look, const struct topology_stage *stage,
                      const struct stage_summary *summary)
{
    char line[LINE_SIZE];
    char name[64];
    char rate[NUMBER_TEXT_SIZE];
    char credits[48] = "";
    char lag[48] = "";
    char number[NUMBER_TEXT_SIZE];
    if (stage->replicas > 1)
        snprintf(name, sizeof name, "%s x%u", stage->name, stage->replicas);
    else
        snprintf(name, sizeof name, "%s", stage->name);
    if (summary->credits > 0)
        snprintf(credits, sizeof credits, "%" PRIu64 "/%" PRIu64, summary->used, summary->credits);
    if (summary->has_lag && summary->lag > 0)
        snprintf(lag, sizeof lag, "%s behind", number_text(summary->lag, number));
    snprintf(line, sizeof line, "  %-*s %-10s %9s/s %3u %% busy %7s  %-12s %s%s", look->name_width,
             name, summary->state, number_text((uint64_t)summary->rate, rate), summary->busy,
             credits, lag, summary->waits[0] != '\0' ? "waits for " : "", summary->waits);
    return print_cut(look, line, 3 + look->name_width, (int)strlen(summary->state),
                     colour_of(summary));
}

static int name_width(const topology *flow)
{
    int width = 8;
    for (size_t s = 0; s < topology_n_stages(flow); s++) {
        const struct topology_stage *stage = topology_stage(flow, s);
        const int n = (int)strlen(stage->name) + (stage->replicas > 1 ? 4 : 0);
        width = n > width ? n : width;
    }
    return width;
}

/* The block in one piece, so that it does not flicker. */
static void show_block(struct progress *self, const struct watched_run *run, const char *line)
{
    char *block = NULL;
    size_t size = 0;
    unsigned short length[PROGRESS_LINES_MAX];
    const struct winsize window = window_size();
    const struct look look = {.to = open_memstream(&block, &size),
                              .width = window.ws_col - 1,
                              .name_width = name_width(run->flow),
                              .colours = self->colours,
                              .clear = self->lines > 0 ? "\033[K" : ""};
    if (look.to == NULL)
        return;
    length[0] = (unsigned short)print_cut(&look, line, 0, 0, "");
    size_t lines = 1;
    for (size_t s = 0; s < topology_n_stages(run->flow) && lines + 1 < window.ws_row; s++) {
        struct stage_summary summary;
        run_summary_stage(&summary, run, s);
        fputc('\n', look.to);
        length[lines++] = (unsigned short)show_stage(&look, topology_stage(run->flow, s), &summary);
    }
    fclose(look.to);
    if (self->lines > 0)
        go_back(self);
    fwrite(block, 1, size, stderr);
    fputs(self->lines > 0 ? "\033[J" : "", stderr);
    fflush(stderr);
    free(block);
    memcpy(self->length, length, sizeof length);
    self->lines = lines;
}

/* The busiest stage is the bottleneck. */
static void add_busiest(const struct watched_run *run, char line[LINE_SIZE])
{
    unsigned most = 0;
    const char *name = NULL;
    for (size_t s = 0; s < topology_n_stages(run->flow); s++) {
        struct stage_summary summary;
        run_summary_stage(&summary, run, s);
        if (summary.busy <= most)
            continue;
        most = summary.busy;
        name = topology_stage(run->flow, s)->name;
    }
    const size_t at = strlen(line);
    if (name != NULL)
        snprintf(line + at, LINE_SIZE - at, "; busiest: %s (%u %%)", name, most);
}

void progress_show(struct progress *self, const struct watched_run *run)
{
    const uint64_t now = clock_ms();
    if (self->quiet || now - self->shown_ms < (self->live ? LIVE_MS : PLAIN_MS))
        return;
    char line[LINE_SIZE];
    struct run_totals totals;
    run_summary_totals(&totals, run);
    write_run(self, &totals, line);
    if (self->live) {
        show_block(self, run, line);
    } else if (totals.rows > 0) {
        add_busiest(run, line);
        fprintf(stderr, "%s\n", line);
    }
    self->shown_ms = now;
}

void progress_end(struct progress *self, const struct watched_run *run)
{
    char line[LINE_SIZE];
    struct run_totals totals;
    progress_clear(self);
    run_summary_totals(&totals, run);
    if (self->quiet || totals.rows == 0)
        return;
    totals.rate = 0; /* the mean rate is shown now */
    write_run(self, &totals, line);
    const size_t at = strlen(line);
    if (totals.refused > 0)
        snprintf(line + at, sizeof line - at, ", %" PRIu64 " messages refused (see status)",
                 totals.refused);
    fprintf(stderr, "%s\n", line);
}
