/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/composition.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "common/kernels/statistics/mass_flow.h"

/* "composition": second key of the random numbers. */
static const uint64_t toy_key = UINT64_C(0x636f6d706f736974);

const struct composition_settings composition_defaults = {.classes = COMPOSITION_PAIRS,
                                                          .narrowest = 2,
                                                          .widest = 4,
                                                          .pooled = 16,
                                                          .prior = 0.02,
                                                          .width = 4,
                                                          .least_share = 0.1,
                                                          .floor = 0.05};

/* A window with what its predictions have in common: prediction = a S + b X, S the events of the
 * class outside the window and X the sum of their bin numbers. */
struct window {
    struct composition_window bins;
    double events; /* W */
    double a;
    double b;
    double damping; /* W / (W + tau) */
};

struct composition {
    struct composition_settings settings;
    uint32_t members;
    uint32_t clusters;
    uint32_t bins;
    uint32_t pairs; /* codes of unordered pairs */
    size_t events_added;
    size_t bin_room;
    uint8_t *bin;    /* [events_added] */
    uint16_t **code; /* [members][events_added] of the pair of labels */
    size_t *code_room;
    uint16_t *first;  /* [pairs] cluster of a code, the lower one ... */
    uint16_t *second; /* ... and the other */
    /* Made by composition_prepare. */
    size_t n;           /* events, the first of those added */
    uint64_t *events;   /* [bins] */
    uint16_t *class_of; /* [members][pairs] */
    uint32_t *classes;  /* [members] */
    struct window *window;
    size_t windows;
    mass_flow *flow;
};

/* A sum of logarithms as the logarithm of a product, which is taken when the product is large. */
struct log_sum {
    double product;
    double sum;
};

struct composition_scratch {
    uint8_t *moved;       /* [n] */
    uint32_t *counts;     /* [classes][bins] of one member */
    double *scaled;       /* [bins + 1] sums of scaled counts below a bin ... */
    double *moment;       /* ... and of these times the bin number */
    double *scale;        /* [bins] */
    struct log_sum *sums; /* [windows] */
    uint32_t *without;    /* [windows] classes without an excess */
};

bool composition_fits(const struct composition_settings *settings, uint32_t clusters, uint32_t bins,
                      size_t size, char why[])
{
    why[0] = '\0';
    if (clusters > COMPOSITION_CLUSTERS_MAX)
        snprintf(why, size,
                 "a composition scan takes at most %d clusters, not %u: its classes are pairs of "
                 "them",
                 COMPOSITION_CLUSTERS_MAX, clusters);
    else if (bins > COMPOSITION_BINS_MAX)
        snprintf(why, size, "a composition scan takes at most %d mass bins, not %u",
                 COMPOSITION_BINS_MAX, bins);
    else if (settings->widest < settings->narrowest)
        snprintf(why, size, "the widest window, %u bins, is below the narrowest, %u",
                 settings->widest, settings->narrowest);
    else if (settings->narrowest + COMPOSITION_OUTSIDE_MIN > bins)
        snprintf(why, size,
                 "windows of %u of %u mass bins leave fewer than %d outside to predict them from",
                 settings->narrowest, bins, COMPOSITION_OUTSIDE_MIN);
    return why[0] == '\0';
}

static uint16_t code_of(uint32_t a, uint32_t b)
{
    const uint32_t low = a < b ? a : b, high = a < b ? b : a;
    return (uint16_t)(high * (high + 1) / 2 + low);
}

static status allocate(composition *self)
{
    const size_t members = self->members, pairs = self->pairs;
    self->code = calloc(members, sizeof(uint16_t *));
    self->code_room = calloc(members, sizeof *self->code_room);
    self->first = malloc(pairs * sizeof *self->first);
    self->second = malloc(pairs * sizeof *self->second);
    self->events = calloc(self->bins, sizeof *self->events);
    self->class_of = calloc(members * pairs, sizeof *self->class_of);
    self->classes = calloc(members, sizeof *self->classes);
    self->window = calloc((size_t)self->bins * (self->settings.widest + 1), sizeof *self->window);
    return self->code != NULL && self->code_room != NULL && self->first != NULL &&
                   self->second != NULL && self->events != NULL && self->class_of != NULL &&
                   self->classes != NULL && self->window != NULL
               ? STATUS_OK
               : STATUS_NO_MEMORY;
}

status composition_create(composition **out, const struct composition_settings *settings,
                          uint32_t members, uint32_t clusters, uint32_t bins)
{
    assert(out != NULL && members > 0 && clusters > 0 && clusters <= COMPOSITION_CLUSTERS_MAX);
    assert(bins > 0 && bins <= COMPOSITION_BINS_MAX && settings->narrowest > 0);
    assert(settings->prior > 0 && settings->prior < 1 && settings->floor > 0);
    *out = NULL;
    composition *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->settings = *settings;
    if (self->settings.widest > bins)
        self->settings.widest = bins;
    self->members = members;
    self->clusters = clusters;
    self->bins = bins;
    self->pairs = clusters * (clusters + 1) / 2;
    const status done = allocate(self);
    if (done != STATUS_OK) {
        composition_destroy(&self);
        return done;
    }
    for (uint32_t high = 0; high < clusters; high++)
        for (uint32_t low = 0; low <= high; low++) {
            self->first[code_of(low, high)] = (uint16_t)low;
            self->second[code_of(low, high)] = (uint16_t)high;
        }
    *out = self;
    return STATUS_OK;
}

void composition_destroy(composition **out)
{
    composition *self = *out;
    if (self == NULL)
        return;
    for (uint32_t m = 0; self->code != NULL && m < self->members; m++)
        free(self->code[m]);
    free(self->code);
    free(self->code_room);
    free(self->bin);
    free(self->first);
    free(self->second);
    free(self->events);
    free(self->class_of);
    free(self->classes);
    free(self->window);
    mass_flow_destroy(&self->flow);
    free(self);
    *out = NULL;
}

static status reserve(composition *self, size_t n)
{
    status done = ARRAY_RESERVE(&self->bin, &self->bin_room, n);
    for (uint32_t m = 0; done == STATUS_OK && m < self->members; m++)
        done = ARRAY_RESERVE(&self->code[m], &self->code_room[m], n);
    return done;
}

status composition_add(composition *self, size_t n, const int32_t bin[], const uint16_t label[])
{
    const status done = reserve(self, self->events_added + n);
    if (done != STATUS_OK)
        return done;
    for (size_t e = 0; e < n; e++) {
        if (bin[e] < 0)
            continue;
        assert((uint32_t)bin[e] < self->bins);
        self->bin[self->events_added] = (uint8_t)bin[e];
        for (uint32_t m = 0; m < self->members; m++) {
            const uint16_t *pair = label + 2 * (m * n + e);
            assert(pair[0] < self->clusters && pair[1] < self->clusters);
            self->code[m][self->events_added] = code_of(pair[0], pair[1]);
        }
        self->events_added++;
    }
    return STATUS_OK;
}

uint64_t composition_events(const composition *self)
{
    return self->events_added;
}

/* ---- preparation ---- */

/* Pairs with enough events are classes of their own, in the order of their codes; the others are
 * the last one. */
static status make_pair_classes(composition *self, uint32_t m)
{
    uint64_t *count = calloc(self->pairs, sizeof *count);
    if (count == NULL)
        return STATUS_NO_MEMORY;
    for (size_t e = 0; e < self->n; e++)
        count[self->code[m][e]]++;
    uint16_t *class_of = self->class_of + (size_t)m * self->pairs;
    uint32_t classes = 0;
    for (uint32_t c = 0; c < self->pairs; c++)
        if (count[c] >= self->settings.pooled)
            class_of[c] = (uint16_t)classes++;
    for (uint32_t c = 0; c < self->pairs; c++)
        if (count[c] < self->settings.pooled)
            class_of[c] = (uint16_t)classes;
    self->classes[m] = classes + 1;
    free(count);
    return STATUS_OK;
}

/* A line through the shares outside a window: its weighted moments, and what they predict. */
static bool fit_outside(const composition *self, struct window *window)
{
    const uint32_t begin = window->bins.first, end = begin + window->bins.bins;
    double sum = 0, mean = 0, squares = 0, inside = 0, moment = 0;
    uint32_t outside = 0;
    for (uint32_t b = 0; b < self->bins; b++) {
        const double events = (double)self->events[b];
        const bool in = b >= begin && b < end;
        inside += in ? events : 0;
        moment += in ? events * b : 0;
        sum += in ? 0 : events;
        mean += in ? 0 : events * b;
        outside += !in && self->events[b] > 0;
    }
    if (outside < COMPOSITION_OUTSIDE_MIN || inside == 0)
        return false;
    mean /= sum;
    for (uint32_t b = 0; b < self->bins; b++)
        if (b < begin || b >= end)
            squares += (double)self->events[b] * (b - mean) * (b - mean);
    const double lever = moment - mean * inside;
    const double tau = inside * inside / sum + lever * lever / squares;
    window->events = inside;
    window->b = lever / squares;
    window->a = inside / sum - mean * window->b;
    window->damping = inside / (inside + tau);
    return true;
}

static void make_windows(composition *self)
{
    self->windows = 0;
    for (uint32_t bins = self->settings.narrowest; bins <= self->settings.widest; bins++)
        for (uint32_t first = 0; first + bins <= self->bins; first++) {
            struct window window = {.bins = {first, bins}};
            if (fit_outside(self, &window))
                self->window[self->windows++] = window;
        }
}

status composition_prepare(composition *self, size_t n)
{
    assert(n <= self->events_added);
    self->n = n;
    memset(self->events, 0, self->bins * sizeof *self->events);
    for (size_t e = 0; e < self->n; e++)
        self->events[self->bin[e]]++;
    make_windows(self);
    if (self->windows == 0)
        return STATUS_BAD_SHAPE;
    for (uint32_t m = 0; m < self->members; m++) {
        self->classes[m] = self->clusters;
        if (self->settings.classes == COMPOSITION_JETS)
            continue;
        const status done = make_pair_classes(self, m);
        if (done != STATUS_OK)
            return done;
    }
    mass_flow_destroy(&self->flow);
    return mass_flow_create(&self->flow, self->bins, self->events);
}

size_t composition_windows(const composition *self)
{
    return self->windows;
}

struct composition_window composition_window(const composition *self, size_t i)
{
    assert(i < self->windows);
    return self->window[i].bins;
}

size_t composition_classes_of(const composition *self, uint32_t member)
{
    assert(member < self->members);
    return self->classes[member];
}

double composition_flow(const composition *self, uint32_t from, uint32_t to)
{
    return mass_flow_probability(self->flow, from, to);
}

/* ---- statistics ---- */

status composition_scratch_create(composition_scratch **out, const composition *self)
{
    assert(self->flow != NULL);
    *out = NULL;
    composition_scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL)
        return STATUS_NO_MEMORY;
    size_t classes = 0;
    for (uint32_t m = 0; m < self->members; m++)
        classes = self->classes[m] > classes ? self->classes[m] : classes;
    scratch->moved = malloc(self->n);
    scratch->counts = malloc(classes * self->bins * sizeof *scratch->counts);
    scratch->scaled = malloc((self->bins + 1) * sizeof *scratch->scaled);
    scratch->moment = malloc((self->bins + 1) * sizeof *scratch->moment);
    scratch->scale = malloc(self->bins * sizeof *scratch->scale);
    scratch->sums = malloc(self->windows * sizeof *scratch->sums);
    scratch->without = malloc(self->windows * sizeof *scratch->without);
    if (scratch->moved == NULL || scratch->counts == NULL || scratch->scaled == NULL ||
        scratch->moment == NULL || scratch->scale == NULL || scratch->sums == NULL ||
        scratch->without == NULL)
        composition_scratch_destroy(&scratch);
    *out = scratch;
    return scratch != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void composition_scratch_destroy(composition_scratch **out)
{
    composition_scratch *self = *out;
    if (self == NULL)
        return;
    free(self->moved);
    free(self->counts);
    free(self->scaled);
    free(self->moment);
    free(self->scale);
    free(self->sums);
    free(self->without);
    free(self);
    *out = NULL;
}

static void count_pairs(const composition *self, uint32_t m, const uint8_t bin[], uint32_t counts[])
{
    const uint16_t *code = self->code[m];
    const uint16_t *class_of = self->class_of + (size_t)m * self->pairs;
    const uint32_t bins = self->bins;
    for (size_t e = 0; e < self->n; e++)
        counts[class_of[code[e]] * bins + bin[e]]++;
}

static void count_jets(const composition *self, uint32_t m, const uint8_t bin[], uint32_t counts[])
{
    const uint16_t *code = self->code[m];
    for (size_t e = 0; e < self->n; e++) {
        counts[self->first[code[e]] * self->bins + bin[e]]++;
        counts[self->second[code[e]] * self->bins + bin[e]]++;
    }
}

/* Sums of the scaled counts of one class, and of these times their bin number, below every bin. */
static void add_up(uint32_t bins, const uint32_t counts[], const double scale[], double scaled[],
                   double moment[])
{
    scaled[0] = 0;
    moment[0] = 0;
    for (uint32_t b = 0; b < bins; b++) {
        const double events = scale[b] * counts[b];
        scaled[b + 1] = scaled[b] + events;
        moment[b + 1] = moment[b] + events * b;
    }
}

/* d of a class in a window, 0 if there is no excess. */
static double excess(const composition *self, const struct window *window, const double scaled[],
                     const double moment[], double total)
{
    const uint32_t begin = window->bins.first, end = begin + window->bins.bins;
    const double n = scaled[end] - scaled[begin];
    const double outside = scaled[self->bins] - n;
    const double outside_moment = moment[self->bins] - (moment[end] - moment[begin]);
    const double line = window->a * outside + window->b * outside_moment;
    const double least = self->settings.least_share * scaled[self->bins] / total * window->events;
    double e = line > least ? line : least;
    e = e > self->settings.floor ? e : self->settings.floor;
    return n > e ? 2 * (n * log(n / e) - (n - e)) * window->damping : 0;
}

/* Adds ln(1 + odds exp(x)), x >= 0. */
static void add_mixture(struct log_sum *self, double odds, double x)
{
    const double far = 600; /* exp(x) nears the end of doubles; the 1 is far below odds exp(x) */
    if (x > far) {
        self->sum += log(odds) + x;
        return;
    }
    self->product *= 1 + odds * exp(x);
    if (self->product > 1e20) {
        self->sum += log(self->product);
        self->product = 1;
    }
}

/* Of one class in every window. */
static void add_class(const composition *self, composition_scratch *scratch, double odds, double h)
{
    const bool pairs = self->settings.classes == COMPOSITION_PAIRS;
    const double total = (double)self->n;
    for (size_t w = 0; w < self->windows; w++) {
        const double d = excess(self, &self->window[w], scratch->scaled, scratch->moment, total);
        if (!pairs)
            scratch->sums[w].sum += d;
        else if (d > 0)
            add_mixture(&scratch->sums[w], odds, h * d);
        else
            scratch->without[w]++;
    }
}

/* Adds the part of one member to t[windows]. */
static void add_member(const composition *self, composition_scratch *scratch, uint32_t m,
                       double t[])
{
    const struct composition_settings *settings = &self->settings;
    const double square = settings->width * settings->width;
    const double h = square / (2 * (1 + square));
    const double odds = settings->prior / (1 - settings->prior) / sqrt(1 + square);
    for (size_t w = 0; w < self->windows; w++) {
        scratch->sums[w] = (struct log_sum){.product = 1};
        scratch->without[w] = 0;
    }
    for (uint32_t c = 0; c < self->classes[m]; c++) {
        add_up(self->bins, scratch->counts + (size_t)c * self->bins, scratch->scale,
               scratch->scaled, scratch->moment);
        add_class(self, scratch, odds, h);
    }
    for (size_t w = 0; w < self->windows; w++)
        t[w] += scratch->sums[w].sum + log(scratch->sums[w].product) +
                scratch->without[w] * log1p(odds);
}

static void compute(const composition *self, composition_scratch *scratch, const uint8_t bin[],
                    double t[])
{
    const bool pairs = self->settings.classes == COMPOSITION_PAIRS;
    for (size_t w = 0; w < self->windows; w++)
        t[w] = 0;
    for (uint32_t m = 0; m < self->members; m++) {
        memset(scratch->counts, 0, (size_t)self->classes[m] * self->bins * sizeof *scratch->counts);
        (pairs ? count_pairs : count_jets)(self, m, bin, scratch->counts);
        add_member(self, scratch, m, t);
    }
    for (size_t w = 0; w < self->windows; w++)
        t[w] /= self->members;
}

void composition_observed(const composition *self, composition_scratch *scratch, double t[])
{
    for (uint32_t b = 0; b < self->bins; b++)
        scratch->scale[b] = 1;
    compute(self, scratch, self->bin, t);
}

void composition_toy(const composition *self, composition_scratch *scratch, uint64_t seed,
                     uint64_t toy, double t[])
{
    struct random_state random;
    uint64_t events[COMPOSITION_BINS_MAX] = {0};
    random_init(&random, seed, toy_key, toy);
    mass_flow_move(self->flow, &random, self->n, self->bin, scratch->moved);
    for (size_t e = 0; e < self->n; e++)
        events[scratch->moved[e]]++;
    for (uint32_t b = 0; b < self->bins; b++)
        scratch->scale[b] = events[b] > 0 ? (double)self->events[b] / (double)events[b] : 0;
    compute(self, scratch, scratch->moved, t);
}
