/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline: the arithmetic of a whole run in one process and one thread, nothing else.
 * Takes the `analysis` block of RESULTS, which a run has made of the event files named behind it,
 * does what its stages do with every event, one step after the other, checks that counts and
 * scores come out as in RESULTS to the bit, and prints one line of JSON: events, jets in the
 * spectrum and the core seconds of every step. Between the steps everything stays in memory;
 * keeping it there is not part of any step. With --about it tells instead how it was built and
 * which instructions its kernels use here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/log.h"
#include "common/kernels/clustering/kmeans.h"
#include "common/kernels/clustering/model.h"
#include "common/kernels/image/image.h"
#include "common/kernels/image/power.h"
#include "common/kernels/jets/jets.h"
#include "common/kernels/statistics/cluster_selection.h"
#include "common/kernels/statistics/mass_bins.h"
#include "common/kernels/statistics/robust.h"
#include "common/kernels/statistics/significance.h"
#include "common/kernels/statistics/spectra.h"
#include "common/records/image_columns.h"
#include "common/store/disk/hdf5_util.h"
#include "common/store/events/event_file.h"
#include "common/store/results/result_file.h"
#include "common/store/results/result_summary.h"
#include "common/topology/schema/analysis.h"
#include "tools/benchmarks/harness.h"

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "GCC " __VERSION__
#endif

enum step { READ, JETS, IMAGE, TRAIN, LABEL, SELECT, SCORE, STEPS };
static const char *const step_name[STEPS] = {"read",  "jets",   "image", "train",
                                             "label", "select", "score"};

/* What the jet step found of one event of a batch; constituents lie in `chosen`. */
struct found {
    enum drop_reason reason;
    struct dijet dijet;
};

/* Jets one behind the other, ready for training. */
struct jets {
    size_t n;
    size_t jet_room;
    size_t lit_room;
    uint64_t *offset;
    uint16_t *pixel;
    float *value;
};

struct pipeline {
    struct analysis analysis;
    struct mass_bins bins;
    double seconds[STEPS];
    uint64_t events;
    uint64_t jets;
    /* of the batch at hand */
    jet_finder *finder;
    image_maker *maker;
    struct found *found; /* [batch] */
    uint32_t *chosen;    /* constituents of all its jets */
    size_t chosen_room;
    struct image_columns columns;
    /* of all batches: the images of events inside the spectrum, and of those trained on */
    struct image_columns *kept; /* [batches] */
    size_t batches;
    struct jets training;
    /* right of the images */
    smearing *smear;
    model **model;       /* [ensemble] */
    uint64_t *counts;    /* [ensemble][clusters][bins] */
    uint64_t *signal;    /* likewise */
    double *z;           /* [clusters][bins] of the member at hand, as the next */
    uint8_t *rich_label; /* [clusters] */
    uint64_t *rich;      /* [ensemble][bins] */
    uint64_t *depleted;  /* [bins] */
    double *background;  /* [ensemble][bins] */
    double *mls;         /* [ensemble] */
    uint64_t *offset;    /* [2 batch + 1] of the batch at hand, as the next */
    uint16_t *label;     /* [ensemble][2 batch] */
    int32_t *bin;        /* [batch] */
};

/* Core seconds of this process: other processes on the machine do not count. */
static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void reserve(struct jets *self, size_t jets, size_t lit)
{
    if (jets > self->jet_room) {
        self->jet_room = 2 * jets;
        self->offset = must(realloc(self->offset, (2 * jets + 1) * sizeof *self->offset));
    }
    if (lit > self->lit_room) {
        self->lit_room = 2 * lit;
        self->pixel = must(realloc(self->pixel, 2 * lit * sizeof *self->pixel));
        self->value = must(realloc(self->value, 2 * lit * sizeof *self->value));
    }
}

/* --- left of the log: read, jets, image ---------------------------------------------------- */

/* As jet_image does for every jet. */
static void find_subjettiness(struct pipeline *self, size_t jet)
{
    double tau[3];
    jet_finder_subjettiness(self->finder, jet, tau);
}

/* The finder's constituents hold until its next call only. */
static size_t keep_constituents(struct pipeline *self, struct jet *jet, size_t at)
{
    memcpy(self->chosen + at, jet->constituent, jet->n * sizeof *jet->constituent);
    jet->constituent = self->chosen + at;
    return at + jet->n;
}

static void find_jets(struct pipeline *self, const struct event_batch *batch)
{
    size_t at = 0;
    for (uint32_t e = 0; e < batch->events; e++) {
        struct found *found = &self->found[e];
        const uint32_t first = batch->offset[e];
        const uint32_t n = batch->offset[e + 1] - first;
        found->reason =
            n > EVENT_PARTICLES_MAX
                ? DROP_TOO_MANY
                : jet_finder_find(self->finder, n, batch->pt + first, batch->eta + first,
                                  batch->phi + first, &found->dijet);
        for (size_t j = 0; found->reason == DROP_REASONS && j < 2; j++) {
            find_subjettiness(self, j);
            at = keep_constituents(self, &found->dijet.jet[j], at);
        }
    }
}

static void make_images(struct pipeline *self, const struct event_batch *batch)
{
    struct image_columns *to = &self->columns;
    check(image_columns_reset(to, batch->events, 2 * batch->events * IMAGE_CONSTITUENTS_MAX));
    for (uint32_t e = 0; e < batch->events; e++) {
        const struct found *found = &self->found[e];
        size_t lit = 1;
        for (size_t j = 0; found->reason == DROP_REASONS && lit > 0 && j < 2; j++) {
            const struct jet *jet = &found->dijet.jet[j];
            const uint32_t first = batch->offset[e];
            const size_t index = 2 * (size_t)to->events + j;
            const uint32_t at = to->offset[index];
            lit = image_make(self->maker, jet->n, jet->constituent, batch->pt + first,
                             batch->eta + first, batch->phi + first, to->pixel + at,
                             to->intensity + at);
            to->offset[index + 1] = at + (uint32_t)lit;
        }
        if (found->reason != DROP_REASONS || lit == 0)
            continue;
        to->m_jj[to->events] = (float)found->dijet.m_jj;
        to->label[to->events] = batch->label != NULL ? batch->label[e] : (int8_t)-1;
        to->events++;
    }
}

/* Powers of one jet, as the trainer keeps them. */
static void add_jet(struct pipeline *self, const struct image_batch *from, uint32_t j)
{
    struct jets *to = &self->training;
    const uint32_t first = from->offset[j];
    const uint32_t lit = from->offset[j + 1] - first;
    const uint64_t at = to->n > 0 ? to->offset[to->n] : 0;
    reserve(to, to->n + 1, at + lit);
    to->offset[to->n] = at;
    to->offset[++to->n] = at + lit;
    memcpy(to->pixel + at, from->pixel + first, lit * sizeof *to->pixel);
    image_to_power(lit, from->intensity + first, self->analysis.image.power, to->value + at);
}

static bool within(const double window[2], float mass)
{
    return (double)mass >= window[0] && (double)mass < window[1];
}

static void add_training(struct pipeline *self, const struct image_batch *batch)
{
    const uint64_t wanted = self->analysis.training.events;
    for (uint32_t e = 0; e < batch->events; e++) {
        if (!within(self->analysis.training.window, batch->m_jj[e]) ||
            (wanted > 0 && self->training.n / 2 >= wanted))
            continue;
        add_jet(self, batch, 2 * e);
        add_jet(self, batch, 2 * e + 1);
    }
}

static void keep_images(struct pipeline *self, struct image_batch *batch)
{
    struct image_batch inside;
    image_columns_view(&self->columns, 1, batch);
    if (self->batches % 1024 == 0)
        self->kept = must(realloc(self->kept, (self->batches + 1024) * sizeof *self->kept));
    struct image_columns *kept = &self->kept[self->batches++];
    *kept = (struct image_columns){0};
    check(image_columns_filter(kept, batch, self->analysis.spectra.window, &inside));
}

static double end_step(struct pipeline *self, enum step step, double start)
{
    const double end = now();
    self->seconds[step] += end - start;
    return end;
}

static void take_batch(struct pipeline *self, event_file *file, uint64_t first, uint32_t n)
{
    struct event_batch events;
    struct image_batch images = {.read = n};
    double start = now();
    check(event_file_read(file, first, n, &events));
    start = end_step(self, READ, start);
    if (events.particles > self->chosen_room) {
        self->chosen_room = 2 * (size_t)events.particles;
        self->chosen = must(realloc(self->chosen, self->chosen_room * sizeof *self->chosen));
    }
    find_jets(self, &events);
    start = end_step(self, JETS, start);
    make_images(self, &events);
    end_step(self, IMAGE, start);
    keep_images(self, &images);
    start = now();
    add_training(self, &images);
    end_step(self, TRAIN, start);
    self->events += n;
}

static void take_file(struct pipeline *self, const char *path)
{
    event_file *file = NULL;
    double start = now();
    check(event_file_open(&file, path, NULL));
    end_step(self, READ, start);
    const uint64_t events = event_file_events(file);
    const uint32_t batch = self->analysis.stream.batch;
    for (uint64_t first = 0; first < events; first += batch)
        take_batch(self, file, first, events - first < batch ? (uint32_t)(events - first) : batch);
    event_file_close(&file);
}

/* --- right of the log: train, label, select, score ----------------------------------------- */

static void train(struct pipeline *self)
{
    const size_t pixels = (size_t)self->analysis.image.pixels * self->analysis.image.pixels;
    const struct jets *set = &self->training;
    const struct sparse_images images = {set->n, set->offset, set->pixel, set->value};
    float *centres = must(malloc(self->analysis.training.clusters * pixels * sizeof *centres));
    double *norm2 = must(malloc((images.n + 1) * sizeof *norm2));
    const double start = now();
    kmeans_norms(self->smear, &images, norm2);
    for (uint32_t m = 0; m < self->analysis.training.ensemble; m++) {
        const struct kmeans_settings settings = {.clusters = self->analysis.training.clusters,
                                                 .batch = self->analysis.training.batch,
                                                 .seed = self->analysis.training.seed,
                                                 .member = m};
        struct kmeans_result result;
        check(kmeans_train(&settings, self->smear, &images, norm2, centres, &result));
        check(model_create_nearest(&self->model[m], settings.clusters, centres, self->smear));
    }
    end_step(self, TRAIN, start);
    free(centres);
    free(norm2);
}

static size_t cells_per_member(const struct pipeline *self)
{
    return (size_t)self->analysis.training.clusters * self->bins.n;
}

static void label_batch(struct pipeline *self, const struct image_columns *kept)
{
    struct image_batch batch = {0};
    image_columns_view(kept, 1, &batch);
    const uint32_t members = self->analysis.training.ensemble;
    const double start = now();
    for (uint32_t j = 0; j <= 2 * batch.events; j++)
        self->offset[j] = batch.offset[j];
    for (uint32_t e = 0; e < batch.events; e++)
        self->bin[e] = mass_bins_find(&self->bins, (double)batch.m_jj[e]);
    const struct sparse_images images = {.n = 2 * (size_t)batch.events,
                                         .offset = self->offset,
                                         .pixel = batch.pixel,
                                         .value = batch.intensity};
    models_label_fractions(members, self->model, self->analysis.image.power, &images, self->label);
    for (uint32_t m = 0; m < members; m++) {
        const size_t cell = m * cells_per_member(self);
        spectra_add(batch.events, self->label + m * images.n, self->bin, batch.label, self->bins.n,
                    self->counts + cell, self->signal + cell);
    }
    end_step(self, LABEL, start);
    self->jets += images.n;
}

static void select_and_score(struct pipeline *self)
{
    const struct analysis *analysis = &self->analysis;
    const double fraction = analysis->selection.outlier_fraction;
    const double given = analysis->selection.sd_factor;
    const struct selection_settings settings = {fraction, analysis->selection.threshold,
                                                given > 0 ? given : robust_sd_factor(fraction)};
    int32_t bin;
    double start = now();
    for (uint32_t m = 0; m < analysis->training.ensemble; m++)
        check(select_clusters(&settings, analysis->training.clusters, self->bins.n,
                              self->counts + m * cells_per_member(self), self->z, self->rich_label,
                              self->rich + (size_t)m * self->bins.n, self->depleted,
                              self->background + (size_t)m * self->bins.n));
    start = end_step(self, SELECT, start);
    for (uint32_t m = 0; m < analysis->training.ensemble; m++)
        self->mls[m] =
            max_local_significance(self->bins.n, self->rich + (size_t)m * self->bins.n,
                                   self->depleted, self->background + (size_t)m * self->bins.n,
                                   analysis->score.approximation, analysis->score.deviation, &bin);
    end_step(self, SCORE, start);
}

/* As the stages do: what is made of the counts is made after every slice. */
static void take_slices(struct pipeline *self)
{
    for (size_t b = 0; b < self->batches; b++) {
        label_batch(self, &self->kept[b]);
        if ((b + 1) % self->analysis.stream.slice == 0 || b + 1 == self->batches)
            select_and_score(self);
    }
}

/* --- the whole ----------------------------------------------------------------------------- */

static void take_analysis(struct pipeline *self, const char *results)
{
    struct result_summary summary;
    json_t *block = NULL;
    check(result_summary_read(&summary, results));
    check(analysis_block_from_yaml(&block, results, summary.analysis));
    check(analysis_from_json(&self->analysis, block));
    json_decref(block);
    result_summary_fini(&summary);
}

static void prepare(struct pipeline *self)
{
    const struct analysis *analysis = &self->analysis;
    const size_t members = analysis->training.ensemble;
    self->bins = (struct mass_bins){analysis->spectra.window[0], analysis->spectra.window[1],
                                    analysis->spectra.bins};
    check(jet_finder_create(&self->finder, analysis->jets.engine, analysis->jets.radius,
                            analysis->jets.pt_min));
    check(image_maker_create(&self->maker, analysis->image.pixels, analysis->image.half_width));
    check(smearing_create(&self->smear, analysis->image.pixels, analysis->image.smear));
    self->found = must(calloc(analysis->stream.batch, sizeof *self->found));
    self->offset = must(calloc(2 * (size_t)analysis->stream.batch + 1, sizeof *self->offset));
    self->label = must(calloc(members * 2 * analysis->stream.batch, sizeof *self->label));
    self->bin = must(calloc(analysis->stream.batch, sizeof *self->bin));
    self->model = must(calloc(members, sizeof(model *)));
    self->counts = must(calloc(members * cells_per_member(self), sizeof *self->counts));
    self->signal = must(calloc(members * cells_per_member(self), sizeof *self->signal));
    self->z = must(calloc(cells_per_member(self), sizeof *self->z));
    self->rich_label = must(calloc(analysis->training.clusters, 1));
    self->rich = must(calloc(members * self->bins.n, sizeof *self->rich));
    self->depleted = must(calloc(self->bins.n, sizeof *self->depleted));
    self->background = must(calloc(members * self->bins.n, sizeof *self->background));
    self->mls = must(calloc(members, sizeof *self->mls));
    reserve(&self->training, 1, 1);
    self->training.offset[0] = 0;
}

/* Whether dataset `name` of the run's result has exactly these bytes. */
static bool same(hid_t file, const char *path, const char *name, enum hdf5_element element,
                 hsize_t n, const void *ours)
{
    void *theirs;
    hsize_t dims[3] = {HDF5_ANY, HDF5_ANY, HDF5_ANY};
    const int rank = element == HDF5_U64 ? 3 : 1;
    check(hdf5_read(file, path, name, element, rank, dims, &theirs));
    hsize_t found = 1;
    for (int i = 0; i < rank; i++)
        found *= dims[i];
    const bool equal =
        found == n && memcmp(ours, theirs, (size_t)n * hdf5_element_size(element)) == 0;
    free(theirs);
    if (!equal)
        log_error("%s: %s is not what these events give", path, name);
    return equal;
}

static bool same_as_run(const struct pipeline *self, const char *path)
{
    hid_t file;
    const hsize_t members = self->analysis.training.ensemble;
    check(hdf5_open(&file, path));
    const bool counts = same(file, path, "spectra/counts", HDF5_U64,
                             members * cells_per_member(self), self->counts);
    const bool scores = same(file, path, "score/mls", HDF5_F64, members, self->mls);
    H5Fclose(file);
    return counts && scores;
}

static void print(const struct pipeline *self)
{
    printf("{\"events\": %llu, \"jets\": %llu, \"training_jets\": %zu, \"seconds\": {",
           (unsigned long long)self->events, (unsigned long long)self->jets, self->training.n);
    for (enum step step = 0; step < STEPS; step++)
        printf("%s\"%s\": %.6f", step > 0 ? ", " : "", step_name[step], self->seconds[step]);
    printf("}}\n");
}

static int print_about(void)
{
    static const char *const path[] = {[INSTRUCTION_SET_PLAIN] = "plain",
                                       [INSTRUCTION_SET_AVX2] = "avx2",
                                       [INSTRUCTION_SET_AVX512] = "avx512"};
    printf("{\"clusterscan\": \"" CLUSTERSCAN_VERSION "\", \"compiler\": \"" COMPILER
           "\", \"path\": \"%s\"}\n",
           path[instruction_set_best()]);
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    static struct pipeline self;
    log_init("bench_pipeline", LOG_INFO);
    if (argc == 2 && strcmp(argv[1], "--about") == 0)
        return print_about();
    if (argc < 3) {
        fputs("Usage: bench_pipeline RESULTS FILE... | --about\n", stderr);
        return EXIT_BAD_INPUT;
    }
    hdf5_silence();
    take_analysis(&self, argv[1]);
    prepare(&self);
    for (int i = 2; i < argc; i++)
        take_file(&self, argv[i]);
    train(&self);
    take_slices(&self);
    print(&self);
    return same_as_run(&self, argv[1]) ? EXIT_DONE : EXIT_RUN_FAILED;
}
