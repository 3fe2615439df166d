/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/jets.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/jets_fastjet.h"
#include "common/kernels/recombine.h"

#define ETA_MAX 10.0
#define TWO_PI  6.283185307179586
/* Of the sum of all pT: far above its rounding, so that no jet is given up for it. */
#define SUM_SLACK 1e-9

/* A particle as the clustering takes it. */
struct particle {
    struct momentum p;
    struct direction direction;
};

struct jet_finder {
    enum jet_engine engine;
    double radius;
    double pt_min;
    fastjet_finder *fastjet; /* the engine, or for crowded events */
    recombination *anti_kt;  /* native engine only, as all that follows */
    recombination *axes_kt;
    size_t particles;
    struct particle particle[RECOMBINE_MAX];
    uint32_t row[RECOMBINE_MAX]; /* of each particle: its index in the event */
    bool member[RECOMBINE_MAX];  /* of the jet at hand */
    /* Of the two leading jets found last: */
    bool by_fastjet;
    size_t members[2];
    uint32_t inside[2][RECOMBINE_MAX]; /* particles, ascending */
    uint32_t constituents[2][RECOMBINE_MAX];
    double pt[2];
};

/* The two leading jets so far. */
struct leading {
    size_t n;
    size_t index[2];
    double pt2[2];
};

/* DROP_REASONS if the particles may be clustered. Padding (pt == 0) is not looked at. */
static enum drop_reason check_particles(size_t n, const float pt[], const float eta[],
                                        const float phi[], size_t *particles)
{
    bool finite = true;
    bool positive = true;
    bool inside = true;
    *particles = 0;
    for (size_t i = 0; i < n; i++) {
        if (pt[i] == 0)
            continue;
        ++*particles;
        finite &= isfinite(pt[i]) && isfinite(eta[i]) && isfinite(phi[i]);
        positive &= !(pt[i] < 0);
        inside &= fabs((double)eta[i]) <= ETA_MAX;
    }
    if (!finite)
        return DROP_NOT_FINITE;
    if (!positive)
        return DROP_NEGATIVE_PT;
    return inside ? DROP_REASONS : DROP_ETA_RANGE;
}

static struct particle massless(double pt, double eta, double phi)
{
    const double x = pt * cos(phi);
    const double y = pt * sin(phi);
    struct particle particle = {{x, y, pt * sinh(eta), pt * cosh(eta)}, {eta, phi, x * x + y * y}};
    /* One turn more or less needs no arc tangent; many would lose digits. */
    if (phi < 0 && phi >= -TWO_PI)
        particle.direction.phi = phi + TWO_PI;
    else if (!(phi >= 0 && phi <= TWO_PI))
        particle.direction.phi = momentum_direction(&particle.p).phi;
    return particle;
}

/* Returns the sum of all pT. */
static double load_particles(jet_finder *self, size_t n, const float pt[], const float eta[],
                             const float phi[])
{
    double sum = 0;
    self->particles = 0;
    recombination_reset(self->anti_kt);
    for (size_t i = 0; i < n; i++) {
        if (pt[i] == 0)
            continue;
        struct particle *particle = &self->particle[self->particles];
        *particle = massless((double)pt[i], (double)eta[i], (double)phi[i]);
        self->row[self->particles++] = (uint32_t)i;
        recombination_add(self->anti_kt, &particle->p, &particle->direction);
        sum += (double)pt[i];
    }
    return sum;
}

static void add_leading(struct leading *leading, size_t index, double pt2)
{
    if (leading->n == 2 && !(pt2 > leading->pt2[1]))
        return;
    const bool first = leading->n == 0 || pt2 > leading->pt2[0];
    if (first) {
        leading->index[1] = leading->index[0];
        leading->pt2[1] = leading->pt2[0];
    }
    leading->index[first ? 0 : 1] = index;
    leading->pt2[first ? 0 : 1] = pt2;
    leading->n += leading->n < 2;
}

static double squared_pt(const struct momentum *p)
{
    return p->px * p->px + p->py * p->py;
}

/* Sum of the pT of the particles of a momentum. */
static double scalar_sum(const jet_finder *self, size_t index)
{
    double sum = 0;
    for (int32_t i = recombination_first(self->anti_kt, index); i >= 0;
         i = recombination_next(self->anti_kt, i))
        sum += sqrt(self->particle[i].direction.pt2);
    return sum;
}

/* Clusters until all is done or what remains, taken together, is softer than the second jet. */
static struct leading cluster(jet_finder *self, double sum)
{
    struct leading leading = {.n = 0};
    const double slack = SUM_SLACK * sum;
    double threshold = self->pt_min;
    while (recombination_remaining(self->anti_kt) > 0 && sum + slack >= threshold) {
        size_t index;
        if (!recombination_step(self->anti_kt, &index))
            continue;
        sum -= scalar_sum(self, index);
        const double pt2 = squared_pt(recombination_momentum(self->anti_kt, index));
        if (pt2 >= self->pt_min * self->pt_min)
            add_leading(&leading, index, pt2);
        if (leading.n == 2)
            threshold = sqrt(leading.pt2[1]);
    }
    return leading;
}

/* Particles of a jet, ascending; returns how many. */
static size_t find_members(jet_finder *self, size_t index, uint32_t inside[])
{
    size_t n = 0;
    memset(self->member, 0, self->particles * sizeof *self->member);
    for (int32_t i = recombination_first(self->anti_kt, index); i >= 0;
         i = recombination_next(self->anti_kt, i))
        self->member[i] = true;
    for (uint32_t i = 0; i < self->particles; i++)
        if (self->member[i])
            inside[n++] = i;
    return n;
}

static double mass_of(const struct momentum *p)
{
    const double m2 = (p->e + p->pz) * (p->e - p->pz) - squared_pt(p);
    return m2 > 0 ? sqrt(m2) : 0; /* below 0 by rounding */
}

static double pseudorapidity(const struct momentum *p)
{
    return asinh(p->pz / sqrt(squared_pt(p)));
}

static void describe_jet(jet_finder *self, size_t index, size_t j, struct jet *out)
{
    const struct momentum *p = recombination_momentum(self->anti_kt, index);
    out->pt = self->pt[j] = sqrt(squared_pt(p));
    out->eta = pseudorapidity(p);
    out->phi = momentum_direction(p).phi;
    out->mass = mass_of(p);
    out->n = self->members[j] = find_members(self, index, self->inside[j]);
    out->constituent = self->constituents[j];
    for (size_t i = 0; i < out->n; i++)
        self->constituents[j][i] = self->row[self->inside[j][i]];
}

static enum drop_reason find_dijet(jet_finder *self, double sum, struct dijet *out)
{
    const struct leading leading = cluster(self, sum);
    if (leading.n < 2)
        return leading.n == 0 ? DROP_NO_JET : DROP_ONE_JET;
    const struct momentum both =
        momentum_sum(recombination_momentum(self->anti_kt, leading.index[0]),
                     recombination_momentum(self->anti_kt, leading.index[1]));
    out->m_jj = mass_of(&both);
    for (size_t j = 0; j < 2; j++)
        describe_jet(self, leading.index[j], j, &out->jet[j]);
    return DROP_REASONS;
}

status jet_finder_use_path(jet_finder *self, enum codebook_path path)
{
    recombination_destroy(&self->anti_kt);
    recombination_destroy(&self->axes_kt);
    const status made = recombination_create(&self->anti_kt, RECOMBINE_ANTI_KT, self->radius, path);
    if (made != STATUS_OK)
        return made;
    return recombination_create(&self->axes_kt, RECOMBINE_KT, 1.0, path);
}

status jet_finder_create(jet_finder **out, enum jet_engine engine, double radius, double pt_min)
{
    assert(out != NULL && radius > 0 && radius <= TWO_PI / 4 && pt_min >= 0);
    *out = NULL;
    jet_finder *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->engine = engine;
    self->radius = radius;
    self->pt_min = pt_min;
    status made = fastjet_finder_create(&self->fastjet, radius, pt_min);
    if (made == STATUS_OK && engine == JET_ENGINE_NATIVE)
        made = jet_finder_use_path(self, codebook_best_path());
    if (made != STATUS_OK) {
        jet_finder_destroy(&self);
        return made;
    }
    *out = self;
    return STATUS_OK;
}

void jet_finder_destroy(jet_finder **self)
{
    if (self == NULL || *self == NULL)
        return;
    fastjet_finder_destroy(&(*self)->fastjet);
    recombination_destroy(&(*self)->anti_kt);
    recombination_destroy(&(*self)->axes_kt);
    free(*self);
    *self = NULL;
}

enum drop_reason jet_finder_find(jet_finder *self, size_t n, const float pt[], const float eta[],
                                 const float phi[], struct dijet *out)
{
    size_t particles;
    const enum drop_reason refusal = check_particles(n, pt, eta, phi, &particles);
    if (refusal != DROP_REASONS)
        return refusal;
    self->by_fastjet = self->engine == JET_ENGINE_FASTJET || particles > RECOMBINE_MAX;
    if (self->by_fastjet)
        return fastjet_finder_find(self->fastjet, n, pt, eta, phi, out);
    return find_dijet(self, load_particles(self, n, pt, eta, phi), out);
}

/* sum_i pT_i min_a dR(i, a) / pT_jet about the momenta that remain of the axes. */
static double subjettiness(const jet_finder *self, size_t jet)
{
    const size_t axes = recombination_remaining(self->axes_kt);
    struct direction axis[3];
    assert(axes <= 3);
    for (size_t a = 0; a < axes; a++)
        axis[a] = momentum_direction(
            recombination_momentum(self->axes_kt, recombination_index(self->axes_kt, a)));
    double sum = 0;
    for (size_t i = 0; i < self->members[jet]; i++) {
        const struct direction *from = &self->particle[self->inside[jet][i]].direction;
        double nearest = INFINITY;
        for (size_t a = 0; a < axes; a++)
            nearest = fmin(nearest, direction_distance2(from->rapidity, from->phi, axis[a].rapidity,
                                                        axis[a].phi));
        sum += sqrt(from->pt2) * sqrt(nearest);
    }
    return sum / self->pt[jet];
}

static void find_subjettiness(jet_finder *self, size_t jet, double tau[3])
{
    const size_t n = self->members[jet];
    recombination_reset(self->axes_kt);
    for (size_t i = 0; i < n; i++) {
        const struct particle *particle = &self->particle[self->inside[jet][i]];
        recombination_add(self->axes_kt, &particle->p, &particle->direction);
    }
    for (size_t axes = 3; axes >= 1; axes--) {
        tau[axes - 1] = 0; /* with no more constituents than axes every distance is 0 */
        size_t index;
        while (recombination_remaining(self->axes_kt) > axes)
            (void)recombination_step(self->axes_kt, &index);
        if (n > axes)
            tau[axes - 1] = subjettiness(self, jet);
    }
}

void jet_finder_subjettiness(jet_finder *self, size_t jet, double tau[3])
{
    assert(jet < 2);
    if (self->by_fastjet)
        fastjet_finder_subjettiness(self->fastjet, jet, tau);
    else
        find_subjettiness(self, jet, tau);
}
