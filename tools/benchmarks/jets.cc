/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jets: anti-kT (R = 1, jets above 20 GeV) of our own against FastJet called directly, in turn on
 * the same events, one thread.
 *   bench_jets [--repeats N] [FILE...] [--drawn PARTICLES...]
 * A FILE is one that event_file.h reads, all its rows. For each number of PARTICLES two sets are
 * drawn: "jets", half of the particles in two hard jets, a quarter in two softer ones, the rest
 * spread; and "featureless", exponential pT and no direction preferred. Per set one line of JSON:
 *   {"set", "events", "particles": per event, "unlike": events with other jets than FastJet's,
 *    "ours": [seconds for all events, per repeat], "peer": [...]}
 * Both sides start from float32 (pT, eta, phi) and end with the two leading jets and their
 * constituents. */
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fastjet/ClusterSequence.hh>
#include <string>
#include <vector>

extern "C" {
#include "common/base/log.h"
#include "common/base/random.h"
#include "common/kernels/jets/jets.h"
#include "common/store/disk/hdf5_util.h"
#include "common/store/events/event_file.h"
}

using fastjet::ClusterSequence;
using fastjet::JetDefinition;
using fastjet::PseudoJet;

namespace {

const double radius = 1.0;
const double pt_min = 20;
/* So many drawn events that a pass over them takes about as long as one over a file. */
const size_t drawn_particles = 400000;

struct event_set {
    std::string name;
    std::vector<size_t> offset = {0};
    std::vector<float> pt, eta, phi;

    size_t events() const
    {
        return offset.size() - 1;
    }
};

/* Of one event; with fewer than two jets both are empty. */
struct two_jets {
    std::vector<uint32_t> constituents[2];
};

struct finders {
    jet_finder *ours = NULL;
    JetDefinition anti_kt{fastjet::antikt_algorithm, radius};
    std::vector<PseudoJet> particles; /* kept so that its memory is used again */
};

void check(status done)
{
    if (done != STATUS_OK)
        std::exit(EXIT_RUN_FAILED);
}

event_set read_events(const char *path)
{
    event_file *file = NULL;
    event_set set;
    set.name = std::strrchr(path, '/') != NULL ? std::strrchr(path, '/') + 1 : path;
    check(event_file_open(&file, path, NULL));
    const uint64_t events = event_file_events(file);
    for (uint64_t first = 0; first < events; first += 512) {
        event_batch batch;
        const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(512, events - first));
        check(event_file_read(file, first, n, &batch));
        const size_t before = set.pt.size();
        set.pt.insert(set.pt.end(), batch.pt, batch.pt + batch.particles);
        set.eta.insert(set.eta.end(), batch.eta, batch.eta + batch.particles);
        set.phi.insert(set.phi.end(), batch.phi, batch.phi + batch.particles);
        for (uint32_t e = 0; e < n; e++)
            set.offset.push_back(before + batch.offset[e + 1]);
    }
    event_file_close(&file);
    return set;
}

void add_particle(event_set *set, double pt, double eta, double phi)
{
    const double turn = 2 * M_PI;
    set->pt.push_back(static_cast<float>(pt));
    set->eta.push_back(static_cast<float>(eta));
    set->phi.push_back(static_cast<float>(phi - turn * std::floor(phi / turn)));
}

void draw_featureless(event_set *set, size_t n, random_state *random)
{
    for (size_t i = 0; i < n; i++)
        add_particle(set, -10 * std::log(1 - random_uniform(random)),
                     8 * random_uniform(random) - 4, 2 * M_PI * random_uniform(random));
}

/* Particle i of n in a jet of that pT: steeply falling pT, harder ones nearer to the axis. */
void add_to_jet(event_set *set, double jet_pt, double eta, double phi, size_t n,
                random_state *random)
{
    const double hardness = random_uniform(random);
    const double share = std::pow(hardness, 4) * 5 / static_cast<double>(n);
    const double width = 0.25 * std::pow(1.05 - hardness, 1.5) + 0.01;
    add_particle(set, jet_pt * share + 0.3, eta + width * random_gaussian(random),
                 phi + width * random_gaussian(random));
}

void draw_jets(event_set *set, size_t n, random_state *random)
{
    static const double jet_pt[4] = {1500, 1400, 200, 100};
    double eta[4], phi[4];
    for (int j = 0; j < 4; j++) {
        eta[j] = random_gaussian(random);
        phi[j] = 2 * M_PI * random_uniform(random);
    }
    phi[1] = phi[0] + M_PI + 0.1 * random_gaussian(random);
    for (size_t i = 0; i < n; i++) {
        static const int owner[8] = {0, 1, 0, 1, 2, 3, -1, -1};
        const int j = owner[i % 8];
        if (j < 0)
            add_particle(set, 0.3 - 1.5 * std::log(1 - random_uniform(random)),
                         8 * random_uniform(random) - 4, 2 * M_PI * random_uniform(random));
        else
            add_to_jet(set, jet_pt[j], eta[j], phi[j], j < 2 ? n / 4 : n / 8, random);
    }
}

event_set draw_events(const char *model, size_t particles)
{
    event_set set;
    set.name = "drawn " + std::string(model) + " " + std::to_string(particles);
    const bool jets = std::strcmp(model, "jets") == 0;
    const size_t events = std::max<size_t>(drawn_particles / particles, 100);
    for (size_t e = 0; e < events; e++) {
        random_state random;
        random_init(&random, particles, jets, e);
        (jets ? draw_jets : draw_featureless)(&set, particles, &random);
        set.offset.push_back(set.pt.size());
    }
    return set;
}

void find_ours(finders *by, const event_set &set, size_t e, two_jets *out)
{
    const size_t at = set.offset[e];
    dijet found;
    const bool two = jet_finder_find(by->ours, set.offset[e + 1] - at, &set.pt[at], &set.eta[at],
                                     &set.phi[at], &found) == DROP_REASONS;
    for (int j = 0; out != NULL && j < 2; j++) {
        const jet &jet = found.jet[j];
        out->constituents[j].assign(jet.constituent, jet.constituent + (two ? jet.n : 0));
    }
}

void find_peer(finders *by, const event_set &set, size_t e, two_jets *out)
{
    by->particles.clear();
    /* The cheapest way in: FastJet need not find rapidity and azimuth again. */
    for (size_t i = set.offset[e]; i < set.offset[e + 1]; i++)
        by->particles.push_back(fastjet::PtYPhiM(set.pt[i], set.eta[i], set.phi[i]));
    const ClusterSequence sequence(by->particles, by->anti_kt);
    const std::vector<PseudoJet> jets = fastjet::sorted_by_pt(sequence.inclusive_jets(pt_min));
    for (size_t j = 0; j < 2 && jets.size() >= 2; j++) {
        const std::vector<PseudoJet> constituents = jets[j].constituents();
        for (size_t i = 0; out != NULL && i < constituents.size(); i++)
            out->constituents[j].push_back(
                static_cast<uint32_t>(constituents[i].cluster_hist_index()));
    }
}

size_t count_unlike(finders *by, const event_set &set)
{
    size_t unlike = 0;
    for (size_t e = 0; e < set.events(); e++) {
        two_jets ours, peer;
        find_ours(by, set, e, &ours);
        find_peer(by, set, e, &peer);
        for (auto &constituents : peer.constituents)
            std::sort(constituents.begin(), constituents.end());
        unlike += ours.constituents[0] != peer.constituents[0] ||
                  ours.constituents[1] != peer.constituents[1];
    }
    return unlike;
}

template <typename Find> double measure(Find find, finders *by, const event_set &set)
{
    const auto start = std::chrono::steady_clock::now();
    for (size_t e = 0; e < set.events(); e++)
        find(by, set, e, nullptr);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void print_seconds(const char *name, const std::vector<double> &seconds)
{
    std::printf(", \"%s\": [", name);
    for (size_t i = 0; i < seconds.size(); i++)
        std::printf("%s%.9f", i == 0 ? "" : ", ", seconds[i]);
    std::printf("]");
}

void run(finders *by, const event_set &set, int repeats)
{
    std::vector<double> ours, peer;
    const size_t unlike = count_unlike(by, set);
    for (int r = 0; r < repeats; r++) {
        if (r % 2 == 0)
            ours.push_back(measure(find_ours, by, set));
        peer.push_back(measure(find_peer, by, set));
        if (r % 2 == 1)
            ours.push_back(measure(find_ours, by, set));
    }
    std::printf("{\"set\": \"%s\", \"events\": %zu, \"particles\": %.1f, \"unlike\": %zu",
                set.name.c_str(), set.events(),
                static_cast<double>(set.pt.size()) / static_cast<double>(set.events()), unlike);
    print_seconds("ours", ours);
    print_seconds("peer", peer);
    std::printf("}\n");
    std::fflush(stdout);
}

/* A number of at least 1, or the end of the program. */
long number(const char *text)
{
    char *end = NULL;
    const long value = text != NULL ? std::strtol(text, &end, 10) : 0;
    if (value >= 1 && *end == '\0')
        return value;
    std::fprintf(stderr, "bench_jets: '%s' is no number of at least 1\n", text ? text : "");
    std::exit(EXIT_BAD_INPUT);
}

} // namespace

int main(int argc, char **argv)
{
    finders by;
    int repeats = 5;
    bool drawn = false;
    log_init("bench_jets", LOG_INFO);
    hdf5_silence();
    ClusterSequence::set_fastjet_banner_stream(NULL);
    check(jet_finder_create(&by.ours, JET_ENGINE_NATIVE, radius, pt_min));
    for (int i = 1; i < argc; i++) {
        if (std::strcmp(argv[i], "--repeats") == 0) {
            repeats = static_cast<int>(number(argv[++i]));
        } else if (std::strcmp(argv[i], "--drawn") == 0) {
            drawn = true;
        } else if (!drawn) {
            run(&by, read_events(argv[i]), repeats);
        } else {
            for (const char *model : {"jets", "featureless"})
                run(&by, draw_events(model, static_cast<size_t>(number(argv[i]))), repeats);
        }
    }
    jet_finder_destroy(&by.ours);
    return EXIT_DONE;
}
