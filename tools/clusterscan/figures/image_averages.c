/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A log is only read, without its lock: a sealed segment never changes. */
#include "tools/clusterscan/figures/image_averages.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/kernels/clustering/model.h"
#include "common/kernels/image/power.h"
#include "common/store/log/segment.h"

static bool inside(const double window[2], double m_jj)
{
    return m_jj >= window[0] && m_jj < window[1];
}

static void add_jet(struct image_averages *self, const struct image_batch *images, size_t jet,
                    enum picture_kind kind, double power)
{
    const uint32_t first = images->offset[jet], n = images->offset[jet + 1] - first;
    self->lit[kind != PICTURE_BACKGROUND][n]++;
    self->jets[kind]++;
    if (n == 0)
        return;
    image_to_power(n, images->intensity + first, power, self->scratch);
    for (uint32_t i = 0; i < n; i++)
        self->average[kind][images->pixel[first + i]] += (double)self->scratch[i];
}

static void add_event(struct image_averages *self, const struct image_batch *images, size_t event,
                      double power)
{
    const int8_t label = images->label != NULL ? images->label[event] : -1;
    const size_t jet = 2 * event;
    const bool second_heavier = images->mass[jet + 1] > images->mass[jet];
    self->unlabelled += label < 0;
    for (size_t j = 0; j < 2; j++) {
        enum picture_kind kind = PICTURE_BACKGROUND;
        if (label == 1)
            kind = (j == 1) == second_heavier ? PICTURE_HEAVIER : PICTURE_LIGHTER;
        add_jet(self, images, jet + j, kind, power);
    }
}

static void add_mass(struct image_averages *self, const struct image_batch *images, size_t event)
{
    const double bin = floor(((double)images->m_jj[event] - self->mass_low) / self->mass_width);
    const size_t at = bin < 0 ? 0 : bin < PICTURE_MASS_BINS ? (size_t)bin : PICTURE_MASS_BINS - 1;
    self->mass[images->label != NULL && images->label[event] == 1][at]++;
}

static status add_batch(struct image_averages *self, const struct image_batch *images,
                        const struct analysis *analysis, const char *path)
{
    const char *fault = image_batch_fault(images, analysis->image.pixels * analysis->image.pixels);
    if (fault != NULL) {
        log_error("%s: does not fit the result: %s", path, fault);
        return STATUS_BAD_INPUT;
    }
    self->read += images->read;
    for (size_t e = 0; e < images->events; e++)
        add_mass(self, images, e);
    for (size_t e = 0; e < images->events; e++)
        if (inside(analysis->spectra.window, (double)images->m_jj[e]))
            add_event(self, images, e, analysis->image.power);
    return STATUS_OK;
}

static status add_segment(struct image_averages *self, const char *path,
                          const struct analysis *analysis)
{
    segment *part;
    status done = segment_open(&part, path);
    for (size_t i = 0; done == STATUS_OK && i < segment_batches(part); i++) {
        struct segment_batch batch;
        segment_get(part, i, &batch);
        done = add_batch(self, &batch.images, analysis, path);
    }
    segment_close(&part);
    return done;
}

/* Sums of sparse images become averages of what was clustered; the smearing is linear. */
static status finish(struct image_averages *self, const struct analysis *analysis)
{
    smearing *smear;
    const size_t pixels = (size_t)analysis->image.pixels * analysis->image.pixels;
    double *sharp = malloc(pixels * sizeof *sharp);
    status done = sharp != NULL
                      ? smearing_create(&smear, analysis->image.pixels, analysis->image.smear)
                      : STATUS_NO_MEMORY;
    for (size_t k = 0; done == STATUS_OK && k < PICTURE_KINDS; k++) {
        const double jets = self->jets[k] > 0 ? (double)self->jets[k] : 1.0;
        for (size_t p = 0; p < pixels; p++)
            sharp[p] = self->average[k][p] / jets;
        smearing_once(smear, sharp, self->average[k]);
    }
    if (done == STATUS_OK)
        smearing_destroy(&smear);
    free(sharp);
    return done;
}

static status allocate(struct image_averages *self, size_t pixels)
{
    bool done = (self->scratch = malloc(pixels * sizeof *self->scratch)) != NULL;
    for (size_t k = 0; k < PICTURE_KINDS; k++)
        done = (self->average[k] = calloc(pixels, sizeof(double))) != NULL && done;
    for (size_t s = 0; s < 2; s++) {
        done = (self->lit[s] = calloc(pixels + 1, sizeof(uint64_t))) != NULL && done;
        done = (self->mass[s] = calloc(PICTURE_MASS_BINS, sizeof(uint64_t))) != NULL && done;
    }
    return done ? STATUS_OK : STATUS_NO_MEMORY;
}

static status add_folder(struct image_averages *self, const char *folder,
                         const struct analysis *analysis)
{
    status done = STATUS_OK;
    for (size_t i = 0; done == STATUS_OK; i++) {
        char *path;
        if (asprintf(&path, "%s/segment-%06zu.h5", folder, i) < 0)
            return STATUS_NO_MEMORY;
        done = access(path, F_OK) == 0 ? add_segment(self, path, analysis) : STATUS_END;
        free(path);
    }
    return done == STATUS_END ? STATUS_OK : done;
}

status image_averages_read(struct image_averages *out, size_t n, char *const folder[],
                           const struct analysis *analysis)
{
    const double low = analysis->spectra.window[0];
    const double width = (analysis->spectra.window[1] - low) / analysis->spectra.bins;
    *out =
        (struct image_averages){.mass_low = low - width * floor(low / width), .mass_width = width};
    status done = allocate(out, (size_t)analysis->image.pixels * analysis->image.pixels);
    for (size_t k = 0; k < n && done == STATUS_OK; k++)
        done = add_folder(out, folder[k], analysis);
    if (done == STATUS_OK)
        done = finish(out, analysis);
    if (done != STATUS_OK)
        image_averages_fini(out);
    return done;
}

void image_averages_fini(struct image_averages *self)
{
    for (size_t k = 0; k < PICTURE_KINDS; k++)
        free(self->average[k]);
    for (size_t s = 0; s < 2; s++) {
        free(self->lit[s]);
        free(self->mass[s]);
    }
    free(self->scratch);
    *self = (struct image_averages){0};
}
