/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gsl_philox: our counter-based random numbers (common/base/random.h) as a generator of GSL, so
 * that GSL's distributions (gsl_ran_binomial, gsl_ran_multinomial, ...) draw from them. */
#ifndef COMMON_KERNELS_TOY_GSL_PHILOX_H
#define COMMON_KERNELS_TOY_GSL_PHILOX_H

#include <gsl/gsl_rng.h>

#include "common/base/random.h"

/* A generator that draws 32 bits at a time from *random, which is borrowed and advances: the upper
 * half of every word. It is valid as long as *self and *random; GSL must not free, clone or seed
 * it.
 */
struct gsl_philox {
    gsl_rng generator;
    struct random_state *random;
};
/* Fills in *self; returns its generator. */
gsl_rng *gsl_philox_init(struct gsl_philox *self, struct random_state *random);

#endif
