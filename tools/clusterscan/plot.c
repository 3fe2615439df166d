/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan plot: the figures of a result, as PDF and PNG, with gnuplot. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log/log.h"
#include "common/store/atomic_file.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/figure.h"
#include "tools/clusterscan/gnuplot.h"

enum { OPTION_DATA = 0x101, OPTION_MEMBER };

struct arguments {
    const char *path;
    const char *state;
    const char *out;
    const char *data; /* NULL: no tables */
    long member;      /* -1: the one with the largest significance */
};

/* A result on its way to the page. */
struct plot {
    const struct arguments *arguments;
    struct result_tables tables;
    struct analysis analysis;
    struct log_pictures pictures;
    const char *no_images; /* why there are none; NULL: they are there */
    const char *no_labels; /* why there is no figure 1 */
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

static status choose_member(const struct plot *self, size_t *member)
{
    const size_t members = self->tables.summary.members;
    *member = self->arguments->member < 0 ? result_summary_best(&self->tables.summary)
                                          : (size_t)self->arguments->member;
    if (*member < members)
        return STATUS_OK;
    log_error("--member %zu: %s has members 0 to %zu", *member, self->arguments->path, members - 1);
    return STATUS_BAD_INPUT;
}

/* Finds out what figure 1 can show of the images that were read. */
static void look_at_labels(struct plot *self)
{
    const struct log_pictures *pictures = &self->pictures;
    const uint64_t read = self->tables.summary.tally.read;
    if (pictures->read != read)
        log_warning("the log holds %llu events, the result was made of %llu",
                    (unsigned long long)pictures->read, (unsigned long long)read);
    if (pictures->unlabelled > 0)
        self->no_labels = "the events carry no true labels";
    else if (pictures->jets[PICTURE_LIGHTER] == 0)
        self->no_labels = "there is no signal event inside the spectrum";
    else if (pictures->jets[PICTURE_BACKGROUND] == 0)
        self->no_labels = "there is no background event inside the spectrum";
}

static status read_images(struct plot *self)
{
    const char *log_id = self->tables.summary.log_id;
    const char *state = self->arguments->state;
    if (log_id == NULL || strspn(log_id, "0123456789abcdef") != strlen(log_id)) {
        self->no_images = "the result file does not tell its log";
        return STATUS_OK;
    }
    char *folder;
    if (asprintf(&folder, "%s/%s", state, log_id) < 0)
        return STATUS_NO_MEMORY;
    status done = STATUS_OK;
    if (access(folder, R_OK | X_OK) == 0) {
        done = log_pictures_read(&self->pictures, folder, &self->analysis);
        if (done == STATUS_OK)
            look_at_labels(self);
    } else {
        snprintf(self->why, sizeof self->why,
                 "the images are not at %s (%s); name the state folder of the run with --state",
                 folder, strerror(errno));
        self->no_images = self->why;
    }
    free(folder);
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

static status draw(const struct plot *self, const struct figure *figure)
{
    const struct figure_data *data = &self->data;
    char *table = written(figure->table, data), *script = written(figure->script, data);
    status done = table != NULL && script != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    if (done == STATUS_OK) {
        const struct drawing drawing = {
            .width_cm = figure->width_cm,
            .height_cm = figure->height_of != NULL ? figure->height_of(data) : figure->height_cm,
            .table = table,
            .script = script};
        done = gnuplot_draw(self->arguments->out, figure->name, &drawing);
    }
    if (done == STATUS_OK && self->arguments->data != NULL)
        done = keep_table(self->arguments->data, figure->name, table);
    free(table);
    free(script);
    if (done == STATUS_OK)
        printf("%s/%s.pdf and .png: %s\n", self->arguments->out, figure->name, figure->title);
    return done;
}

static status draw_all(const struct plot *self)
{
    static const struct figure *const figures[] = {
        &figure_average_images, &figure_cluster_images, &figure_normalised, &figure_standardised,
        &figure_rich,           &figure_lit_pixels,     &figure_z,          &figure_deviations,
    };
    status done = make_folder(self->arguments->out);
    if (done == STATUS_OK && self->arguments->data != NULL)
        done = make_folder(self->arguments->data);
    for (size_t i = 0; done == STATUS_OK && i < sizeof figures / sizeof *figures; i++) {
        const char *lacking = figures[i]->needs > NEEDS_RESULT ? self->no_images : NULL;
        if (lacking == NULL && figures[i]->needs == NEEDS_LABELS)
            lacking = self->no_labels;
        if (lacking == NULL)
            done = draw(self, figures[i]);
        else
            log_warning("%s (%s) is not drawn: %s", figures[i]->name, figures[i]->title, lacking);
    }
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
    self.data.pictures = &self.pictures;
    if (done == STATUS_OK)
        done = draw_all(&self);
    figure_data_fini(&self.data);
    log_pictures_fini(&self.pictures);
    result_tables_fini(&self.tables);
    return done;
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
    struct arguments *self = state->input;
    char *end;
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
        errno = 0;
        self->member = strtol(argument, &end, 10);
        if (errno != 0 || *end != '\0' || end == argument || self->member < 0)
            argp_error(state, "--member must be a number from 0, not '%s'", argument);
        return 0;
    case ARGP_KEY_ARG:
        if (self->path != NULL)
            argp_error(state, "one RESULTS file at a time, found also '%s'", argument);
        self->path = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which RESULTS file?");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"state", 's', "DIR", 0,
     "State folder of the run (default: CLUSTERSCAN_STATE, else ./state); figures 1 and 6 need it",
     0},
    {"out", 'o', "DIR", 0, "Where the figures go (default: figures)", 0},
    {"data", OPTION_DATA, "DIR", 0, "Keep the numbers of each figure there, as plain text", 0},
    {"member", OPTION_MEMBER, "N", 0,
     "The training to show, from 0 (default: the one with the largest significance)", 0},
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
           "are those of arXiv 2402.17714.\v"
           "Examples:\n"
           "  clusterscan plot results.h5\n"
           "  clusterscan plot results.h5 --state demo/state --out demo/figures\n"
           "  clusterscan plot results.h5 --member 3 --data numbers",
};

int command_plot(int argc, char **argv)
{
    struct arguments arguments = {
        .state = getenv("CLUSTERSCAN_STATE"), .out = "figures", .member = -1};
    argp_err_exit_status = EXIT_BAD_INPUT;
    if (argp_parse(&parser, argc, argv, 0, NULL, &arguments) != 0)
        return EXIT_BAD_INPUT;
    if (arguments.state == NULL || *arguments.state == '\0')
        arguments.state = "state";
    return (int)status_exit_code(plot_result(&arguments));
}
