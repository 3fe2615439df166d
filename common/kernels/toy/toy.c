/* SPDX-License-Identifier: GPL-3.0-or-later */
/* toy: two or four partons by exact kinematics, then a splitting cascade, hadrons, and a soft
 * haze. */
#include "common/kernels/toy/toy.h"

#include <assert.h>
#include <gsl/gsl_math.h>
#include <math.h>
#include <stdlib.h>

#include "common/base/random.h"

/* Chosen so that jets look like those of the LHC Olympics R&D data after a detector: number
 * of constituents, lit pixels and jet masses. */
static const double cut_off = 0.65;        /* GeV, smallest relative pT of a splitting */
static const double lambda = 0.2;          /* GeV, of the running coupling */
static const double coupling_gluon = 1.08; /* x ln(cut_off / lambda) / ln(kT / lambda) */
static const double coupling_quark = 0.58;
static const double hadron_kt = 0.35;    /* GeV, mean relative pT of hadrons */
static const double hadron_pt = 1.5;     /* GeV, below it nothing breaks */
static const int hadron_breaks = 2;      /* into up to four */
static const double gluon_share = 0.55;  /* share of the background's partons */
static const double angle_max = 1.0;     /* of a first splitting */
static const double central = 0.6;       /* largest |y*| of the two jets in their own frame */
static const double boost_spread = 0.35; /* of the rapidity of that frame */
static const double haze_eta = 4.5;
static const double haze_pt = 1.2; /* GeV, mean above the threshold */
static const double haze_threshold = 0.3;
static const double eta_end = 5;
/* Second key of the random numbers, "toy" and 0 or 1: no training member has such a number. */
static const uint64_t random_key = UINT64_C(0x746f7900);
enum { HAZE_MIN = 20, HAZE_SPREAD = 41, MASS_CELLS = 4200 };

const struct toy_settings toy_defaults = {.mass_min = 2800,
                                          .mass_max = 7000,
                                          .resonance_mass = 3500,
                                          .prong_mass = {500, 100},
                                          .resonance_width = 0.02};

struct momentum {
    double x, y, z, e;
};

struct parton {
    double pt, eta, phi;
    double angle;    /* its next splitting is narrower */
    double coupling; /* at the cut-off */
    int breaks;      /* into hadrons, after its last splitting */
};

struct toy {
    struct toy_settings settings;
    uint64_t seed;
    double cumulative[MASS_CELLS + 1]; /* of the background's mass, rising from 0 */
    /* The current event. */
    struct random_state random;
    struct parton waiting[TOY_PARTICLES_MAX];
    size_t n_waiting;
    size_t n;
    float *pt, *eta, *phi;
};

/* f(x), x = m / 13 TeV, up to a factor: the four-parameter form fitted to the LHC Olympics QCD
 * spectrum (arXiv 2402.17714). */
static double falling_spectrum(double mass_gev)
{
    const double x = mass_gev / 13000;
    const double log_x = log(x);
    return exp(0.85218256 * log1p(-x) + (-14.17770188 - 3.57107481 * log_x) * log_x);
}

static double cell_edge(const struct toy_settings *settings, size_t i)
{
    return settings->mass_min + (settings->mass_max - settings->mass_min) * (double)i / MASS_CELLS;
}

status toy_create(toy **out, const struct toy_settings *settings, uint64_t seed)
{
    assert(out != NULL && settings->mass_min > 0 && settings->mass_min < settings->mass_max &&
           settings->mass_max < 13000 && settings->prong_mass[0] > 0 &&
           settings->prong_mass[1] > 0 &&
           settings->prong_mass[0] + settings->prong_mass[1] < settings->resonance_mass &&
           settings->resonance_width >= 0 && settings->resonance_width <= 0.2);
    *out = NULL;
    toy *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->settings = *settings;
    self->seed = seed;
    const double first = falling_spectrum(settings->mass_min); /* keeps the sums near 1 */
    for (size_t i = 0; i < MASS_CELLS; i++) {
        const double centre = (cell_edge(settings, i) + cell_edge(settings, i + 1)) / 2;
        self->cumulative[i + 1] = self->cumulative[i] + falling_spectrum(centre) / first;
    }
    *out = self;
    return STATUS_OK;
}

void toy_destroy(toy **self)
{
    if (self == NULL)
        return;
    free(*self);
    *self = NULL;
}

/* --- kinematics --- */

/* A mass of the background's spectrum, from the inverse of its cumulative distribution. */
static double draw_mass(toy *self)
{
    const double u = random_uniform(&self->random) * self->cumulative[MASS_CELLS];
    size_t low = 0;
    size_t high = MASS_CELLS;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (self->cumulative[middle] <= u)
            low = middle;
        else
            high = middle;
    }
    const double share =
        (u - self->cumulative[low]) / (self->cumulative[high] - self->cumulative[low]);
    const double edge = cell_edge(&self->settings, low);
    return edge + share * (cell_edge(&self->settings, high) - edge);
}

static struct momentum along(double cos_theta, double phi, double p, double mass)
{
    const double sin_theta = sqrt(1 - cos_theta * cos_theta);
    return (struct momentum){p * sin_theta * cos(phi), p * sin_theta * sin(phi), p * cos_theta,
                             hypot(p, mass)};
}

static struct momentum opposite(struct momentum a, double mass)
{
    const double p = sqrt(a.x * a.x + a.y * a.y + a.z * a.z);
    return (struct momentum){-a.x, -a.y, -a.z, hypot(p, mass)};
}

/* Boosts a momentum from the rest frame of `frame`, whose mass is `mass`, to the frame in which
 * `frame` is given. */
static struct momentum boosted(struct momentum a, struct momentum frame, double mass)
{
    const double dot = a.x * frame.x + a.y * frame.y + a.z * frame.z;
    const double e = (a.e * frame.e + dot) / mass;
    const double scale = (a.e + e) / (frame.e + mass);
    return (struct momentum){a.x + scale * frame.x, a.y + scale * frame.y, a.z + scale * frame.z,
                             e};
}

/* Two bodies of these masses, back to back and central, in a frame that moves along the beam. */
static void draw_pair(toy *self, double mass, const double masses[2], struct momentum pair[2])
{
    const double sum = masses[0] + masses[1];
    const double difference = masses[0] - masses[1];
    const double p =
        sqrt((mass * mass - sum * sum) * (mass * mass - difference * difference)) / (2 * mass);
    const double cos_theta = tanh(central * (2 * random_uniform(&self->random) - 1));
    const double phi = 2 * M_PI * random_uniform(&self->random);
    const double rapidity = boost_spread * random_gaussian(&self->random);
    const struct momentum frame = {0, 0, mass * sinh(rapidity), mass * cosh(rapidity)};
    const struct momentum first = along(cos_theta, phi, p, masses[0]);
    pair[0] = boosted(first, frame, mass);
    pair[1] = boosted(opposite(first, masses[1]), frame, mass);
}

/* --- showers --- */

static double wrapped(double phi)
{
    return phi - 2 * M_PI * floor(phi / (2 * M_PI));
}

static void write_particle(toy *self, double pt, double eta, double phi)
{
    if (self->n == TOY_PARTICLES_MAX || !(fabs(eta) < eta_end))
        return;
    const float rounded = (float)wrapped(phi);
    self->pt[self->n] = (float)pt;
    self->eta[self->n] = (float)eta;
    self->phi[self->n] = (double)rounded < 2 * M_PI ? rounded : 0; /* float may round up */
    self->n++;
}

/* The next angle below parton->angle at which it splits, and the softer one's share z of its pT:
 * dN = coupling(kT) dtheta/theta dz/z, kT = z pT theta above the cut-off. Drawn with the largest
 * coupling and the widest range of z, kept with the true ones. 0 when it splits no more. */
static double draw_splitting(struct random_state *random, const struct parton *parton, double *z)
{
    for (double angle = parton->angle;;) {
        const double range = log(0.5 * parton->pt * angle / cut_off);
        if (!(range > 0))
            return 0;
        angle *= exp(log1p(-random_uniform(random)) / (parton->coupling * range));
        *z = 0.5 * exp(-range * random_uniform(random));
        const double kt = *z * parton->pt * angle;
        if (kt > cut_off && random_uniform(random) * log(kt / lambda) < log(cut_off / lambda))
            return angle;
    }
}

/* Both parts of a split parton, placed so that the pT-weighted centre stays. */
static void split(struct random_state *random, const struct parton *parton, double angle, double z,
                  struct parton parts[2])
{
    const double turn = 2 * M_PI * random_uniform(random);
    const double d_eta = angle * cos(turn);
    const double d_phi = angle * sin(turn);
    parts[0] = parts[1] = *parton;
    parts[0].pt *= 1 - z;
    parts[0].eta -= z * d_eta;
    parts[0].phi -= z * d_phi;
    parts[1].pt *= z;
    parts[1].eta += (1 - z) * d_eta;
    parts[1].phi += (1 - z) * d_phi;
}

/* The softer part is a gluon; both radiate on at smaller angles. */
static void radiate(struct random_state *random, const struct parton *parton, double angle,
                    double z, struct parton parts[2])
{
    split(random, parton, angle, z, parts);
    parts[0].angle = parts[1].angle = angle;
    parts[1].coupling = coupling_gluon;
}

/* Breaks a parton that radiates no more in two, with a relative pT of hadrons. */
static void fragment(struct random_state *random, const struct parton *parton,
                     struct parton parts[2])
{
    const double z = 0.1 + 0.4 * random_uniform(random);
    const double kt = -hadron_kt * log1p(-random_uniform(random));
    split(random, parton, fmin(kt / (z * parton->pt), angle_max), z, parts);
    parts[0].angle = parts[1].angle = 0;
    parts[0].breaks = parts[1].breaks = parton->breaks - 1;
}

static void shower(toy *self, struct parton first)
{
    self->waiting[0] = first;
    self->n_waiting = 1;
    while (self->n_waiting > 0) {
        const struct parton parton = self->waiting[--self->n_waiting];
        struct parton *parts = self->waiting + self->n_waiting;
        /* Every parton that waits needs room in the event. */
        const int room = self->n + self->n_waiting + 2 <= TOY_PARTICLES_MAX;
        double z;
        const double angle = room ? draw_splitting(&self->random, &parton, &z) : 0;
        if (angle > 0) {
            radiate(&self->random, &parton, angle, z, parts);
            self->n_waiting += 2;
        } else if (room && parton.breaks > 0 && parton.pt > hadron_pt) {
            fragment(&self->random, &parton, parts);
            self->n_waiting += 2;
        } else {
            write_particle(self, parton.pt, parton.eta, parton.phi);
        }
    }
}

static struct parton massless_parton(struct momentum a, double coupling)
{
    const double pt = hypot(a.x, a.y);
    return (struct parton){pt,        asinh(a.z / pt), atan2(a.y, a.x),
                           angle_max, coupling,        hadron_breaks};
}

/* A body of this mass decays to two quarks, any direction alike in its own frame. They radiate
 * between each other only: what made them carries no colour. */
static void decay(toy *self, struct momentum body, double mass)
{
    const double cos_theta = 2 * random_uniform(&self->random) - 1;
    const double phi = 2 * M_PI * random_uniform(&self->random);
    const struct momentum quark = along(cos_theta, phi, mass / 2, 0);
    struct parton a = massless_parton(boosted(quark, body, mass), coupling_quark);
    struct parton b = massless_parton(boosted(opposite(quark, 0), body, mass), coupling_quark);
    const double opening = hypot(a.eta - b.eta, remainder(a.phi - b.phi, 2 * M_PI));
    a.angle = b.angle = fmin(opening, angle_max);
    shower(self, a);
    shower(self, b);
}

static void make_background(toy *self)
{
    static const double massless[2] = {0, 0};
    struct momentum pair[2];
    draw_pair(self, draw_mass(self), massless, pair);
    for (int i = 0; i < 2; i++) {
        const int gluon = random_uniform(&self->random) < gluon_share;
        shower(self, massless_parton(pair[i], gluon ? coupling_gluon : coupling_quark));
    }
}

static void make_signal(toy *self)
{
    const double *masses = self->settings.prong_mass;
    const double mass = self->settings.resonance_mass *
                        (1 + self->settings.resonance_width * random_gaussian(&self->random));
    struct momentum pair[2];
    /* The far tail of a narrow resonance near its threshold has no decay: take the threshold. */
    draw_pair(self, fmax(mass, 1.001 * (masses[0] + masses[1])), masses, pair);
    for (int i = 0; i < 2; i++)
        decay(self, pair[i], masses[i]);
}

/* Soft particles everywhere, as from the rest of the collision. */
static void add_haze(toy *self)
{
    const uint64_t n = HAZE_MIN + random_below(&self->random, HAZE_SPREAD);
    for (uint64_t i = 0; i < n; i++) {
        const double pt = haze_threshold - haze_pt * log1p(-random_uniform(&self->random));
        const double eta = haze_eta * (2 * random_uniform(&self->random) - 1);
        write_particle(self, pt, eta, 2 * M_PI * random_uniform(&self->random));
    }
}

size_t toy_event(toy *self, uint64_t event, int signal, float pt[], float eta[], float phi[])
{
    random_init(&self->random, self->seed, random_key + (signal != 0), event);
    self->n = 0;
    self->pt = pt;
    self->eta = eta;
    self->phi = phi;
    if (signal)
        make_signal(self);
    else
        make_background(self);
    add_haze(self);
    return self->n;
}
