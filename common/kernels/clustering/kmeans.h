/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kmeans: mini-batch k-means on sparse jet images.
 * After scikit-learn 1.2's MiniBatchKMeans (Sculley, WWW 2010, doi 10.1145/1772690.1772862;
 * k-means++: Arthur, Vassilvitskii, SODA 2007): initialisation sample of 3 x batch, greedy
 * k-means++ with 2 + int(ln k) candidates, learning rate 1/count per centre, random
 * reassignment of centres with counts below 0.01 of the largest, stop when the exponentially
 * smoothed inertia has not improved for 10 steps or after 100 passes. Compared with it in
 * distribution, not run by run. */
#ifndef COMMON_KERNELS_CLUSTERING_KMEANS_H
#define COMMON_KERNELS_CLUSTERING_KMEANS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/clustering/model.h"

struct kmeans_settings {
    size_t clusters; /* k */
    size_t batch;    /* jets per step; capped at the number of jets */
    uint64_t seed;   /* with member the key of every random number */
    uint64_t member;
};

struct kmeans_result {
    double inertia; /* sum of squared distances of all jets to their centres */
    uint64_t steps;
};

/* norm2[n] = |x|^2 of every image: computed once, shared by the members. */
void kmeans_norms(const smearing *smear, const struct sparse_images *images, double norm2[]);

/* Trains one member. Writes centres [k][side * side] (pre-image space, the float32 values that
 * labels are computed with) and *result. STATUS_BAD_SHAPE, changing nothing, if there are
 * fewer images than clusters; STATUS_NO_MEMORY. The same arguments give the same bytes. */
MUST_CHECK status kmeans_train(const struct kmeans_settings *settings, const smearing *smear,
                               const struct sparse_images *images, const double norm2[],
                               float centres[], struct kmeans_result *result);

#endif
