/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/jets/jets.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/jets/jets_fastjet.h"
#include "common/kernels/jets/pt_order.h"
#include "common/kernels/jets/recombine.h"

#define ETA_MAX 10.0F
#define TWO_PI  6.283185307179586
/* Share of the sum of all pT: far above its rounding errors, so that these never drop a jet. */
#define SUM_SLACK 1e-9

struct jet_finder {
    enum jet_engine engine;
    double radius;
    double pt_min;
    fastjet_finder *fastjet; /* always used, or for events of too many particles */
    recombination *anti_kt;  /* NULL with FastJet alone; all below belongs to it */
    recombination *axes_kt;
    size_t particles;
    float pt[RECOMBINE_MAX + 1];     /* of the particles, without padding */
    uint32_t row[RECOMBINE_MAX + 1]; /* index of each particle in the event */
    uint32_t order[RECOMBINE_MAX];   /* particle of momentum 0 to particles - 1 */
    uint32_t spare[RECOMBINE_MAX];
    uint8_t owner[2 * RECOMBINE_MAX]; /* per momentum: leading jet 1 or 2, or 0 */
    uint8_t owner_of[RECOMBINE_MAX];  /* the same per particle */
    /* The two leading jets of the last event: */
    bool by_fastjet;
    size_t members[2];
    uint32_t inside[2][RECOMBINE_MAX + 1]; /* indices of momenta, softest first */
    uint32_t constituents[2][RECOMBINE_MAX + 1];
    double jet_pt[2];
};

/* The two leading jets so far. */
struct leading {
    size_t n;
    size_t index[2];
    double pt2[2];
};

/* The reason to drop the event, DROP_REASONS if there is none. Padding (pt == 0) is ignored. The
 * loop has no branch, so that the compiler vectorises it. */
static enum drop_reason check_particles(size_t n, const float pt[], const float eta[],
                                        const float phi[], size_t *particles)
{
    int infinite = 0;
    int negative = 0;
    int outside = 0;
    int padding = 0;
    for (size_t i = 0; i < n; i++) {
        const int here = pt[i] != 0;
        const int finite =
            (fabsf(pt[i]) <= FLT_MAX) & (fabsf(eta[i]) <= FLT_MAX) & (fabsf(phi[i]) <= FLT_MAX);
        infinite |= here & !finite;
        negative |= here & (pt[i] < 0);
        outside |= here & !(fabsf(eta[i]) <= ETA_MAX);
        padding += !here;
    }
    *particles = n - (size_t)padding;
    if (infinite)
        return DROP_NOT_FINITE;
    if (negative)
        return DROP_NEGATIVE_PT;
    return outside ? DROP_ETA_RANGE : DROP_REASONS;
}

/* Puts the momenta into the order of their pT, hardest first. Returns the sum of all pT. */
static double load_particles(jet_finder *self, size_t n, const float pt[], const float eta[],
                             const float phi[])
{
    struct recombine_momenta *momenta = &self->anti_kt->momenta;
    double sum = 0;
    size_t particles = 0;
    for (size_t i = 0; i < n; i++) {
        self->pt[particles] = pt[i];
        self->row[particles] = (uint32_t)i;
        particles += pt[i] != 0;
    }
    pt_order(particles, self->pt, self->order, self->spare);
    for (size_t i = 0; i < particles; i++) {
        const uint32_t row = self->row[self->order[i]];
        momenta->pt[i] = (double)pt[row];
        momenta->rapidity[i] = (double)eta[row];
        momenta->phi[i] = (double)phi[row];
        sum += momenta->pt[i];
    }
    self->particles = particles;
    recombination_complete(self->anti_kt, particles);
    recombination_start(self->anti_kt, particles);
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

/* Clusters until nothing remains or the remaining pT, added up, is below that of the second jet. */
static struct leading cluster(jet_finder *self, double sum)
{
    struct leading leading = {.n = 0};
    const double slack = SUM_SLACK * sum;
    double threshold = self->pt_min;
    while (self->anti_kt->remaining > 0 && sum + slack >= threshold) {
        size_t index;
        if (!recombination_step(self->anti_kt, &index))
            continue;
        sum -= self->anti_kt->momenta.pt[index];
        const struct momentum p = recombination_momentum(self->anti_kt, index);
        const double pt2 = squared_pt(&p);
        if (pt2 >= self->pt_min * self->pt_min)
            add_leading(&leading, index, pt2);
        if (leading.n == 2)
            threshold = sqrt(leading.pt2[1]);
    }
    return leading;
}

/* Walks the merge tree from each leading jet to its constituents. */
static void find_owners(jet_finder *self, const struct leading *leading)
{
    const recombination *from = self->anti_kt;
    memset(self->owner, 0, from->particles + from->merged);
    for (size_t j = 0; j < 2; j++)
        self->owner[leading->index[j]] = (uint8_t)(j + 1);
    for (size_t m = from->merged; m-- > 0;)
        for (int p = 0; p < 2; p++)
            self->owner[from->momenta.parent[m][p]] = self->owner[from->particles + m];
    for (size_t i = 0; i < from->particles; i++)
        self->owner_of[self->order[i]] = self->owner[i];
}

/* Lists the particles of a leading jet, softest first, and their rows in the event, ascending. */
static void find_members(jet_finder *self, size_t jet)
{
    uint32_t *inside = self->inside[jet];
    uint32_t *constituents = self->constituents[jet];
    size_t n = 0;
    for (size_t i = self->particles; i-- > 0;) {
        inside[n] = (uint32_t)i;
        n += self->owner[i] == jet + 1;
    }
    self->members[jet] = n;
    n = 0;
    for (size_t i = 0; i < self->particles; i++) {
        constituents[n] = self->row[i];
        n += self->owner_of[i] == jet + 1;
    }
}

static double mass_of(const struct momentum *p)
{
    const double m2 = (p->e + p->pz) * (p->e - p->pz) - squared_pt(p);
    return m2 > 0 ? sqrt(m2) : 0; /* rounding may make it negative */
}

static double azimuth_of(const struct momentum *p)
{
    const double phi = atan2(p->py, p->px);
    const double found = phi < 0 ? phi + TWO_PI : phi;
    return found < TWO_PI ? found : 0;
}

static double pseudorapidity(const struct momentum *p)
{
    return asinh(p->pz / sqrt(squared_pt(p)));
}

static void describe_jet(jet_finder *self, size_t index, size_t j, struct jet *out)
{
    const struct momentum p = recombination_momentum(self->anti_kt, index);
    out->pt = self->jet_pt[j] = sqrt(squared_pt(&p));
    out->eta = pseudorapidity(&p);
    out->phi = azimuth_of(&p);
    out->mass = mass_of(&p);
    out->n = self->members[j];
    out->constituent = self->constituents[j];
}

static enum drop_reason find_dijet(jet_finder *self, double sum, struct dijet *out)
{
    const struct leading leading = cluster(self, sum);
    if (leading.n < 2)
        return leading.n == 0 ? DROP_NO_JET : DROP_ONE_JET;
    const struct momentum both = recombination_sum(self->anti_kt, leading.index);
    out->m_jj = mass_of(&both);
    find_owners(self, &leading);
    for (size_t j = 0; j < 2; j++) {
        find_members(self, j);
        describe_jet(self, leading.index[j], j, &out->jet[j]);
    }
    return DROP_REASONS;
}

status jet_finder_use(jet_finder *self, enum instruction_set set)
{
    recombination_destroy(&self->anti_kt);
    recombination_destroy(&self->axes_kt);
    const status made = recombination_create(&self->anti_kt, RECOMBINE_ANTI_KT, self->radius, set);
    if (made != STATUS_OK)
        return made;
    return recombination_create(&self->axes_kt, RECOMBINE_KT, 1.0, set);
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
        made = jet_finder_use(self, instruction_set_best());
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

static void load_members(jet_finder *self, size_t jet)
{
    const struct recombine_momenta *from = &self->anti_kt->momenta;
    struct recombine_momenta *to = &self->axes_kt->momenta;
    for (size_t i = 0; i < self->members[jet]; i++) {
        const uint32_t index = self->inside[jet][i];
        to->pt[i] = from->pt[index];
        to->rapidity[i] = from->rapidity[index];
        to->phi[i] = from->phi[index];
        to->px[i] = from->px[index];
        to->py[i] = from->py[index];
        to->pz[i] = from->pz[index];
        to->e[i] = from->e[index];
    }
    recombination_start(self->axes_kt, self->members[jet]);
}

static void find_subjettiness(jet_finder *self, size_t jet, double tau[3])
{
    const size_t n = self->members[jet];
    load_members(self, jet);
    for (size_t axes = 3; axes >= 1; axes--) {
        tau[axes - 1] = 0; /* with no more constituents than axes every distance is 0 */
        size_t index;
        while (self->axes_kt->remaining > axes)
            (void)recombination_step(self->axes_kt, &index);
        if (n > axes)
            tau[axes - 1] = recombination_spread(self->axes_kt) / self->jet_pt[jet];
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
