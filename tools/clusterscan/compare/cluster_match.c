/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/compare/cluster_match.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/kernels/clustering/model.h"

/* All centres of a side as they are clustered: smeared. out[clusters, pixels]. */
static void smear_all(const smearing *smear, size_t clusters, size_t pixels, const float centres[],
                      double sharp[], double out[])
{
    for (size_t c = 0; c < clusters; c++) {
        for (size_t p = 0; p < pixels; p++)
            sharp[p] = (double)centres[c * pixels + p];
        smearing_once(smear, sharp, out + c * pixels);
    }
}

static double distance(size_t pixels, const double a[], const double b[])
{
    double sum = 0;
    for (size_t p = 0; p < pixels; p++)
        sum += (a[p] - b[p]) * (a[p] - b[p]);
    return sqrt(sum);
}

static double overlap(size_t bins, const uint64_t a[], const uint64_t b[])
{
    double common = 0, all_a = 0, all_b = 0;
    for (size_t i = 0; i < bins; i++) {
        common += fmin((double)a[i], (double)b[i]);
        all_a += (double)a[i];
        all_b += (double)b[i];
    }
    return common > 0 ? common / fmax(all_a, all_b) : 0;
}

/* By distance, then by number, so that the order is always the same. */
static int compare_matches(const void *x, const void *y)
{
    const struct match *a = x, *b = y;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return a->b < b->b ? -1 : a->b > b->b;
}

/* taken[2 clusters] of a, then of b; all false. pairs are sorted. */
static void pick(struct match out[], size_t clusters, const struct match pairs[], bool taken[])
{
    size_t n = 0;
    for (size_t i = 0; n < clusters; i++) {
        if (taken[pairs[i].a] || taken[clusters + pairs[i].b])
            continue;
        taken[pairs[i].a] = taken[clusters + pairs[i].b] = true;
        out[n++] = pairs[i];
    }
}

status clusters_match(struct match out[], size_t clusters, size_t bins, uint32_t side, double smear,
                      const struct match_side *a, const struct match_side *b)
{
    const size_t pixels = (size_t)side * side;
    smearing *smearer = NULL;
    double *images = malloc((2 * clusters + 1) * pixels * sizeof *images);
    struct match *pairs = malloc(clusters * clusters * sizeof *pairs);
    bool *taken = calloc(2 * clusters, sizeof *taken);
    status done = images != NULL && pairs != NULL && taken != NULL
                      ? smearing_create(&smearer, side, smear)
                      : STATUS_NO_MEMORY;
    if (done != STATUS_OK)
        goto end;
    double *of_b = images + clusters * pixels, *sharp = of_b + clusters * pixels;
    smear_all(smearer, clusters, pixels, a->centres, sharp, images);
    smear_all(smearer, clusters, pixels, b->centres, sharp, of_b);
    for (size_t i = 0; i < clusters; i++)
        for (size_t j = 0; j < clusters; j++)
            pairs[i * clusters + j] = (struct match){
                .a = i,
                .b = j,
                .distance = distance(pixels, images + i * pixels, of_b + j * pixels),
                .overlap = overlap(bins, a->counts + i * bins, b->counts + j * bins)};
    qsort(pairs, clusters * clusters, sizeof *pairs, compare_matches);
    pick(out, clusters, pairs, taken);
    smearing_destroy(&smearer);
end:
    free(images);
    free(pairs);
    free(taken);
    return done;
}
