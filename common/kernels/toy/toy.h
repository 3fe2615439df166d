/* SPDX-License-Identifier: GPL-3.0-or-later */
/* toy: made-up collider events, for trying the search without real data.
 * Background: two QCD-like showers back to back with a falling dijet mass spectrum. Signal: a
 * narrow resonance to two jets of two prongs each, as Z' -> X Y with X -> qq, Y -> qq in the
 * LHC Olympics R&D data (3500, 500 and 100 GeV). Not physics: shapes only. */
#ifndef COMMON_KERNELS_TOY_TOY_H
#define COMMON_KERNELS_TOY_TOY_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/records/event_batch.h"

enum { TOY_PARTICLES_MAX = EVENT_TABLE_PARTICLES };

struct toy_settings {
    double mass_min;        /* GeV, lowest dijet mass of the background */
    double mass_max;        /* GeV */
    double resonance_mass;  /* GeV, of Z' */
    double prong_mass[2];   /* GeV, of X and Y */
    double resonance_width; /* standard deviation as a share of resonance_mass, 0 to 0.2 */
};
extern const struct toy_settings toy_defaults;

typedef struct toy toy;

/* settings are copied. */
MUST_CHECK status toy_create(toy **out, const struct toy_settings *settings, uint64_t seed);
void toy_destroy(toy **self);
/* Event number `event` of this seed, background (0) or signal (1): the same whatever was made
 * before. pt, eta, phi have room for TOY_PARTICLES_MAX; returns how many were written, in no
 * useful order, phi in [0, 2 pi). Allocates nothing. */
size_t toy_event(toy *self, uint64_t event, int signal, float pt[], float eta[], float phi[]);

#endif
