/* SPDX-License-Identifier: GPL-3.0-or-later */
/* antikt: the native engine of jets.h against FastJet, on drawn events and on the samples, and
 * against itself on every instruction set.
 *
 * A tie is an event in which the two smallest distances of some step agree to 1e-12; the engines
 * may take either. Every event goes through both. One that comes out differently must be a tie,
 * which a third, plain clustering finds step by step: it is set apart and counted. Where nobody
 * draws ties on purpose and nothing is rounded these may be 1 in 100,000, and no more ties may be
 * among the events, one in so many, that are looked at step by step whether they differ or not.
 *
 *   test_antikt             few events of everything
 *   test_antikt drawn N     about N drawn events
 *   test_antikt samples     every row of the samples */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/random.h"
#include "common/kernels/jets/jets.h"
#include "common/store/events/event_file.h"
#include "tests/support/check_main.h"

enum { PARTICLES_MAX = 2000, KINDS = 5 };

static const double radii[] = {1.0, 0.4, 1.5707963267948966, 0.05};
static const double tie = 1e-12;
static size_t events_wanted = 10000;
static uint64_t rows_wanted = 1500;

/* --- do two distances agree? A plain clustering that keeps every nearest neighbour exact. --- */

struct body {
    double p[4]; /* px, py, pz, e */
    double y, phi, weight;
    double near2; /* to its nearest of those that weigh more, or R^2 */
    size_t near;  /* which, or itself for the beam */
    size_t birth; /* of equal weights the elder accounts for the pair */
};
static struct body body[PARTICLES_MAX];

static double apart2(const struct body *a, const struct body *b)
{
    double phi = fabs(a->phi - b->phi);
    phi = phi > M_PI ? 2 * M_PI - phi : phi;
    return (a->y - b->y) * (a->y - b->y) + phi * phi;
}

static bool accounts(size_t a, size_t b)
{
    return body[a].weight < body[b].weight ||
           (body[a].weight == body[b].weight && body[a].birth < body[b].birth);
}

/* second, if not NULL, gets the distance after the nearest, the beam's R^2 counted as one. */
static void find_near(size_t a, size_t n, double r2, double *second)
{
    double next = INFINITY;
    body[a].near2 = r2;
    body[a].near = a;
    for (size_t b = 0; b < n; b++) {
        if (b == a || !accounts(a, b))
            continue;
        const double d = apart2(&body[a], &body[b]);
        next = fmin(next, fmax(d, body[a].near2));
        if (d < body[a].near2) {
            body[a].near2 = d;
            body[a].near = b;
        }
    }
    if (second != NULL)
        *second = next;
}

static void point(struct body *b)
{
    const double pt2 = b->p[0] * b->p[0] + b->p[1] * b->p[1];
    b->weight = 1 / pt2;
    b->phi = atan2(b->p[1], b->p[0]);
    const double m2 = fmax(0, (b->p[3] + b->p[2]) * (b->p[3] - b->p[2]) - pt2);
    const double e_pz = b->p[3] + fabs(b->p[2]);
    b->y = copysign(0.5 * log((e_pz * e_pz) / (pt2 + m2)), b->p[2]);
}

/* Takes body a out; the last one takes its place. */
static void drop(size_t a, size_t *n)
{
    for (size_t k = 0; k < *n; k++)
        if (body[k].near == a)
            body[k].near = SIZE_MAX; /* is gone */
    --*n;
    body[a] = body[*n];
    for (size_t k = 0; k < *n; k++)
        if (body[k].near == *n)
            body[k].near = a;
}

static void refresh(size_t n, double r2)
{
    for (size_t k = 0; k < n; k++)
        if (body[k].near == SIZE_MAX)
            find_near(k, n, r2, NULL);
}

static void add_body(const struct body *b, size_t *n, double r2)
{
    static size_t births;
    body[*n] = *b;
    body[*n].birth = births++;
    ++*n;
    find_near(*n - 1, *n, r2, NULL);
    for (size_t k = 0; k + 1 < *n; k++) {
        const double d = apart2(&body[k], b);
        if (body[k].near != SIZE_MAX && accounts(k, *n - 1) && d < body[k].near2) {
            body[k].near2 = d;
            body[k].near = *n - 1;
        }
    }
}

static bool step_has_tie(size_t n, double r2, size_t *least)
{
    *least = 0;
    double second = INFINITY;
    for (size_t k = 1; k < n; k++) {
        const double d = body[k].near2 * body[k].weight;
        const double best = body[*least].near2 * body[*least].weight;
        second = fmin(second, fmax(d, best));
        if (d < best)
            *least = k;
    }
    double next;
    find_near(*least, n, r2, &next);
    second = fmin(second, next * body[*least].weight);
    return second <= body[*least].near2 * body[*least].weight * (1 + tie);
}

static bool has_tie(size_t count, const float pt[], const float eta[], const float phi[],
                    double radius)
{
    size_t n = 0;
    const double r2 = radius * radius;
    for (size_t i = 0; i < count; i++) {
        const double t = (double)pt[i], f = (double)phi[i], y = (double)eta[i];
        struct body b = {.p = {t * cos(f), t * sin(f), t * sinh(y), t * cosh(y)}};
        point(&b);
        b.y = y;
        add_body(&b, &n, r2);
    }
    while (n > 1) {
        size_t a;
        if (step_has_tie(n, r2, &a))
            return true;
        size_t b = body[a].near;
        if (b == a) {
            drop(a, &n);
        } else {
            struct body sum = body[a];
            for (int i = 0; i < 4; i++)
                sum.p[i] += body[b].p[i];
            point(&sum);
            drop(a > b ? a : b, &n);
            drop(a > b ? b : a, &n);
            refresh(n, r2);
            add_body(&sum, &n, r2);
        }
        refresh(n, r2);
    }
    return false;
}

/* --- native against FastJet --- */

struct comparison {
    jet_finder *ours;
    jet_finder *reference;
    double radius;
    bool clean;    /* ties are not to be expected, neither of anti-kT nor of kT */
    size_t stride; /* one in so many is looked at step by step */
    size_t events, set_apart, looked_at, ties, other_m_jj;
};

static void comparison_start(struct comparison *self, double radius, bool clean, size_t stride)
{
    *self = (struct comparison){.radius = radius, .clean = clean, .stride = stride};
    ck_assert_int_eq(jet_finder_create(&self->ours, JET_ENGINE_NATIVE, radius, 20), STATUS_OK);
    ck_assert_int_eq(jet_finder_create(&self->reference, JET_ENGINE_FASTJET, radius, 20),
                     STATUS_OK);
}

static void comparison_stop(struct comparison *self, const char *name)
{
    printf("%s: R = %.2f, %zu events, %zu set apart (%.2g), m_jj in float differs in %zu; ties in "
           "%zu of %zu looked at\n",
           name, self->radius, self->events, self->set_apart,
           (double)self->set_apart / (double)self->events, self->other_m_jj, self->ties,
           self->looked_at);
    ck_assert_uint_gt(self->events, self->set_apart);
    if (self->clean) {
        ck_assert_uint_le(self->set_apart, self->events / 100000);
        ck_assert_uint_le(self->ties, self->looked_at / 100000);
    }
    jet_finder_destroy(&self->ours);
    jet_finder_destroy(&self->reference);
}

static bool same_constituents(const struct dijet *a, const struct dijet *b)
{
    for (int j = 0; j < 2; j++) {
        const size_t n = a->jet[j].n;
        if (n != b->jet[j].n ||
            memcmp(a->jet[j].constituent, b->jet[j].constituent, n * sizeof(uint32_t)) != 0)
            return false;
    }
    return true;
}

static void check_numbers(const struct comparison *self, const struct dijet *ours,
                          const struct dijet *reference)
{
    for (size_t j = 0; j < 2; j++) {
        const struct jet *a = &ours->jet[j];
        const struct jet *b = &reference->jet[j];
        ck_assert_double_eq_tol(a->pt, b->pt, 1e-11 * b->pt);
        ck_assert_double_eq_tol(a->eta, b->eta, 1e-9);
        ck_assert_double_eq_tol(a->phi, b->phi, 1e-11);
        /* m^2 is a difference of squares of the energy */
        ck_assert_double_eq_tol(a->mass * a->mass, b->mass * b->mass,
                                1e-12 * b->pt * b->pt * pow(cosh(b->eta), 2));
        double tau[2][3];
        jet_finder_subjettiness(self->ours, j, tau[0]);
        jet_finder_subjettiness(self->reference, j, tau[1]);
        /* One axis is the jet's; which two or three there are is a matter of ties of kT. */
        for (int t = 0; t < (self->clean ? 3 : 1); t++)
            ck_assert_double_eq_tol(tau[0][t], tau[1][t], 1e-7);
    }
}

static void compare(struct comparison *self, size_t n, const float pt[], const float eta[],
                    const float phi[])
{
    struct dijet ours, reference;
    const size_t event = self->events++;
    const bool look = event % self->stride == 0;
    const enum drop_reason reason = jet_finder_find(self->ours, n, pt, eta, phi, &ours);
    const enum drop_reason expected = jet_finder_find(self->reference, n, pt, eta, phi, &reference);
    const bool same =
        reason == expected && (reason != DROP_REASONS || same_constituents(&ours, &reference));
    const bool tie_found = (look || !same) && has_tie(n, pt, eta, phi, self->radius);
    self->looked_at += look;
    self->ties += look && tie_found;
    if (!same) {
        ck_assert_msg(tie_found, "event %zu of %zu particles differs, and has no tie", event, n);
        self->set_apart++;
    } else if (reason == DROP_REASONS) {
        if (look)
            check_numbers(self, &ours, &reference);
        self->other_m_jj += (float)ours.m_jj != (float)reference.m_jj;
    }
}

struct event {
    size_t n;
    float pt[PARTICLES_MAX], eta[PARTICLES_MAX], phi[PARTICLES_MAX];
};
static struct event event;

/* Of particle i of n, in [0, 1), no two alike: equal pT would be ties. */
static double stratum(struct random_state *random, size_t i, size_t n)
{
    return ((double)(i * 7919 % n) + random_uniform(random)) / (double)n; /* 7919: a prime > n */
}

static double between(struct random_state *random, double low, double high)
{
    return low + (high - low) * random_uniform(random);
}

/* pT falls like a power over four decades. */
static void draw_soft(struct random_state *random, size_t i)
{
    event.pt[i] = (float)pow(10, 4 * stratum(random, i, event.n) - 1.5);
    event.eta[i] = (float)(2 * random_gaussian(random));
    event.phi[i] = (float)between(random, -M_PI, M_PI);
}

/* Around one of a few hard directions. */
static void draw_hard(struct random_state *random, size_t i)
{
    const double jet = (double)random_below(random, 4);
    const double width = pow(10, between(random, -3, -0.3));
    event.pt[i] = (float)(300 * exp(-4 * stratum(random, i, event.n)));
    event.eta[i] = (float)(sin(3 * jet) + width * random_gaussian(random));
    event.phi[i] = (float)(1.9 * jet + width * random_gaussian(random));
}

/* Ties on purpose: few values, and twice the same particle. */
static void draw_equal(struct random_state *random, size_t i)
{
    event.pt[i] = (float)(1 + random_below(random, 3));
    event.eta[i] = (float)random_gaussian(random);
    event.phi[i] = (float)random_below(random, 13) * 0.5f;
    if (i > 0 && random_below(random, 8) == 0) {
        event.eta[i] = event.eta[i - 1];
        event.phi[i] = event.phi[i - 1];
    }
}

/* Kinds: 0 soft, 1 hard and soft, 2 collinear pairs, 3 equal pT, and phi at 0 and 2 pi, 4 ties. */
static void draw(struct random_state *random, int kind, size_t n)
{
    event.n = n;
    for (size_t i = 0; i < n; i++) {
        if (kind == 0 || (kind == 1 && i % 2 == 0))
            draw_soft(random, i);
        else
            draw_hard(random, i);
        if (kind == 2 && i % 2 == 1) { /* as near as float32 has it, or a little further */
            event.eta[i] = nextafterf(event.eta[i - 1], 9);
            event.phi[i] = event.phi[i - 1] + (i % 4 == 1 ? 0 : 1e-4f);
        }
        if (kind == 3) {
            event.pt[i] = i % 3 == 0 ? event.pt[i] : 7;
            event.phi[i] = i % 4 == 0 ? 0 : i % 4 == 1 ? 6.2831855f : event.phi[i];
        }
        if (kind == 4)
            draw_equal(random, i);
    }
}

START_TEST(drawn_events_have_the_jets_of_fastjet)
{
    static const char *const names[KINDS] = {"soft", "soft and hard", "collinear pairs",
                                             "equal pT, phi at 0 and 2 pi", "ties on purpose"};
    /* Of all, by radius: 4, 1, 1 and 1 parts, of five kinds each. */
    const int parts = _i / KINDS == 0 ? 4 : 1;
    const int kind = _i % KINDS;
    const size_t events = (events_wanted * (size_t)parts + 34) / 35;
    struct comparison all;
    comparison_start(&all, radii[_i / KINDS], kind < 3, events < 10000 ? 4 : 64);
    for (size_t e = 0; e < events; e++) {
        struct random_state random;
        random_init(&random, 4711, (uint64_t)_i, e);
        draw(&random, kind, (size_t)exp(between(&random, log(2), log(700.99))));
        compare(&all, event.n, event.pt, event.eta, event.phi);
    }
    comparison_stop(&all, names[kind]);
}
END_TEST

static const struct {
    const char *path;
    bool whole; /* events, with unrounded particles */
} samples[] = {
    {SHARED_FOLDER "/data/events_anomalydetection_tiny.h5", true},
    {SHARED_FOLDER "/data/stand-in/lhco-table.h5", true},
    {SHARED_FOLDER "/data/stand-in/qcd-1.h5", false},
    {SHARED_FOLDER "/data/stand-in/qcd-2.h5", false},
    {SHARED_FOLDER "/data/stand-in/signal-3500-500-100.h5", false},
};

static void compare_rows(struct comparison *all, event_file *file, uint64_t rows)
{
    for (uint64_t first = 0; first < rows; first += 500) {
        struct event_batch batch;
        const uint32_t n = (uint32_t)(rows - first < 500 ? rows - first : 500);
        ck_assert_int_eq(event_file_read(file, first, n, &batch), STATUS_OK);
        for (uint32_t e = 0; e < n; e++) {
            const uint32_t at = batch.offset[e];
            compare(all, batch.offset[e + 1] - at, batch.pt + at, batch.eta + at, batch.phi + at);
        }
    }
}

START_TEST(the_samples_have_the_jets_of_fastjet)
{
    if (access(samples[_i].path, R_OK) != 0)
        SKIP("no %s", samples[_i].path);
    event_file *file;
    struct comparison all;
    ck_assert_int_eq(event_file_open(&file, samples[_i].path, NULL), STATUS_OK);
    comparison_start(&all, 1.0, samples[_i].whole, samples[_i].whole ? 1 : 32);
    const uint64_t rows = event_file_events(file);
    compare_rows(&all, file, rows < rows_wanted ? rows : rows_wanted);
    comparison_stop(&all, strrchr(samples[_i].path, '/') + 1);
    event_file_close(&file);
}
END_TEST

START_TEST(every_instruction_set_gives_the_same_bits)
{
    jet_finder *best, *other;
    ck_assert_int_eq(jet_finder_create(&best, JET_ENGINE_NATIVE, 1.0, 5), STATUS_OK);
    ck_assert_int_eq(jet_finder_create(&other, JET_ENGINE_NATIVE, 1.0, 5), STATUS_OK);
    for (int path = INSTRUCTION_SET_PLAIN; path < (int)instruction_set_best(); path++) {
        ck_assert_int_eq(jet_finder_use(other, (enum instruction_set)path), STATUS_OK);
        for (uint64_t e = 0; e < 1000; e++) {
            struct random_state random;
            struct dijet a, b;
            random_init(&random, 99, 1, e);
            draw(&random, (int)(e % KINDS), 2 + random_below(&random, 500));
            const enum drop_reason reason =
                jet_finder_find(best, event.n, event.pt, event.eta, event.phi, &a);
            ck_assert_int_eq(jet_finder_find(other, event.n, event.pt, event.eta, event.phi, &b),
                             reason);
            if (reason != DROP_REASONS)
                continue;
            ck_assert_mem_eq(&a.m_jj, &b.m_jj, sizeof a.m_jj);
            for (size_t j = 0; j < 2; j++) {
                double tau[2][3];
                jet_finder_subjettiness(best, j, tau[0]);
                jet_finder_subjettiness(other, j, tau[1]);
                ck_assert_mem_eq(tau[0], tau[1], sizeof tau[0]);
                ck_assert_mem_eq(&a.jet[j], &b.jet[j], offsetof(struct jet, constituent));
                ck_assert_mem_eq(a.jet[j].constituent, b.jet[j].constituent,
                                 a.jet[j].n * sizeof *a.jet[j].constituent);
            }
        }
    }
    jet_finder_destroy(&best);
    jet_finder_destroy(&other);
}
END_TEST

int main(int argc, char **argv)
{
    const bool drawn = argc == 3 && strcmp(argv[1], "drawn") == 0;
    const bool sampled = argc == 2 && strcmp(argv[1], "samples") == 0;
    TCase *cases = tcase_create("antikt");
    if (drawn)
        events_wanted = strtoul(argv[2], NULL, 10);
    if (sampled)
        rows_wanted = UINT64_MAX;
    if (!sampled)
        tcase_add_loop_test(cases, drawn_events_have_the_jets_of_fastjet, 0,
                            KINDS * (int)(sizeof radii / sizeof *radii));
    if (!drawn)
        tcase_add_loop_test(cases, the_samples_have_the_jets_of_fastjet, 0,
                            (int)(sizeof samples / sizeof *samples));
    if (!drawn && !sampled)
        tcase_add_test(cases, every_instruction_set_gives_the_same_bits);
    return run_case(cases, "antikt");
}
