/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/verdicts.h"

#include <assert.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/statistics/robust.h"

/* 20 jets and an outlier's 3 standard deviations are those of a normal distribution; the paper's
 * own runs had below 20 in one cluster-bin of 800,000. */
const struct verdict_settings verdict_defaults = {.counts = 20,
                                                  .few_doubtful = 0.01,
                                                  .few_bad = 0.25,
                                                  .agreement = 0.5,
                                                  .depleted_doubtful = 3,
                                                  .depleted_bad = 5};

const char *verdict_name(enum verdict_check check)
{
    static const char *const names[VERDICT_CHECKS] = {
        [VERDICT_COUNTS] = "counts",         [VERDICT_RICH] = "rich_clusters",
        [VERDICT_AGREEMENT] = "agreement",   [VERDICT_UNSEARCHED] = "unsearched_bins",
        [VERDICT_BACKGROUND] = "background", [VERDICT_DEPLETED] = "depleted_excess",
        [VERDICT_TRAINING] = "training",     [VERDICT_REACHABLE] = "reachable"};
    assert(check < VERDICT_CHECKS);
    return names[check];
}

const char *verdict_state_name(enum verdict_state state)
{
    static const char *const names[VERDICT_STATES] = {"good", "doubtful", "bad"};
    assert(state < VERDICT_STATES);
    return names[state];
}

/* One member's part of the selection. */
struct member {
    uint32_t k;
    uint32_t bins;
    const uint64_t *counts; /* [k, bins] */
    const double *z;        /* [k, bins] */
    const uint8_t *label;   /* [k] */
    const uint64_t *rich;   /* [bins] */
    const uint64_t *depleted;
};

static struct member member_of(const struct selection_record *selection, size_t m)
{
    const struct spectra_record *sum = &selection->summed;
    const size_t cells = (size_t)sum->clusters * sum->bins;
    return (struct member){.k = sum->clusters,
                           .bins = sum->bins,
                           .counts = sum->counts + m * cells,
                           .z = selection->z + m * cells,
                           .label = selection->label + m * sum->clusters,
                           .rich = selection->rich + m * sum->bins,
                           .depleted = selection->depleted + m * sum->bins};
}

static uint64_t jets_of(const struct member *member, uint32_t cluster)
{
    uint64_t jets = 0;
    for (uint32_t b = 0; b < member->bins; b++)
        jets += member->counts[(size_t)cluster * member->bins + b];
    return jets;
}

static uint32_t filled_clusters(const struct member *member)
{
    uint32_t n = 0;
    for (uint32_t c = 0; c < member->k; c++)
        n += jets_of(member, c) > 0;
    return n;
}

static double median_of(size_t n, double x[])
{
    gsl_sort(x, 1, n);
    return gsl_stats_median_from_sorted_data(x, 1, n);
}

static void say(struct verdict *out, enum verdict_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void say(struct verdict *out, enum verdict_state state, const char *format, ...)
{
    va_list arguments;
    out->state = state;
    va_start(arguments, format);
    vsnprintf(out->text, sizeof out->text, format, arguments);
    va_end(arguments);
}

/* --- counts ------------------------------------------------------------------------------ */

static void check_counts(struct verdict *out, const struct verdict_settings *settings,
                         const struct verdict_input *input)
{
    const struct spectra_record *sum = &input->selection->summed;
    const size_t cells = (size_t)sum->members * sum->clusters * sum->bins;
    size_t few = 0;
    double all = 0;
    for (size_t i = 0; i < cells; i++) {
        few += sum->counts[i] < settings->counts;
        all += (double)sum->counts[i];
    }
    const double share = (double)few / (double)cells;
    const enum verdict_state state = share > settings->few_bad        ? VERDICT_BAD
                                     : share > settings->few_doubtful ? VERDICT_DOUBTFUL
                                                                      : VERDICT_GOOD;
    if (state == VERDICT_GOOD)
        say(out, state,
            "%zu of %zu cluster-bins hold fewer than %" PRIu32 " jets, on average %.0f: enough for "
            "the standardised deviations to be normal",
            few, cells, settings->counts, all / (double)cells);
    else
        say(out, state,
            "too few events for these settings: %zu of %zu cluster-bins hold fewer than %" PRIu32
            " jets, on average %.1f (%" PRIu32 " clusters in %" PRIu32
            " mass bins); the deviations "
            "are not normal there, and clusters are picked by chance. Take more events, or fewer "
            "clusters or bins",
            few, cells, settings->counts, all / (double)cells, sum->clusters, sum->bins);
}

/* --- picked clusters --------------------------------------------------------------------- */

static status check_rich(struct verdict *out, const struct verdict_input *input)
{
    const struct spectra_record *sum = &input->selection->summed;
    double *rich = malloc(sum->members * sizeof *rich);
    if (rich == NULL)
        return STATUS_NO_MEMORY;
    for (size_t m = 0; m < sum->members; m++) {
        const struct member member = member_of(input->selection, m);
        rich[m] = 0;
        for (uint32_t c = 0; c < member.k; c++)
            rich[m] += member.label[c] == 1;
    }
    const double median = median_of(sum->members, rich);
    free(rich);
    /* A normal deviate is above 3 with probability 0.00135 (and so on). */
    const double by_chance =
        (double)sum->clusters * sum->bins * 0.5 * erfc(input->threshold / M_SQRT2);
    const double stood = input->outlier_fraction * sum->clusters;
    const enum verdict_state state = median > 0.5 * sum->clusters       ? VERDICT_BAD
                                     : median > (stood > 1 ? stood : 1) ? VERDICT_DOUBTFUL
                                                                        : VERDICT_GOOD;
    say(out, state,
        "%g of %" PRIu32
        " clusters are picked in the median member; %.1f are expected by chance, and "
        "the estimators stand %g outliers%s",
        median, sum->clusters, by_chance, stood,
        state == VERDICT_GOOD ? "" : ": what is typical is itself made of outliers");
    return STATUS_OK;
}

/* --- agreement --------------------------------------------------------------------------- */

int32_t most_named_bin(size_t members, const int32_t bin[], size_t *named)
{
    int32_t best = -1;
    *named = 0;
    for (size_t m = 0; m < members; m++) {
        size_t n = 0;
        for (size_t other = 0; other < members; other++)
            n += bin[other] == bin[m];
        if (bin[m] >= 0 && (n > *named || (n == *named && bin[m] < best))) {
            best = bin[m];
            *named = n;
        }
    }
    return best;
}

static void check_agreement(struct verdict *out, const struct verdict_settings *settings,
                            const struct verdict_input *input)
{
    const size_t members = input->selection->summed.members;
    size_t named;
    const int32_t bin = most_named_bin(members, input->bin, &named);
    if (bin < 0) {
        say(out, VERDICT_GOOD, "no member has an excess in any mass bin");
        return;
    }
    const double share = (double)named / (double)members;
    const enum verdict_state state =
        members > 1 && share < settings->agreement ? VERDICT_DOUBTFUL : VERDICT_GOOD;
    say(out, state,
        "%zu of %zu members have their largest excess at %g to %g GeV, more than at any other "
        "place%s",
        named, members, mass_bins_edge(&input->bins, (uint32_t)bin),
        mass_bins_edge(&input->bins, (uint32_t)bin + 1),
        state == VERDICT_GOOD ? "" : ": the members disagree, as they do on background alone");
}

/* --- bins that were not searched --------------------------------------------------------- */

/* Mass ranges as text: consecutive marked bins are one range. */
struct mass_ranges {
    size_t used;
    char text[200];
};

static void add_range(struct mass_ranges *self, double lo, double hi)
{
    const size_t room = sizeof self->text - self->used;
    const int n =
        snprintf(self->text + self->used, room, "%s%g to %g", self->used > 0 ? ", " : "", lo, hi);
    if (n > 0 && (size_t)n < room)
        self->used += (size_t)n;
    else
        self->text[self->used] = '\0';
}

static void add_ranges(struct mass_ranges *self, const struct mass_bins *bins,
                       const uint8_t marked[])
{
    for (uint32_t b = 0; b < bins->n; b++) {
        uint32_t end = b;
        while (end < bins->n && marked[end])
            end++;
        if (end == b)
            continue;
        add_range(self, mass_bins_edge(bins, b), mass_bins_edge(bins, end));
        b = end;
    }
}

/* A bin that has jets, but in which no cluster has a deviation. */
static bool is_unsearched(const struct member *member, uint32_t b, uint64_t *jets)
{
    *jets = 0;
    for (uint32_t c = 0; c < member->k; c++) {
        *jets += member->counts[(size_t)c * member->bins + b];
        if (member->z[(size_t)c * member->bins + b] != 0)
            return false;
    }
    return *jets > 0;
}

static void check_unsearched(struct verdict *out, const struct verdict_settings *settings,
                             const struct verdict_input *input, uint8_t marked[])
{
    const struct spectra_record *sum = &input->selection->summed;
    struct mass_ranges ranges = {0};
    size_t members = 0;
    uint64_t most = 0;
    memset(marked, 0, sum->bins);
    for (size_t m = 0; m < sum->members; m++) {
        const struct member member = member_of(input->selection, m);
        uint64_t missed = 0;
        for (uint32_t b = 0; b < sum->bins; b++) {
            uint64_t jets;
            if (!is_unsearched(&member, b, &jets))
                continue;
            marked[b] = 1;
            missed += jets;
        }
        members += missed > 0;
        most = missed > most ? missed : most;
    }
    add_ranges(&ranges, &input->bins, marked);
    if (members == 0)
        say(out, VERDICT_GOOD, "every mass bin that holds jets was searched by every member");
    else
        say(out, most >= settings->counts ? VERDICT_BAD : VERDICT_DOUBTFUL,
            "%zu of %zu members could not search %s GeV, which hold up to %" PRIu64 " jets: so few "
            "clusters have jets there that the others show no spread, and any excess in them is "
            "not "
            "seen",
            members, (size_t)sum->members, ranges.text, most);
}

/* --- bins without a background ----------------------------------------------------------- */

static void check_background(struct verdict *out, const struct verdict_input *input,
                             uint8_t marked[])
{
    const struct spectra_record *sum = &input->selection->summed;
    struct mass_ranges ranges = {0};
    size_t members = 0, nothing = 0;
    uint64_t most = 0;
    memset(marked, 0, sum->bins);
    for (size_t m = 0; m < sum->members; m++) {
        const struct member member = member_of(input->selection, m);
        uint64_t alone = 0, depleted = 0, rich = 0;
        for (uint32_t b = 0; b < sum->bins; b++) {
            depleted += member.depleted[b];
            rich += member.rich[b];
            if (member.depleted[b] > 0 || member.rich[b] == 0)
                continue;
            marked[b] = 1;
            alone += member.rich[b];
        }
        members += alone > 0;
        nothing += depleted == 0 && rich > 0;
        most = alone > most ? alone : most;
    }
    add_ranges(&ranges, &input->bins, marked);
    if (nothing > 0)
        say(out, VERDICT_BAD,
            "in %zu of %zu members every jet is in a picked cluster: nothing is left to say what "
            "is "
            "expected",
            nothing, (size_t)sum->members);
    else if (members > 0)
        say(out, VERDICT_DOUBTFUL,
            "in %zu of %zu members the depleted clusters have no jet at %s GeV, where the picked "
            "ones hold up to %" PRIu64 ": there is no background to compare with, and the "
            "significance there is that of the on/off binomial",
            members, (size_t)sum->members, ranges.text, most);
    else
        say(out, VERDICT_GOOD,
            "the depleted clusters have jets in every mass bin that is compared");
}

/* --- what the selection left behind ------------------------------------------------------ */

enum { TERMS = 4 };

/* Solves the symmetric system a x = y in place by Cholesky's steps; false if it is singular. */
static bool solve(double a[TERMS][TERMS], double y[TERMS])
{
    for (int i = 0; i < TERMS; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = a[i][j];
            for (int k = 0; k < j; k++)
                sum -= a[i][k] * a[j][k];
            if (i != j)
                a[i][j] = sum / a[j][j];
            else if (sum > 1e-10)
                a[i][i] = sqrt(sum);
            else
                return false;
        }
    }
    for (int i = 0; i < TERMS; i++) {
        for (int k = 0; k < i; k++)
            y[i] -= a[i][k] * y[k];
        y[i] /= a[i][i];
    }
    return true;
}

/* Powers of the logarithm of mass, scaled to -1 .. 1 over the spectrum. */
static void terms_of(const struct mass_bins *bins, uint32_t b, double out[TERMS])
{
    const double lo = log(fmax(bins->lo, 1)), hi = log(bins->hi);
    const double middle = 0.5 * (mass_bins_edge(bins, b) + mass_bins_edge(bins, b + 1));
    const double x = 2 * (log(middle) - lo) / (hi - lo) - 1;
    out[0] = 1;
    for (int i = 1; i < TERMS; i++)
        out[i] = out[i - 1] * x;
}

/* ln of the counts as a cubic in ln of mass, fitted to all bins but b and its neighbours; the
 * excess of bin b over it in standard deviations of both. 0 where it cannot be told. */
static double excess_over_neighbours(const struct mass_bins *bins, const uint64_t counts[],
                                     uint32_t b)
{
    double a[TERMS][TERMS] = {{0}}, y[TERMS] = {0}, at[TERMS];
    size_t used = 0;
    for (uint32_t other = 0; other < bins->n; other++) {
        double t[TERMS];
        if (other + 1 == b || other == b || other == b + 1 || counts[other] == 0)
            continue;
        const double n = (double)counts[other]; /* 1 / variance of its logarithm */
        terms_of(bins, other, t);
        for (int i = 0; i < TERMS; i++) {
            for (int j = 0; j < TERMS; j++)
                a[i][j] += n * t[i] * t[j];
            y[i] += n * log(n) * t[i];
        }
        used++;
    }
    if (used < TERMS + 2 || !solve(a, y))
        return 0;
    /* With a = L L' and L y = rhs: the value is t' x = (L^-1 t)' y, its variance |L^-1 t|^2. */
    terms_of(bins, b, at);
    double value = 0, variance = 0;
    for (int i = 0; i < TERMS; i++) {
        for (int k = 0; k < i; k++)
            at[i] -= a[i][k] * at[k];
        at[i] /= a[i][i];
        value += at[i] * y[i];
        variance += at[i] * at[i];
    }
    const double expected = exp(value);
    /* The two jets of an event fall into one bin: counts of jets vary by twice their number. */
    return ((double)counts[b] - expected) / sqrt(2 * (expected + expected * expected * variance));
}

static status check_depleted(struct verdict *out, const struct verdict_settings *settings,
                             const struct verdict_input *input)
{
    const struct spectra_record *sum = &input->selection->summed;
    double *z = malloc(sum->members * sizeof *z);
    if (z == NULL)
        return STATUS_NO_MEMORY;
    double most = 0;
    uint32_t at = 0;
    for (uint32_t b = 1; b + 1 < sum->bins; b++) { /* the ends have no neighbour on one side */
        for (size_t m = 0; m < sum->members; m++)
            z[m] = excess_over_neighbours(&input->bins, member_of(input->selection, m).depleted, b);
        const double median = median_of(sum->members, z);
        if (median > most) {
            most = median;
            at = b;
        }
    }
    free(z);
    const enum verdict_state state = most >= settings->depleted_bad        ? VERDICT_BAD
                                     : most >= settings->depleted_doubtful ? VERDICT_DOUBTFUL
                                                                           : VERDICT_GOOD;
    if (state == VERDICT_GOOD)
        say(out, state,
            "the depleted spectrum is smooth: no bin is %g standard deviations above a "
            "curve through the others",
            settings->depleted_doubtful);
    else
        say(out, state,
            "the depleted spectrum itself has an excess at %g to %g GeV, %.1f standard deviations "
            "above a curve through its other bins (median member): a signal may have been left "
            "behind in the clusters that say what is expected",
            mass_bins_edge(&input->bins, at), mass_bins_edge(&input->bins, at + 1), most);
    return STATUS_OK;
}

/* --- training window --------------------------------------------------------------------- */

static void check_training(struct verdict *out, const struct verdict_input *input)
{
    size_t named;
    const int32_t bin = most_named_bin(input->selection->summed.members, input->bin, &named);
    const double lo = bin < 0 ? 0 : mass_bins_edge(&input->bins, (uint32_t)bin);
    const double hi = bin < 0 ? 0 : mass_bins_edge(&input->bins, (uint32_t)bin + 1);
    if (bin >= 0 && lo < input->training[1] && hi > input->training[0])
        say(out, VERDICT_DOUBTFUL,
            "the excess at %g to %g GeV lies in the training window (%g to %g GeV): clusters were "
            "made from these very events",
            lo, hi, input->training[0], input->training[1]);
    else
        say(out, VERDICT_GOOD, "no excess lies in the training window (%g to %g GeV)",
            input->training[0], input->training[1]);
}

/* --- threshold --------------------------------------------------------------------------- */

static void check_reachable(struct verdict *out, const struct verdict_input *input)
{
    const struct spectra_record *sum = &input->selection->summed;
    uint32_t least = sum->clusters;
    for (size_t m = 0; m < sum->members; m++) {
        const struct member member = member_of(input->selection, m);
        const uint32_t filled = filled_clusters(&member);
        least = filled < least ? filled : least;
    }
    const double most = least > 0 ? largest_z(least, input->outlier_fraction, input->sd_factor) : 0;
    if (most > input->threshold)
        say(out, VERDICT_GOOD, "a cluster can pass the threshold of %g", input->threshold);
    else
        say(out, VERDICT_BAD,
            "nothing can be picked: with %" PRIu32
            " clusters that have jets and outlier_fraction %g "
            "no deviation exceeds %.2f, and the threshold is %g",
            least, input->outlier_fraction, most, input->threshold);
}

/* --- all --------------------------------------------------------------------------------- */

status verdicts_make(struct verdict out[VERDICT_CHECKS], const struct verdict_settings *settings,
                     const struct verdict_input *input)
{
    const uint32_t bins = input->selection->summed.bins;
    assert(input->bins.n == bins);
    uint8_t *marked = malloc(bins);
    if (marked == NULL)
        return STATUS_NO_MEMORY;
    check_counts(&out[VERDICT_COUNTS], settings, input);
    check_agreement(&out[VERDICT_AGREEMENT], settings, input);
    check_unsearched(&out[VERDICT_UNSEARCHED], settings, input, marked);
    check_background(&out[VERDICT_BACKGROUND], input, marked);
    check_training(&out[VERDICT_TRAINING], input);
    check_reachable(&out[VERDICT_REACHABLE], input);
    free(marked);
    const status done = check_rich(&out[VERDICT_RICH], input);
    return done == STATUS_OK ? check_depleted(&out[VERDICT_DEPLETED], settings, input) : done;
}

enum verdict_state verdicts_worst(const struct verdict verdicts[VERDICT_CHECKS])
{
    enum verdict_state worst = VERDICT_GOOD;
    for (int i = 0; i < VERDICT_CHECKS; i++)
        if (verdicts[i].state > worst)
            worst = verdicts[i].state;
    return worst;
}
