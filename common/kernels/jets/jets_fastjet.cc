/* SPDX-License-Identifier: GPL-3.0-or-later */
/* No exception crosses: what FastJet throws on input that was
 * checked is a bug of ours or the end of memory, and ends the program with its text. */
#include "common/kernels/jets/jets_fastjet.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fastjet/ClusterSequence.hh>
#include <new>
#include <vector>

using fastjet::ClusterSequence;
using fastjet::JetDefinition;
using fastjet::PseudoJet;

struct fastjet_finder {
    JetDefinition anti_kt;
    JetDefinition axes_kt;
    double pt_min;
    /* Of the event at hand; kept so that their memory is used again. */
    std::vector<PseudoJet> particles;  /* user_index: index in the event */
    std::vector<PseudoJet> members[2]; /* of the two jets, in the event's order */
    std::vector<uint32_t> constituents[2];
    double pt[2]; /* of the two jets */
};

static PseudoJet massless(double pt, double eta, double phi)
{
    return {pt * std::cos(phi), pt * std::sin(phi), pt * std::sinh(eta), pt * std::cosh(eta)};
}

static void load_particles(fastjet_finder *self, size_t n, const float pt[], const float eta[],
                           const float phi[])
{
    self->particles.clear();
    for (size_t i = 0; i < n; i++) {
        if (pt[i] == 0)
            continue;
        self->particles.push_back(massless(pt[i], eta[i], phi[i]));
        self->particles.back().set_user_index(static_cast<int>(i));
    }
}

/* sum_i pT_i min_a dR(i, a) / pT_jet. */
static double subjettiness(const std::vector<PseudoJet> &members,
                           const std::vector<PseudoJet> &axes, double jet_pt)
{
    double sum = 0;
    for (const PseudoJet &member : members) {
        double nearest = HUGE_VAL;
        for (const PseudoJet &axis : axes)
            nearest = std::min(nearest, member.squared_distance(axis));
        sum += member.pt() * std::sqrt(nearest);
    }
    return sum / jet_pt;
}

/* Constituents in the event's order, so that sums over them do not depend on FastJet's history. */
static void find_constituents(const ClusterSequence &sequence, const PseudoJet &found,
                              std::vector<PseudoJet> &members, std::vector<uint32_t> &constituents)
{
    members.clear();
    constituents.clear();
    for (const PseudoJet &member : sequence.constituents(found))
        constituents.push_back(static_cast<uint32_t>(member.cluster_hist_index()));
    std::sort(constituents.begin(), constituents.end());
    /* The first entries of history and jets are the particles as they were given. */
    for (uint32_t &constituent : constituents) {
        members.push_back(sequence.jets()[constituent]);
        constituent = static_cast<uint32_t>(members.back().user_index());
    }
}

static void describe_jet(fastjet_finder *self, const ClusterSequence &sequence,
                         const PseudoJet &found, size_t j, jet *out)
{
    find_constituents(sequence, found, self->members[j], self->constituents[j]);
    out->pt = self->pt[j] = found.pt();
    out->eta = found.eta();
    out->phi = found.phi();
    out->mass = std::max(0.0, found.m()); /* m() is negative where rounding makes m^2 so */
    out->n = self->constituents[j].size();
    out->constituent = self->constituents[j].data();
}

static drop_reason find_dijet(fastjet_finder *self, dijet *out)
{
    const ClusterSequence sequence(self->particles, self->anti_kt);
    const std::vector<PseudoJet> jets =
        fastjet::sorted_by_pt(sequence.inclusive_jets(self->pt_min));
    if (jets.empty())
        return DROP_NO_JET;
    if (jets.size() == 1)
        return DROP_ONE_JET;
    out->m_jj = std::max(0.0, (jets[0] + jets[1]).m());
    for (size_t j = 0; j < 2; j++)
        describe_jet(self, sequence, jets[j], j, &out->jet[j]);
    return DROP_REASONS;
}

status fastjet_finder_create(fastjet_finder **out, double radius, double pt_min)
{
    assert(out != NULL && radius > 0 && radius <= M_PI / 2 && pt_min >= 0);
    *out = NULL;
    try {
        ClusterSequence::set_fastjet_banner_stream(NULL);
        *out = new fastjet_finder{JetDefinition(fastjet::antikt_algorithm, radius),
                                  JetDefinition(fastjet::kt_algorithm, 1.0),
                                  pt_min,
                                  {},
                                  {},
                                  {},
                                  {}};
        return STATUS_OK;
    } catch (const std::bad_alloc &) {
        return STATUS_NO_MEMORY;
    }
}

void fastjet_finder_destroy(fastjet_finder **self)
{
    if (self == NULL)
        return;
    delete *self;
    *self = NULL;
}

[[noreturn]] static void give_up(const char *what)
{
    std::fprintf(stderr, "error: FastJet: %s\n", what);
    std::abort();
}

drop_reason fastjet_finder_find(fastjet_finder *self, size_t n, const float pt[], const float eta[],
                                const float phi[], dijet *out)
{
    try {
        load_particles(self, n, pt, eta, phi);
        return find_dijet(self, out);
    } catch (const fastjet::Error &error) {
        give_up(error.message().c_str());
    } catch (const std::exception &error) {
        give_up(error.what());
    }
}

static void find_subjettiness(const fastjet_finder *self, size_t j, double tau[3])
{
    const std::vector<PseudoJet> &members = self->members[j];
    const ClusterSequence sequence(members, self->axes_kt);
    for (int n = 1; n <= 3; n++) {
        /* With no more constituents than axes every distance is naturally 0. */
        const bool trivial = members.size() <= static_cast<size_t>(n);
        tau[n - 1] =
            trivial ? 0 : subjettiness(members, sequence.exclusive_jets_up_to(n), self->pt[j]);
    }
}

void fastjet_finder_subjettiness(const fastjet_finder *self, size_t jet, double tau[3])
{
    try {
        find_subjettiness(self, jet, tau);
    } catch (const fastjet::Error &error) {
        give_up(error.message().c_str());
    } catch (const std::exception &error) {
        give_up(error.what());
    }
}
