/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seeding: the first centres of a k-means, by greedy k-means++ (Arthur, Vassilvitskii, SODA 2007)
 * with 2 + int(ln k) candidates a round, on a sample of the images. Not for callers outside this
 * room. */
#ifndef COMMON_KERNELS_CLUSTERING_SEEDING_H
#define COMMON_KERNELS_CLUSTERING_SEEDING_H

#include <stddef.h>

#include "common/base/random.h"
#include "common/base/status.h"
#include "common/kernels/image/smearing.h"
#include "common/kernels/image/sparse_images.h"

/* What the centres are drawn from; borrowed. */
struct seeding_task {
    const smearing *smear;
    const struct sparse_images *images;
    const double *norm2; /* [images] |x|^2 */
    size_t clusters;     /* k */
    size_t pixels;
    size_t sample;  /* images drawn, with replacement unless these are all */
    size_t longest; /* pixels of an image */
};

/* Writes centres [k][pixels], in pre-image space. STATUS_NO_MEMORY. The same arguments and random
 * state give the same bytes. */
MUST_CHECK status seeding_draw(const struct seeding_task *task, struct random_state *random,
                               float centres[]);

#endif
