/* SPDX-License-Identifier: GPL-3.0-or-later */
/* composition: the composition scan. A resonance changes what a mass window is made of: classes of
 * events, here the unordered pairs of the clusters of their two jets, become more frequent in it
 * than their trend with mass predicts (docs/physics.md, section 12).
 *
 * In a window of bins the number n of events of a class is compared with
 *     e = max(prediction, least_share x average share x W, floor),
 * the prediction being a line fitted to the share of the class against mass over all bins outside
 * the window (weights: events), summed over the window; W the events in it, and the average share
 * that over all bins. Twice the Poisson log likelihood ratio of an excess,
 *     d = 2 (n ln(n/e) - (n - e)) W / (W + tau) where n > e, else 0,
 * is damped by the variance tau of the prediction in events. Most classes carry nothing: with the
 * prior probability `prior` of an excess of width t,
 *     T = sum over classes of ln(1 + prior/(1 - prior) exp(h d)/sqrt(1 + t^2)),
 *     h = t^2 / (2 (1 + t^2)),
 * averaged over the members. With jets in place of pairs the classes are the clusters of single
 * jets, and T = sum of d.
 *
 * A toy moves the same events, with their labels, between bins (mass_flow.h); its counts are scaled
 * back to the events of each bin. */
#ifndef COMMON_KERNELS_STATISTICS_COMPOSITION_H
#define COMMON_KERNELS_STATISTICS_COMPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

enum composition_classes { COMPOSITION_PAIRS, COMPOSITION_JETS };

struct composition_settings {
    enum composition_classes classes;
    uint32_t narrowest; /* bins of a window */
    uint32_t widest;    /* likewise */
    uint32_t pooled;    /* pairs with fewer events than this are one class together */
    double prior;
    double width; /* t */
    double least_share;
    double floor; /* events */
};
/* Pairs; windows of 2 to 4 bins; 16; 0.02; 4; 0.1; 0.05. */
extern const struct composition_settings composition_defaults;

enum { COMPOSITION_CLUSTERS_MAX = 361, COMPOSITION_BINS_MAX = 256, COMPOSITION_OUTSIDE_MIN = 3 };

/* Whether so many clusters and bins can be scanned with these settings; why[size]: the reason if
 * not. */
bool composition_fits(const struct composition_settings *settings, uint32_t clusters, uint32_t bins,
                      size_t size, char why[]);

/* A window that is searched: bins first to first + bins - 1. */
struct composition_window {
    uint32_t first;
    uint32_t bins;
};

typedef struct composition composition;

/* An empty scan of at most COMPOSITION_CLUSTERS_MAX clusters and COMPOSITION_BINS_MAX bins.
 * STATUS_NO_MEMORY. */
MUST_CHECK status composition_create(composition **out, const struct composition_settings *settings,
                                     uint32_t members, uint32_t clusters, uint32_t bins);
void composition_destroy(composition **self);

/* Adds those of n events that lie in a mass bin: bin[n] (-1: none), and the labels of jets
 * 2e and 2e + 1 of event e by member m in label[m 2n + 2e] and the next (models_label). Two bytes
 * per event and member are kept. STATUS_NO_MEMORY, changing nothing. */
MUST_CHECK status composition_add(composition *self, size_t n, const int32_t bin[],
                                  const uint16_t label[]);
uint64_t composition_events(const composition *self);

/* Makes classes, windows and flows of the first n events; to be called before the functions below,
 * which are about those events then, also after composition_add. A window is searched if it holds
 * events and at least COMPOSITION_OUTSIDE_MIN bins outside it do. STATUS_BAD_SHAPE if there is no
 * such window; STATUS_NO_MEMORY. */
MUST_CHECK status composition_prepare(composition *self, size_t n);
size_t composition_windows(const composition *self);
struct composition_window composition_window(const composition *self, size_t i);
/* Classes of a member, the pooled one included. */
size_t composition_classes_of(const composition *self, uint32_t member);
/* The probability that an event of bin `from` goes to bin `to` in a toy. */
double composition_flow(const composition *self, uint32_t from, uint32_t to);

/* Memory for one thread that computes statistics; of a prepared scan, until it is prepared again.
 */
typedef struct composition_scratch composition_scratch;
MUST_CHECK status composition_scratch_create(composition_scratch **out, const composition *self);
void composition_scratch_destroy(composition_scratch **self);

/* T of every window, [composition_windows()], of the events as they are. */
void composition_observed(const composition *self, composition_scratch *scratch, double t[]);
/* The same of toy number `toy`, a function of (seed, toy) alone. */
void composition_toy(const composition *self, composition_scratch *scratch, uint64_t seed,
                     uint64_t toy, double t[]);

#endif
