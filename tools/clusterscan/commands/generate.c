/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan generate: a made-up sample of events, background and signal mixed, with labels. */
#include <argp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/kernels/toy/toy.h"
#include "common/store/events/event_file.h"
#include "common/store/events/event_writer.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"
#include "tools/clusterscan/run/interrupts.h"

enum { BATCH = 512 };
enum { OPTION_MASS = 0x101, OPTION_WIDTH, OPTION_PRONGS };

/* Beyond this a resonance would hardly be made at 13 TeV. */
static const double mass_most = 10000, width_most = 0.2;

/* "mix": the second key of the numbers that the order is drawn with. */
static const uint64_t order_key = UINT64_C(0x6d6978);

struct arguments {
    uint64_t events; /* background */
    uint64_t signal;
    uint64_t seed;
    bool events_given;
    bool seed_given;
    const char *out;
    struct toy_settings toy;
};

/* n numbers with commas between them. */
static void parse_reals(const char *name, const char *text, size_t n, double least, double most,
                        double out[], struct argp_state *state)
{
    const char *at = text;
    for (size_t i = 0; i < n; i++) {
        char *end;
        out[i] = strtod(at, &end);
        if (end == at || *end != (i + 1 < n ? ',' : '\0') || !(out[i] >= least && out[i] <= most))
            argp_error(state, "--%s is '%s', expected %zu number%s from %g to %g", name, text, n,
                       n > 1 ? "s with commas between them," : "", least, most);
        at = end + 1;
    }
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    const uint64_t events_most = UINT64_C(1000000000000);
    struct arguments *arguments = state->input;
    switch (key) {
    case 'n':
        arguments->events = number_argument("events", value, 0, events_most, state);
        arguments->events_given = true;
        return 0;
    case 's':
        arguments->signal = number_argument("signal", value, 0, events_most, state);
        return 0;
    case 'r':
        arguments->seed = number_argument("seed", value, 0, UINT64_MAX, state);
        arguments->seed_given = true;
        return 0;
    case 'o':
        arguments->out = value;
        return 0;
    case OPTION_MASS:
        parse_reals("mass", value, 1, 1, mass_most, &arguments->toy.resonance_mass, state);
        return 0;
    case OPTION_WIDTH:
        parse_reals("width", value, 1, 0, width_most, &arguments->toy.resonance_width, state);
        return 0;
    case OPTION_PRONGS:
        parse_reals("prongs", value, 2, 1, mass_most, arguments->toy.prong_mass, state);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "what is '%s'? The file goes behind --out", value);
        return 0;
    case ARGP_KEY_END:
        if (!arguments->events_given || !arguments->seed_given || arguments->out == NULL)
            argp_error(state, "--events, --seed and --out must be given");
        if (arguments->toy.prong_mass[0] + arguments->toy.prong_mass[1] >=
            arguments->toy.resonance_mass)
            argp_error(state, "a resonance at %g GeV cannot decay to jets of %g and %g GeV",
                       arguments->toy.resonance_mass, arguments->toy.prong_mass[0],
                       arguments->toy.prong_mass[1]);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* A batch that is being filled, and what is still to come of the sample. */
struct sample {
    toy *toy;
    struct random_state order;
    uint64_t left[2]; /* background, signal */
    uint64_t made[2];
    uint32_t events;
    uint32_t offset[BATCH + 1];
    int8_t label[BATCH];
    float pt[BATCH * TOY_PARTICLES_MAX];
    float eta[BATCH * TOY_PARTICLES_MAX];
    float phi[BATCH * TOY_PARTICLES_MAX];
};

/* Fills the next batch. Drawing each label from what is left makes every order equally likely. */
static void sample_fill(struct sample *self)
{
    self->events = 0;
    while (self->events < BATCH && self->left[0] + self->left[1] > 0) {
        const int label = random_below(&self->order, self->left[0] + self->left[1]) < self->left[1];
        const uint32_t at = self->offset[self->events];
        const size_t n = toy_event(self->toy, self->made[label], label, self->pt + at,
                                   self->eta + at, self->phi + at);
        self->left[label]--;
        self->made[label]++;
        self->label[self->events++] = (int8_t)label;
        self->offset[self->events] = at + (uint32_t)n;
    }
}

static status sample_write(const struct sample *self, event_writer *writer)
{
    const struct event_batch batch = {.events = self->events,
                                      .particles = self->offset[self->events],
                                      .offset = self->offset,
                                      .pt = self->pt,
                                      .eta = self->eta,
                                      .phi = self->phi,
                                      .label = self->label};
    return event_writer_add(writer, &batch);
}

/* A line on a terminal that is written over five times a second. */
static void show_progress(uint64_t done, uint64_t all, bool last)
{
    static uint64_t shown_ms;
    if (!isatty(STDERR_FILENO))
        return;
    const uint64_t now_ms = clock_ms();
    if (!last && now_ms - shown_ms < 200)
        return;
    shown_ms = now_ms;
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " events%s", done, all, last ? "\n" : "");
}

static status generate(struct sample *sample, event_writer *writer)
{
    const uint64_t all = sample->left[0] + sample->left[1];
    status outcome = STATUS_OK;
    uint64_t done = 0;
    do {
        if (interrupts_noted()) {
            show_progress(done, all, true);
            return STATUS_INTERRUPTED;
        }
        sample_fill(sample);
        outcome = sample_write(sample, writer);
        done += sample->events;
        show_progress(done, all, done == all);
    } while (outcome == STATUS_OK && done < all);
    return outcome;
}

static status make_file(const struct arguments *arguments)
{
    event_writer *writer = NULL;
    status outcome = STATUS_NO_MEMORY;
    struct sample *sample = calloc(1, sizeof *sample);
    if (sample == NULL)
        return outcome;
    sample->left[0] = arguments->events;
    sample->left[1] = arguments->signal;
    random_init(&sample->order, arguments->seed, order_key, 0);
    outcome = toy_create(&sample->toy, &arguments->toy, arguments->seed);
    if (outcome == STATUS_OK)
        outcome = event_writer_create(&writer, arguments->out);
    if (outcome == STATUS_OK)
        outcome = generate(sample, writer);
    if (outcome == STATUS_OK)
        outcome = event_writer_commit(&writer);
    event_writer_destroy(&writer);
    toy_destroy(&sample->toy);
    free(sample);
    return outcome;
}

int command_generate(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"events", 'n', "N", 0, "background events", 0},
        {"signal", 's', "N", 0, "signal events mixed among them (0 by default)", 0},
        {"seed", 'r', "S", 0, "the same seed gives the same file", 0},
        {"mass", OPTION_MASS, "GEV", 0, "of the resonance (3500 by default)", 0},
        {"width", OPTION_WIDTH, "SHARE", 0,
         "of it: standard deviation over mass (0.02 by default, up to 0.2)", 0},
        {"prongs", OPTION_PRONGS, "GEV,GEV", 0, "masses of its two jets (500,100 by default)", 0},
        {"out", 'o', "FILE", 0, "where to; an old file stays until the new one is complete", 0},
        {0},
    };
    static const struct argp help = {
        .options = options,
        .parser = parse,
        .doc = "Make a toy sample of events with labels: QCD-like background with a falling dijet "
               "mass spectrum, and as signal a resonance (at 3500 GeV, unless told otherwise) "
               "to two two-pronged jets. Shapes only, no physics."
               "\vExamples:\n"
               "  clusterscan generate --events 20000 --seed 1 --out background.h5\n"
               "  clusterscan generate --events 20000 --signal 500 --seed 2 --out toy.h5",
    };
    struct arguments arguments = {.toy = toy_defaults};
    if (!arguments_parse(&help, argc, argv, &arguments))
        return EXIT_BAD_INPUT;
    interrupts_note(SA_RESTART);
    const status outcome = make_file(&arguments);
    if (outcome == STATUS_OK)
        printf("%s: %" PRIu64 " background events and %" PRIu64 " of signal, seed %" PRIu64 "\n",
               arguments.out, arguments.events, arguments.signal, arguments.seed);
    if (outcome == STATUS_INTERRUPTED)
        log_warning("interrupted: %s was not written", arguments.out);
    return (int)status_exit_code(outcome);
}
