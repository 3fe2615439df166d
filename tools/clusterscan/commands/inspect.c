/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan inspect: shows what an event file holds. */
#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/base/status.h"
#include "common/store/events/event_file.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"

/* As many events as are looked into: enough for a mean to two digits, soon read. */
enum { SAMPLE = 1000, AT_ONCE = 200 };

struct arguments {
    const char *path;
    const char *masterkey;
    bool json;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case 'm':
        arguments->masterkey = value;
        return 0;
    case 'j':
        arguments->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->path != NULL)
            argp_error(state, "one FILE at a time, found also '%s'", value);
        arguments->path = value;
        return 0;
    case ARGP_KEY_END:
        if (arguments->path == NULL)
            argp_error(state, "which FILE?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What the first events say about the others. */
struct sample {
    uint32_t events;
    double particles_mean; /* per event */
    uint64_t signal;       /* events of label 1 */
};

static status take_sample(event_file *file, struct sample *out)
{
    const uint64_t all = event_file_events(file);
    const uint32_t wanted = all < SAMPLE ? (uint32_t)all : SAMPLE;
    uint64_t particles = 0;
    *out = (struct sample){.events = wanted};
    for (uint32_t first = 0, n; first < wanted; first += n) {
        struct event_batch batch;
        n = wanted - first < AT_ONCE ? wanted - first : AT_ONCE;
        const status outcome = event_file_read(file, first, n, &batch);
        if (outcome != STATUS_OK)
            return outcome;
        particles += batch.particles;
        for (uint32_t e = 0; batch.label != NULL && e < n; e++)
            out->signal += batch.label[e] == 1;
    }
    if (wanted > 0)
        out->particles_mean = (double)particles / wanted;
    return STATUS_OK;
}

static void print_json(const char *path, const event_file *file, const struct sample *sample)
{
    json_t *first = json_pack("{s:I, s:f}", "events", (json_int_t)sample->events, "particles_mean",
                              sample->particles_mean);
    if (event_file_has_labels(file))
        json_object_set_new(first, "signal", json_integer((json_int_t)sample->signal));
    json_t *root = json_pack("{s:o?, s:s, s:s, s:I, s:b, s:o}", "file", json_string(path), "layout",
                             event_layout_name(event_file_layout(file)), "shape",
                             event_file_shape(file), "events", (json_int_t)event_file_events(file),
                             "labels", event_file_has_labels(file), "first", first);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    putchar('\n');
    json_decref(root);
}

static void print_text(const char *path, const event_file *file, const struct sample *sample)
{
    const bool labels = event_file_has_labels(file);
    printf("%s\n", path);
    printf("  layout  %s (%s)\n", event_layout_name(event_file_layout(file)),
           event_file_shape(file));
    printf("  events  %" PRIu64 "\n", event_file_events(file));
    printf("  labels  %s\n", labels ? "yes (0 background, 1 signal)" : "no");
    if (sample->events == 0)
        return;
    printf("In the first %" PRIu32 " events: %.1f particles an event", sample->events,
           sample->particles_mean);
    if (labels)
        printf(", %" PRIu64 " signal", sample->signal);
    puts(".");
}

int command_inspect(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"masterkey", 'm', "KEY", 0, "text file with the labels of a table without, one a line", 0},
        {"json", 'j', NULL, 0, "print one JSON object", 0},
        {0},
    };
    static const struct argp help = {
        .options = options,
        .parser = parse,
        .args_doc = "FILE",
        .doc = "Tell what an event file holds: its layout, how many events, whether they are "
               "labelled."
               "\vLayouts: lhco-table (pandas files of the LHC Olympics: N rows of 700 x (pT, eta, "
               "phi) and a label) and columns (/events/offset, pt, eta, phi, label).\n\n"
               "Examples:\n"
               "  clusterscan inspect events_anomalydetection.h5\n"
               "  clusterscan inspect BlackBox1.h5 \\\n"
               "      --masterkey events_LHCO2020_BlackBox1.masterkey\n"
               "  clusterscan inspect --json toy.h5",
    };
    struct arguments arguments = {0};
    if (!arguments_parse(&help, argc, argv, &arguments))
        return EXIT_BAD_INPUT;
    event_file *file;
    struct sample sample;
    status outcome = event_file_open(&file, arguments.path, arguments.masterkey);
    if (outcome == STATUS_OK)
        outcome = take_sample(file, &sample);
    if (outcome == STATUS_OK)
        (arguments.json ? print_json : print_text)(arguments.path, file, &sample);
    event_file_close(&file);
    return (int)status_exit_code(outcome);
}
