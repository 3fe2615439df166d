/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels: our side of the benchmarks. Loads the jets of a sealed log and the centres of a result,
 * then answers one command a line on standard input with one line of JSON:
 *   label JETS MODELS   labels the first JETS jets of the spectrum with MODELS models
 *   image_label JETS   labels of one model, straight from the fractions
 *   composition TOYS FILE  toys of the composition scan on all cores; labels into FILE
 *   fits N       four-parameter fits
 *   train SEED         one training on the jets of the training window
 *   cs_run SEED        train, label and count all jets of the spectrum, select, score
 *   read FILE          reads all events of a file, batch by batch
 * Times are of the named work alone, in seconds, one thread. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/parallel.h"
#include "common/base/random.h"
#include "common/kernels/clustering/kmeans.h"
#include "common/kernels/clustering/model.h"
#include "common/kernels/image/power.h"
#include "common/kernels/statistics/cluster_selection.h"
#include "common/kernels/statistics/composition.h"
#include "common/kernels/statistics/dijet_fit.h"
#include "common/kernels/statistics/mass_bins.h"
#include "common/kernels/statistics/robust.h"
#include "common/kernels/statistics/significance.h"
#include "common/kernels/statistics/spectra.h"
#include "common/store/disk/hdf5_util.h"
#include "common/store/events/event_file.h"
#include "common/store/log/segment.h"
#include "tools/benchmarks/harness.h"

enum { SIDE = 40, BATCH = 512 };

/* Jets of events with m_jj in a window, one behind the other. */
struct jets {
    size_t n;
    size_t lit;
    uint64_t *offset;
    uint16_t *pixel;
    float *intensity;
    float *value; /* power applied */
    int32_t *bin; /* per event */
};

struct bench {
    struct jets spectrum; /* [3000, 4600) GeV */
    struct jets training; /* [3000, 3100) GeV */
    smearing *smear;
    size_t members;
    size_t clusters;
    model **model;
    uint16_t *label;
    double *norm2;
    float *centres;
};

static const struct mass_bins bins = {3000, 4600, 16};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void add_event(struct jets *to, const struct image_batch *from, uint32_t e)
{
    const uint32_t first = from->offset[2 * e];
    const uint32_t lit = from->offset[2 * e + 2] - first;
    to->offset = must(realloc(to->offset, (to->n + 3) * sizeof *to->offset));
    to->pixel = must(realloc(to->pixel, (to->lit + lit) * sizeof *to->pixel));
    to->intensity = must(realloc(to->intensity, (to->lit + lit) * sizeof *to->intensity));
    to->bin = must(realloc(to->bin, (to->n / 2 + 1) * sizeof *to->bin));
    to->offset[to->n] = to->lit;
    to->offset[to->n + 1] = to->lit + from->offset[2 * e + 1] - first;
    to->offset[to->n + 2] = to->lit + lit;
    to->bin[to->n / 2] = mass_bins_find(&bins, (double)from->m_jj[e]);
    memcpy(to->pixel + to->lit, from->pixel + first, lit * sizeof *to->pixel);
    memcpy(to->intensity + to->lit, from->intensity + first, lit * sizeof *to->intensity);
    to->n += 2;
    to->lit += lit;
}

static void add_batch(struct bench *self, const struct image_batch *batch)
{
    for (uint32_t e = 0; e < batch->events; e++) {
        if (batch->m_jj[e] >= 3000 && batch->m_jj[e] < 4600)
            add_event(&self->spectrum, batch, e);
        if (batch->m_jj[e] >= 3000 && batch->m_jj[e] < 3100)
            add_event(&self->training, batch, e);
    }
}

static void apply_power(struct jets *jets)
{
    for (size_t j = 0; j < jets->n; j++) {
        const uint64_t first = jets->offset[j];
        image_to_power(jets->offset[j + 1] - first, jets->intensity + first, 0.5,
                       jets->value + first);
    }
}

static struct sparse_images images_of(const struct jets *jets, size_t n)
{
    return (struct sparse_images){n < jets->n ? n : jets->n, jets->offset, jets->pixel,
                                  jets->value};
}

static struct sparse_images fractions_of(const struct jets *jets, size_t n)
{
    return (struct sparse_images){n < jets->n ? n : jets->n, jets->offset, jets->pixel,
                                  jets->intensity};
}

static void load_segments(struct bench *self, const char *folder)
{
    for (size_t i = 0;; i++) {
        char path[4096];
        segment *from = NULL;
        snprintf(path, sizeof path, "%.4000s/segment-%06zu.h5", folder, i);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            break;
        fclose(file);
        check(segment_open(&from, path));
        for (size_t b = 0; b < segment_batches(from); b++) {
            struct segment_batch batch;
            segment_get(from, b, &batch);
            add_batch(self, &batch.images);
        }
        segment_close(&from);
    }
    struct jets *const all[] = {&self->spectrum, &self->training};
    for (size_t i = 0; i < 2; i++) {
        all[i]->value = must(malloc(all[i]->lit * sizeof *all[i]->value));
        apply_power(all[i]);
    }
}

static void load_centres(struct bench *self, const char *path)
{
    hid_t file;
    void *centres;
    hsize_t dims[3] = {HDF5_ANY, HDF5_ANY, SIDE * SIDE};
    check(hdf5_open(&file, path));
    check(hdf5_read(file, path, "codebook/centres", HDF5_F32, 3, dims, &centres));
    H5Fclose(file);
    self->members = dims[0];
    self->clusters = dims[1];
    self->centres = centres;
    self->model = must(calloc(self->members, sizeof(model *)));
    for (size_t m = 0; m < self->members; m++)
        check(model_create_nearest(&self->model[m], self->clusters,
                                   self->centres + m * self->clusters * SIDE * SIDE, self->smear));
}

static void label(struct bench *self, size_t jets, size_t count)
{
    const struct sparse_images images = images_of(&self->spectrum, jets);
    const size_t some = count < self->members ? count : self->members;
    const double start = now();
    models_label(some, self->model, &images, self->label);
    printf("{\"seconds\": %.9f, \"jets\": %zu}\n", now() - start, images.n);
}

static void image_label(struct bench *self, size_t jets)
{
    const struct sparse_images images = fractions_of(&self->spectrum, jets);
    const double start = now();
    models_label_fractions(1, self->model, 0.5, &images, self->label);
    printf("{\"seconds\": %.9f, \"jets\": %zu}\n", now() - start, images.n);
}

static struct kmeans_result train_once(struct bench *self, uint64_t seed, float centres[])
{
    const struct kmeans_settings settings = {
        .clusters = self->clusters, .batch = 2048, .seed = seed};
    const struct sparse_images images = images_of(&self->training, self->training.n);
    struct kmeans_result result;
    kmeans_norms(self->smear, &images, self->norm2);
    check(kmeans_train(&settings, self->smear, &images, self->norm2, centres, &result));
    return result;
}

static void train(struct bench *self, uint64_t seed)
{
    float *centres = must(malloc(self->clusters * SIDE * SIDE * sizeof *centres));
    const double start = now();
    const struct kmeans_result result = train_once(self, seed, centres);
    printf("{\"seconds\": %.9f, \"jets\": %zu, \"steps\": %llu, \"inertia\": %.17g}\n",
           now() - start, self->training.n, (unsigned long long)result.steps, result.inertia);
    free(centres);
}

static void cs_run(struct bench *self, uint64_t seed)
{
    const size_t cells = self->clusters * bins.n;
    float *centres = must(malloc(self->clusters * SIDE * SIDE * sizeof *centres));
    uint64_t *counts = must(calloc(2 * cells, sizeof *counts));
    double *z = must(calloc(cells, sizeof *z));
    uint8_t *rich_label = must(calloc(self->clusters, 1));
    uint64_t rich[16];
    uint64_t depleted[16];
    double background[16];
    int32_t bin;
    model *fitted = NULL;
    const struct selection_settings settings = {0.2, 3.0, robust_sd_factor(0.2)};
    const double start = now();
    train_once(self, seed, centres);
    check(model_create_nearest(&fitted, self->clusters, centres, self->smear));
    const struct sparse_images images = fractions_of(&self->spectrum, self->spectrum.n);
    models_label_fractions(1, &fitted, 0.5, &images, self->label);
    spectra_add(images.n / 2, self->label, self->spectrum.bin, NULL, bins.n, counts,
                counts + cells);
    check(select_clusters(&settings, self->clusters, bins.n, counts, z, rich_label, rich, depleted,
                          background));
    const double mls =
        max_local_significance(bins.n, rich, depleted, background, MLS_POISSON, MLS_POSITIVE, &bin);
    printf("{\"seconds\": %.9f, \"jets\": %zu, \"mls\": %.9f}\n", now() - start, images.n, mls);
    model_destroy(&fitted);
    free(centres);
    free(counts);
    free(z);
    free(rich_label);
}

/* The labels of all events by all members, [member][2n], and their bins, for the peer too. */
static void write_labels(const struct bench *self, const char *path)
{
    FILE *file = fopen(path, "wb");
    const size_t jets = self->spectrum.n;
    check(file != NULL ? STATUS_OK : STATUS_IO);
    for (size_t m = 0; m < self->members; m++)
        check(fwrite(self->label + m * jets, sizeof *self->label, jets, file) == jets ? STATUS_OK
                                                                                      : STATUS_IO);
    check(fwrite(self->spectrum.bin, sizeof *self->spectrum.bin, jets / 2, file) == jets / 2
              ? STATUS_OK
              : STATUS_IO);
    check(fclose(file) == 0 ? STATUS_OK : STATUS_IO);
}

struct toys {
    const composition *scan;
    size_t n, threads;
    composition_scratch **scratch;
    double *t; /* [threads][windows] */
};

static void make_toys(void *context, size_t thread)
{
    struct toys *toys = context;
    double *t = toys->t + thread * composition_windows(toys->scan);
    for (size_t toy = thread; toy < toys->n; toy += toys->threads)
        composition_toy(toys->scan, toys->scratch[thread], 1, toy, t);
}

/* The composition scan of all events: so many toys on all cores. */
static void scan_toys(struct bench *self, size_t n, const char *path)
{
    composition *scan;
    const struct sparse_images images = fractions_of(&self->spectrum, self->spectrum.n);
    models_label_fractions(self->members, self->model, 0.5, &images, self->label);
    write_labels(self, path);
    check(composition_create(&scan, &composition_defaults, (uint32_t)self->members,
                             (uint32_t)self->clusters, bins.n));
    check(composition_add(scan, images.n / 2, self->spectrum.bin, self->label));
    check(composition_prepare(scan, composition_events(scan)));
    struct toys toys = {.scan = scan, .n = n, .threads = parallel_cores()};
    toys.scratch = must(calloc(toys.threads, sizeof *toys.scratch));
    toys.t = must(calloc(toys.threads * composition_windows(scan), sizeof *toys.t));
    for (size_t i = 0; i < toys.threads; i++)
        check(composition_scratch_create(&toys.scratch[i], scan));
    const double start = now();
    parallel_run(toys.threads, make_toys, &toys);
    printf("{\"seconds\": %.9f, \"events\": %zu, \"members\": %zu}\n", now() - start, images.n / 2,
           self->members);
    for (size_t i = 0; i < toys.threads; i++)
        composition_scratch_destroy(&toys.scratch[i]);
    free(toys.scratch);
    free(toys.t);
    composition_destroy(&scan);
}

/* Fits of four parameters to fluctuations of the spectrum of all events. */
static void fit_spectra(const struct bench *self, size_t n)
{
    struct dijet_basis basis;
    struct dijet_fit fit;
    struct random_state random;
    double variance[16] = {0}, counts[16], chi2 = 0;
    for (size_t e = 0; e < self->spectrum.n / 2; e++)
        variance[self->spectrum.bin[e]]++;
    check(dijet_basis_make(&basis, &bins, 13000, 4));
    random_init(&random, 1, 2, 3);
    const double start = now();
    for (size_t i = 0; i < n; i++) {
        for (uint32_t b = 0; b < bins.n; b++)
            counts[b] = variance[b] + sqrt(variance[b]) * random_gaussian(&random);
        dijet_fit(&basis, counts, variance, &fit);
        chi2 += fit.chi2;
    }
    printf("{\"seconds\": %.9f, \"chi2\": %.9f}\n", now() - start, chi2 / (double)n);
}

static void read_file(const char *path)
{
    event_file *file = NULL;
    struct event_batch batch;
    uint64_t particles = 0;
    const double start = now();
    check(event_file_open(&file, path, NULL));
    const uint64_t events = event_file_events(file);
    for (uint64_t first = 0; first < events; first += BATCH) {
        const uint64_t left = events - first;
        check(event_file_read(file, first, left < BATCH ? (uint32_t)left : BATCH, &batch));
        particles += batch.particles;
    }
    event_file_close(&file);
    printf("{\"seconds\": %.9f, \"events\": %llu, \"particles\": %llu}\n", now() - start,
           (unsigned long long)events, (unsigned long long)particles);
}

static void answer(struct bench *self, char *line)
{
    size_t a = 0;
    size_t b = 0;
    char path[4001];
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "label %zu %zu", &a, &b) == 2)
        label(self, a, b);
    else if (sscanf(line, "image_label %zu", &a) == 1)
        image_label(self, a);
    else if (sscanf(line, "train %zu", &a) == 1)
        train(self, a);
    else if (sscanf(line, "cs_run %zu", &a) == 1)
        cs_run(self, a);
    else if (sscanf(line, "composition %zu %4000s", &a, path) == 2)
        scan_toys(self, a, path);
    else if (sscanf(line, "fits %zu", &a) == 1)
        fit_spectra(self, a);
    else if (strncmp(line, "read ", 5) == 0)
        read_file(line + 5);
    else
        printf("{\"error\": \"no such command\"}\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct bench self = {0};
    char line[4200];
    log_init("bench_kernels", LOG_INFO);
    if (argc != 3) {
        fputs("Usage: bench_kernels STATE_FOLDER RESULTS\n", stderr);
        return EXIT_BAD_INPUT;
    }
    hdf5_silence();
    check(smearing_create(&self.smear, SIDE, 1.0));
    load_segments(&self, argv[1]);
    load_centres(&self, argv[2]);
    self.label = must(malloc((self.members * self.spectrum.n + 1) * sizeof *self.label));
    self.norm2 = must(malloc((self.training.n + 1) * sizeof *self.norm2));
    while (fgets(line, sizeof line, stdin) != NULL)
        answer(&self, line);
    return EXIT_DONE;
}
