/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan plot: the figures of a result, as PDF and PNG, with gnuplot. */
#include <argp.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/disk/atomic_file.h"
#include "common/store/results/scan_file.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"
#include "tools/clusterscan/events/result_logs.h"
#include "tools/clusterscan/figures/figure.h"
#include "tools/clusterscan/figures/figure_scan.h"
#include "tools/clusterscan/figures/figures_answer.h"
#include "tools/clusterscan/figures/gnuplot.h"

enum { OPTION_DATA = 0x101, OPTION_MEMBER };
enum { MEMBER_MEDIAN = -1, MEMBER_LARGEST = -2 };

struct arguments {
    const char *path;
    const char *state;
    const char *out;
    const char *data; /* NULL: no tables */
    long member;      /* or MEMBER_MEDIAN, MEMBER_LARGEST */
};

/* A result on its way to the page. */
struct plot {
    const struct arguments *arguments;
    struct result_tables tables;
    struct analysis analysis;
    struct image_averages pictures;
    const char *no_images; /* why there are none; NULL: they are there */
    const char *no_labels; /* why there is no figure 1 */
    const char *chosen;    /* how the member was */
    char why[4400];
    struct figure_data data;
};

static status read_result(struct plot *self)
{
    const char *path = self->arguments->path;
    status done = result_tables_read(&self->tables, path);
    json_t *block = NULL;
    if (done == STATUS_OK)
        done = analysis_block_from_yaml(&block, path, self->tables.summary.analysis);
    if (done == STATUS_OK) {
        done = analysis_from_json(&self->analysis, block);
        if (done == STATUS_BAD_INPUT)
            log_error("%s: its attribute analysis is not what this version writes", path);
    }
    json_decref(block);
    return done;
}

/* The member whose significance is the median (the lower of two in the middle): picked by a rule
 * that does not ask for the largest excess. */
static size_t median_member(const struct result_summary *summary)
{
    const double *mls = summary->mls;
    for (size_t m = 0; m < summary->members; m++) {
        size_t below = 0;
        for (size_t other = 0; other < summary->members; other++)
            below += mls[other] < mls[m] || (mls[other] == mls[m] && other < m);
        if (below == (summary->members - 1) / 2)
            return m;
    }
    return 0;
}

static status choose_member(struct plot *self, size_t *member)
{
    const struct result_summary *summary = &self->tables.summary;
    const long wanted = self->arguments->member;
    *member = wanted == MEMBER_MEDIAN    ? median_member(summary)
              : wanted == MEMBER_LARGEST ? result_summary_best(summary)
                                         : (size_t)wanted;
    self->chosen = wanted == MEMBER_MEDIAN    ? "; the median"
                   : wanted == MEMBER_LARGEST ? "; the largest"
                                              : "";
    if (*member < summary->members)
        return STATUS_OK;
    log_error("--member %zu: %s has members 0 to %zu", *member, self->arguments->path,
              summary->members - 1);
    return STATUS_BAD_INPUT;
}

/* Finds out what figure 1 can show of the images that were read. */
static void look_at_labels(struct plot *self)
{
    const struct image_averages *pictures = &self->pictures;
    const uint64_t read = self->tables.summary.tally.read;
    if (pictures->read != read)
        log_warning("%s %llu events, the result was made of %llu",
                    strchr(self->tables.summary.log_id, ',') != NULL ? "the logs hold"
                                                                     : "the log holds",
                    (unsigned long long)pictures->read, (unsigned long long)read);
    if (pictures->unlabelled > 0)
        self->no_labels = "the events carry no true labels";
    else if (pictures->jets[PICTURE_LIGHTER] == 0)
        self->no_labels = "there is no signal event inside the spectrum";
    else if (pictures->jets[PICTURE_BACKGROUND] == 0)
        self->no_labels = "there is no background event inside the spectrum";
}

/* The first log that is not in the state folder, NULL if all are. */
static const char *absent_log(const struct result_logs *logs)
{
    for (size_t k = 0; k < logs->n; k++)
        if (access(logs->folder[k], R_OK | X_OK) != 0)
            return logs->folder[k];
    return NULL;
}

static status read_images(struct plot *self)
{
    const char *log_ids = self->tables.summary.log_id;
    if (log_ids == NULL) {
        self->no_images = "the result file does not tell its log";
        return STATUS_OK;
    }
    struct result_logs logs;
    status done = result_logs_list(&logs, self->arguments->state, log_ids);
    const char *absent = done == STATUS_OK ? absent_log(&logs) : NULL;
    if (absent != NULL) {
        snprintf(self->why, sizeof self->why,
                 "the images are not at %s (%s); name the state folder of the run with --state",
                 absent, strerror(errno));
        self->no_images = self->why;
    } else if (done == STATUS_OK) {
        done = image_averages_read(&self->pictures, logs.n, logs.folder, &self->analysis);
        if (done == STATUS_OK)
            look_at_labels(self);
    }
    result_logs_fini(&logs);
    return done;
}

static status make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return STATUS_OK;
    log_error("%s: the folder cannot be made: %s", path, strerror(errno));
    return status_of_errno(errno);
}

typedef void writer(const struct figure_data *data, FILE *to);

/* What a writer writes, to be given to free; NULL when out of memory. */
static char *written(writer *write, const struct figure_data *data)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (to == NULL)
        return NULL;
    write(data, to);
    const bool failed = ferror(to) != 0;
    if (fclose(to) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}

static status keep_table(const char *folder, const char *name, const char *table)
{
    char *path;
    if (asprintf(&path, "%s/%s.txt", folder, name) < 0)
        return STATUS_NO_MEMORY;
    const status done = atomic_file_replace(path, strlen(table), table);
    if (done == STATUS_NO_SPACE)
        log_error("%s: cannot be written: no space left", path);
    free(path);
    return done;
}

/* What the script of a figure is: its foot, which every figure has, and its own. */
static char *written_script(const struct figure *figure, const struct figure_data *data)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (to == NULL)
        return NULL;
    figure_print_foot(figure, data, to);
    figure->script(data, to);
    const bool failed = ferror(to) != 0;
    if (fclose(to) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}

/* What a figure lacks; NULL: nothing. */
static const char *lacking(const struct plot *self, const struct figure *figure)
{
    const char *images = figure->needs > NEEDS_RESULT ? self->no_images : NULL;
    return images == NULL && figure->needs == NEEDS_LABELS ? self->no_labels : images;
}

/* The drawings of all figures that can be drawn, n of them; drawn[i] is what drawing i shows. */
static status prepare(const struct plot *self, struct drawing drawings[],
                      const struct figure *drawn[], size_t *n)
{
    for (const struct figure *const *figure = figures_all; *figure != NULL; figure++) {
        const char *why_not = lacking(self, *figure);
        if (why_not != NULL) {
            log_warning("%s (%s) is not drawn: %s", (*figure)->name, (*figure)->title, why_not);
            continue;
        }
        assert(*n < GNUPLOT_DRAWINGS_MAX);
        drawn[*n] = *figure;
        drawings[*n] = (struct drawing){.name = (*figure)->name,
                                        .width_cm = (*figure)->width_cm,
                                        .height_cm = figure_height_cm(*figure, &self->data),
                                        .table = written((*figure)->table, &self->data),
                                        .script = written_script(*figure, &self->data)};
        (*n)++;
        if (drawings[*n - 1].table == NULL || drawings[*n - 1].script == NULL)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

static status make_folders(const struct arguments *arguments)
{
    const status done = make_folder(arguments->out);
    return done == STATUS_OK && arguments->data != NULL ? make_folder(arguments->data) : done;
}

static status draw_all(const struct plot *self)
{
    struct drawing drawings[GNUPLOT_DRAWINGS_MAX];
    const struct figure *drawn[GNUPLOT_DRAWINGS_MAX];
    const struct arguments *arguments = self->arguments;
    size_t n = 0;
    status done = make_folders(arguments);
    if (done == STATUS_OK)
        done = prepare(self, drawings, drawn, &n);
    if (done == STATUS_OK)
        done = gnuplot_draw(arguments->out, n, drawings);
    for (size_t i = 0; done == STATUS_OK && i < n; i++) {
        if (arguments->data != NULL)
            done = keep_table(arguments->data, drawings[i].name, drawings[i].table);
        if (done == STATUS_OK)
            printf("%s/%s.pdf and .png: %s\n", arguments->out, drawn[i]->name, drawn[i]->title);
    }
    for (size_t i = 0; i < n; i++) {
        free((char *)drawings[i].table);
        free((char *)drawings[i].script);
    }
    return done;
}

static status plot_scan(const struct arguments *arguments)
{
    struct scan_summary scan;
    struct drawing drawing = {0};
    status done = scan_summary_read(&scan, arguments->path);
    if (done == STATUS_OK)
        done = figure_scan_make(&scan, &drawing);
    if (done == STATUS_OK)
        done = make_folders(arguments);
    if (done == STATUS_OK)
        done = gnuplot_draw(arguments->out, 1, &drawing);
    if (done == STATUS_OK && arguments->data != NULL)
        done = keep_table(arguments->data, drawing.name, drawing.table);
    if (done == STATUS_OK)
        printf("%s/%s.pdf and .png: %s\n", arguments->out, drawing.name, FIGURE_SCAN_TITLE);
    free((char *)(uintptr_t)drawing.table);
    free((char *)(uintptr_t)drawing.script);
    scan_summary_fini(&scan);
    return done;
}

static status plot_result(const struct arguments *arguments)
{
    struct plot self = {.arguments = arguments};
    size_t member;
    status done = read_result(&self);
    if (done == STATUS_OK)
        done = choose_member(&self, &member);
    if (done == STATUS_OK)
        done = figure_data_init(&self.data, &self.tables, &self.analysis, member);
    if (done == STATUS_OK)
        done = read_images(&self);
    self.data.pictures = self.no_images == NULL ? &self.pictures : NULL;
    self.data.chosen = self.chosen;
    if (done == STATUS_OK)
        done = draw_all(&self);
    figure_data_fini(&self.data);
    image_averages_fini(&self.pictures);
    result_tables_fini(&self.tables);
    return done;
}

static long parse_member(const char *text, struct argp_state *state)
{
    if (strcmp(text, "median") == 0)
        return MEMBER_MEDIAN;
    if (strcmp(text, "largest") == 0)
        return MEMBER_LARGEST;
    if (text[0] < '0' || text[0] > '9')
        argp_error(state, "--member is '%s', expected a whole number, median or largest", text);
    return (long)number_argument("member", text, 0, UINT32_MAX, state);
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
    struct arguments *self = state->input;
    switch (key) {
    case 's':
        self->state = argument;
        return 0;
    case 'o':
        self->out = argument;
        return 0;
    case OPTION_DATA:
        self->data = argument;
        return 0;
    case OPTION_MEMBER:
        self->member = parse_member(argument, state);
        return 0;
    case ARGP_KEY_ARG:
        results_argument(&self->path, argument, state);
        return 0;
    case ARGP_KEY_END:
        results_argument_check(self->path, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"state", 's', "DIR", 0,
     "State folder of the run (default: CLUSTERSCAN_STATE, else ./state); figures 1, 6 and mass "
     "need it",
     0},
    {"out", 'o', "DIR", 0, "Where the figures go (default: figures)", 0},
    {"data", OPTION_DATA, "DIR", 0, "Keep the numbers of each figure there, as plain text", 0},
    {"member", OPTION_MEMBER, "N", 0,
     "The training to show: a number from 0, `median' (of their significances, the default) or "
     "`largest'",
     0},
    {0},
};
static const struct argp parser = {
    .options = options,
    .parser = take_option,
    .args_doc = "RESULTS",
    .doc = "Draw the figures of a result as PDF and PNG, in the size of a column or a page, with "
           "gnuplot: 1 average images and those of the clusters, 2 and 3 normalised and "
           "standardised cluster spectra, 4 signal-rich against scaled depleted clusters, 6 lit "
           "pixels per image, 8 the distribution of z, 9 spectra minus that of all jets. Numbers "
           "are those of arXiv 2402.17714, whose 5 and 7 need more than one result. Besides: "
           "members, the significance and bin of every training; history, how the mean grew with "
           "the events; mass, the dijet masses of all events; and summary, one page of it all. "
           "Where one training is shown, it is that with the median significance, chosen before "
           "anybody looked at its spectrum. Of a composition scan one figure is drawn: the pull of "
           "every "
           "mass window, the largest pulls of the toys, and the significance after every slice.\v"
           "Examples:\n"
           "  clusterscan plot results.h5\n"
           "  clusterscan plot results.h5 --state demo/state --out demo/figures\n"
           "  clusterscan plot results.h5 --member 3 --data numbers",
};

int command_plot(int argc, char **argv)
{
    struct arguments arguments = {.out = "figures", .member = MEMBER_MEDIAN};
    if (!arguments_parse(&parser, argc, argv, &arguments))
        return EXIT_BAD_INPUT;
    arguments.state = state_argument(arguments.state);
    return (int)status_exit_code(scan_file_is(arguments.path) ? plot_scan(&arguments)
                                                              : plot_result(&arguments));
}
