/* SPDX-License-Identifier: GPL-3.0-or-later */
/* analysis: the physics of a run, the same for every stage (docs/design.md, section 4).
 * The schema table (schema.h) has each key's type, unit, range, default and help. */
#ifndef COMMON_TOPOLOGY_SCHEMA_ANALYSIS_H
#define COMMON_TOPOLOGY_SCHEMA_ANALYSIS_H

#include <jansson.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/jets/jets.h"
#include "common/kernels/statistics/significance.h"

struct analysis {
    struct {
        uint32_t batch; /* rows */
        uint32_t slice; /* batches */
    } stream;
    struct {
        double radius;
        double pt_min;          /* GeV */
        enum jet_engine engine; /* native, fastjet */
    } jets;                     /* algorithm: antikt is the only one */
    struct {
        uint32_t pixels;   /* per side */
        double half_width; /* in eta and phi */
        double power;
        double smear; /* pixels */
    } image;
    struct {
        double window[2]; /* GeV, half-open */
        uint32_t clusters;
        uint32_t batch; /* jets */
        uint32_t ensemble;
        uint64_t seed;
        uint64_t events; /* 0: all of the window, at the end of input */
    } training;
    struct {
        double window[2]; /* GeV, half-open */
        uint32_t bins;
    } spectra;
    struct {
        double outlier_fraction;
        double threshold;
        double sd_factor; /* 0: the exact one for outlier_fraction */
    } selection;
    struct {
        enum mls_approximation approximation; /* poisson, gaussian */
        enum mls_deviation deviation;         /* positive, absolute */
    } score;
};

/* The block as a JSON object, every key, schema order (for stages); a new reference, NULL when out
 * of memory. */
json_t *analysis_to_json(const struct analysis *self);
/* The part of it that decides about the images, {stream: {batch}, jets, image}, likewise. */
json_t *analysis_of_images(const struct analysis *self);
/* Back again. STATUS_BAD_INPUT with a log line if a key is missing, unknown or of a wrong type. */
MUST_CHECK status analysis_from_json(struct analysis *out, const json_t *block);
/* The canonical text: YAML, every key, schema order, two spaces of indent, numbers in the shortest
 * form that reads back to the same value. To be given to free; NULL when out of memory. */
char *analysis_to_yaml(const struct analysis *self);
/* Such a text as a JSON object, keys of other versions and all (analysis_from_json checks them);
 * name is what messages call it. STATUS_BAD_INPUT, written to standard error, if it is no YAML
 * mapping. *out is a new reference, NULL on failure. */
MUST_CHECK status analysis_block_from_yaml(json_t **out, const char *name, const char *text);

#endif
