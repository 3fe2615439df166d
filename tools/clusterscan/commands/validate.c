/* SPDX-License-Identifier: GPL-3.0-or-later */
/* validate: checks a topology file, and prints its stages, edges and memory (docs/design.md,
 * section 2). */
#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/parallel.h"
#include "common/base/status.h"
#include "common/kernels/image/image.h"
#include "common/records/event_batch.h"
#include "common/stage/stage.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"

enum {
    OPTION_JSON = 0x101,
    LIT_TYPICAL = 36, /* pixels of a QCD jet at 40 x 40 (arXiv 2402.17714, figure 6) */
    SHOWN_EVENTS = 100000
};

struct arguments {
    bool json;
    struct topology_arguments topology;
};

/* Bytes; the columns are those of common/records. */
struct memory {
    uint64_t event_batch;    /* one, with as many particles as a table can hold */
    uint64_t image_batch;    /* one, with as many non-zero pixels as an image can have */
    uint64_t worker;         /* in flight in a stage that works on event batches */
    uint64_t log;            /* in flight in the log, of several in the largest */
    uint64_t feed;           /* in flight in a stage that follows the logs */
    uint64_t training_event; /* typical, in every trainer process */
    uint64_t slice_item;     /* counts of one slice, right of the log */
    uint64_t scan_event;     /* in a composition scorer; 0: there is none */
};

static uint64_t event_bytes(uint64_t particles)
{
    return sizeof(uint32_t) + sizeof(int8_t) + 3 * sizeof(float) * particles;
}

static uint64_t images_bytes(uint64_t lit)
{
    const uint64_t jet = 7 * sizeof(float) + sizeof(uint16_t) + sizeof(uint32_t) +
                         (sizeof(uint16_t) + sizeof(float)) * lit;
    return sizeof(uint64_t) + sizeof(float) + sizeof(int8_t) + 2 * jet;
}

/* Per jet of the training set: offset, |x|^2, and its non-zero pixels. */
static uint64_t training_bytes(uint64_t lit)
{
    return 2 * (sizeof(uint64_t) + sizeof(double) + (sizeof(uint16_t) + sizeof(float)) * lit);
}

/* Sources of log k; a source is one process. */
static uint64_t sources_of(const topology *flow, size_t k)
{
    uint64_t n = 0;
    for (size_t i = 0; i < topology_n_stages(flow); i++)
        n += topology_stage(flow, i)->role == ROLE_SOURCE && topology_log_of(flow, i) == k;
    return n;
}

/* Of the log that has most of them. */
static uint64_t n_sources(const topology *flow)
{
    uint64_t most = 0;
    for (size_t k = 0; k < topology_n_logs(flow); k++)
        most = sources_of(flow, k) > most ? sources_of(flow, k) : most;
    return most;
}

/* Batches of all its sources together that a log keeps room for, of the log with most room. */
static uint64_t log_room(const topology *flow)
{
    uint64_t most = 0;
    for (size_t k = 0; k < topology_n_logs(flow); k++) {
        const struct topology_stage *log = topology_stage(flow, topology_log(flow, k));
        const uint64_t room = sources_of(flow, k) * (uint64_t)json_integer_value(
                                                        json_object_get(log->settings, "window"));
        most = room > most ? room : most;
    }
    return most;
}

/* Batches pulled ahead by a consumer of every log. */
static uint64_t batches_ahead(const topology *flow)
{
    return STAGE_FEED_AHEAD * (uint64_t)topology_n_logs(flow);
}

/* Its bin, where a toy moves it on each core, and its labels by all members. */
static uint64_t scan_bytes(const topology *flow)
{
    const uint64_t members = topology_analysis(flow)->training.ensemble;
    for (size_t i = 0; i < topology_n_stages(flow); i++)
        if (topology_stage(flow, i)->output == MESSAGE_SCAN)
            return 1 + parallel_cores() + members * sizeof(uint16_t);
    return 0;
}

static struct memory memory_of(const topology *flow)
{
    const struct analysis *analysis = topology_analysis(flow);
    const uint64_t area = (uint64_t)analysis->image.pixels * analysis->image.pixels;
    const uint64_t lit_max = area < IMAGE_CONSTITUENTS_MAX ? area : IMAGE_CONSTITUENTS_MAX;
    const uint64_t lit = area < LIT_TYPICAL ? area : LIT_TYPICAL;
    struct memory memory = {
        .event_batch = analysis->stream.batch * event_bytes(EVENT_TABLE_PARTICLES),
        .image_batch = analysis->stream.batch * images_bytes(lit_max),
        .training_event = training_bytes(lit),
        .slice_item = (uint64_t)analysis->training.ensemble * analysis->training.clusters *
                      analysis->spectra.bins * sizeof(uint64_t),
        .scan_event = scan_bytes(flow),
    };
    memory.worker =
        STAGE_WORKER_CREDITS * n_sources(flow) * memory.event_batch + memory.image_batch;
    memory.log = log_room(flow) * memory.image_batch;
    memory.feed = batches_ahead(flow) * memory.image_batch;
    return memory;
}

/* "96 kB": three digits are enough. */
static const char *bytes_text(uint64_t bytes, size_t size, char out[])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1000;
        unit++;
    }
    snprintf(out, size, "%.3g %s", value, units[unit]);
    return out;
}

static void print_stages(const topology *flow)
{
    int name_width = 5;
    int run_width = 3;
    for (size_t i = 0; i < topology_n_stages(flow); i++) {
        const struct topology_stage *stage = topology_stage(flow, i);
        const int name = snprintf(NULL, 0, "%s", stage->name);
        const int run = snprintf(NULL, 0, "%s", stage->run);
        name_width = name > name_width ? name : name_width;
        run_width = run > run_width ? run : run_width;
    }
    printf("\n  %-*s  %-*s  copies  gives        takes\n", name_width, "stage", run_width, "run");
    for (size_t i = 0; i < topology_n_stages(flow); i++) {
        const struct topology_stage *stage = topology_stage(flow, i);
        printf("  %-*s  %-*s  %6u  %-11s  ", name_width, stage->name, run_width, stage->run,
               (unsigned)stage->replicas, message_type_name(stage->output));
        for (size_t k = 0; k < stage->n_inputs; k++)
            printf("%s%s from %s", k > 0 ? ", " : "", message_type_name(stage->inputs[k].type),
                   topology_stage(flow, stage->inputs[k].stage)->name);
        puts(stage->n_inputs == 0 ? "-" : "");
    }
}

static void print_left_half(const topology *flow, const struct memory *memory)
{
    const unsigned long long sources = n_sources(flow);
    char whole[32];
    char one[32];
    printf("    each worker   %s: %d credits from %s%llu source%s x a batch of %u events "
           "(%s), and its images\n",
           bytes_text(memory->worker, sizeof whole, whole), (int)STAGE_WORKER_CREDITS,
           sources > 1 ? "each of " : "", sources, sources > 1 ? "s" : "",
           (unsigned)topology_analysis(flow)->stream.batch,
           bytes_text(memory->event_batch, sizeof one, one));
    printf("    %s       %s: room for %llu image batches (%s)\n",
           topology_n_logs(flow) > 1 ? "a log  " : "the log",
           bytes_text(memory->log, sizeof whole, whole), (unsigned long long)log_room(flow),
           bytes_text(memory->image_batch, sizeof one, one));
}

static void print_in_flight(const topology *flow, const struct memory *memory)
{
    char whole[32];
    puts("  in flight, at most");
    if (n_sources(flow) > 0) /* else a replay, whose log has no inputs */
        print_left_half(flow, memory);
    printf("    each follower %s: %d image batches ahead%s\n",
           bytes_text(memory->feed, sizeof whole, whole), STAGE_FEED_AHEAD,
           topology_n_logs(flow) > 1 ? " of each log" : "");
}

static void print_memory(const topology *flow)
{
    const struct memory memory = memory_of(flow);
    const struct analysis *analysis = topology_analysis(flow);
    char one[32];
    char all[32];
    puts("\nMemory, whatever the length of the stream:");
    print_in_flight(flow, &memory);
    const uint64_t events = analysis->training.events;
    const uint64_t shown = events > 0 ? events : SHOWN_EVENTS;
    printf("  training set    about %s an event with m_jj in [%.10g, %.10g) GeV, in each trainer:\n"
           "                  %s for %s%llu events\n",
           bytes_text(memory.training_event, sizeof one, one), analysis->training.window[0],
           analysis->training.window[1], bytes_text(shown * memory.training_event, sizeof all, all),
           events > 0 ? "" : "every ", (unsigned long long)shown);
    printf("  one slice       %s in a file right of the log: %u members x %u clusters x %u bins x "
           "8 B\n",
           bytes_text(memory.slice_item, sizeof one, one), (unsigned)analysis->training.ensemble,
           (unsigned)analysis->training.clusters, (unsigned)analysis->spectra.bins);
    if (memory.scan_event > 0)
        printf("Growing with the stream:\n"
               "  composition     %s an event with m_jj inside the spectrum, in the composition "
               "scorer:\n                  %s for every %d events\n",
               bytes_text(memory.scan_event, sizeof one, one),
               bytes_text(SHOWN_EVENTS * memory.scan_event, sizeof all, all), SHOWN_EVENTS);
}

static void print_summary(const topology *flow)
{
    printf("%s is a valid topology: '%s', %zu stages, sockets: %s\n", topology_path(flow),
           topology_name(flow), topology_n_stages(flow),
           topology_transport(flow) == TRANSPORT_TCP ? "tcp" : "ipc");
    print_stages(flow);
    print_memory(flow);
}

static json_t *stage_to_json(const topology *flow, const struct topology_stage *stage)
{
    json_t *inputs = json_array();
    for (size_t k = 0; k < stage->n_inputs; k++)
        (void)json_array_append_new(inputs,
                                    json_pack("{s:s, s:s}", "stage",
                                              topology_stage(flow, stage->inputs[k].stage)->name,
                                              "type", message_type_name(stage->inputs[k].type)));
    return json_pack("{s:s, s:s, s:I, s:o, s:s, s:O}", "name", stage->name, "run", stage->run,
                     "replicas", (json_int_t)stage->replicas, "inputs", inputs, "output",
                     message_type_name(stage->output), "settings", stage->settings);
}

static json_t *memory_to_json(const topology *flow)
{
    const struct memory memory = memory_of(flow);
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "event_batch_bytes",
        (json_int_t)memory.event_batch, "image_batch_bytes", (json_int_t)memory.image_batch,
        "in_flight_worker_bytes", (json_int_t)memory.worker, "in_flight_log_bytes",
        (json_int_t)memory.log, "in_flight_follower_bytes", (json_int_t)memory.feed,
        "training_event_bytes", (json_int_t)memory.training_event, "slice_item_bytes",
        (json_int_t)memory.slice_item, "scan_event_bytes", (json_int_t)memory.scan_event);
}

static status print_json(const topology *flow)
{
    json_t *stages = json_array();
    for (size_t i = 0; i < topology_n_stages(flow); i++)
        (void)json_array_append_new(stages, stage_to_json(flow, topology_stage(flow, i)));
    json_t *all = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "topology", topology_path(flow),
                            "name", topology_name(flow), "transport",
                            topology_transport(flow) == TRANSPORT_TCP ? "tcp" : "ipc", "analysis",
                            analysis_to_json(topology_analysis(flow)), "stages", stages, "memory",
                            memory_to_json(flow));
    if (all == NULL)
        return STATUS_NO_MEMORY;
    const bool good = json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) == 0;
    json_decref(all);
    putchar('\n');
    return good ? STATUS_OK : STATUS_IO;
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
    struct arguments *self = state->input;
    (void)argument;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &self->topology;
        return 0;
    case OPTION_JSON:
        self->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"json", OPTION_JSON, NULL, 0, "Print the checked topology as JSON", 0},
    {0},
};
static const struct argp_child children[] = {{&topology_argp, 0, NULL, 0}, {0}};
static const struct argp parser = {
    .options = options,
    .parser = take_option,
    .args_doc = "TOPOLOGY",
    .doc = "Check a topology file without running it, and tell its stages, what flows between them "
           "and what memory they need. Event files are not opened.\v"
           "Every mistake is told with its line and column; the exit code is 2 then, else 0.\n\n"
           "Examples:\n"
           "  clusterscan validate topology/lhco.yaml\n"
           "  clusterscan validate topology/lhco.yaml --set analysis.training.ensemble=5 \\\n"
           "      --set 'stages.reader.settings.files=[\"events/*.h5\"]'\n"
           "  clusterscan validate topology/demo.yaml --json",
    .children = children,
};

static status check_selection(const topology *flow)
{
    char why[400];
    if (topology_can_select(flow, sizeof why, why))
        return STATUS_OK;
    log_error("%s: %s", topology_path(flow), why);
    return STATUS_BAD_INPUT;
}

int command_validate(int argc, char **argv)
{
    struct arguments arguments = {0};
    status done = STATUS_BAD_INPUT;
    if (arguments_parse(&parser, argc, argv, &arguments)) {
        topology *flow;
        done = topology_arguments_load(&arguments.topology, &flow);
        if (done == STATUS_OK)
            done = check_selection(flow);
        if (done == STATUS_OK && arguments.json)
            done = print_json(flow);
        else if (done == STATUS_OK)
            print_summary(flow);
        topology_destroy(&flow);
    }
    return status_exit_code(done);
}
