/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/toy/gsl_philox.h"

#include <stdint.h>

static unsigned long draw(void *state)
{
    struct random_state *const *random = state;
    return (unsigned long)(random_u64(*random) >> 32);
}

static double draw_uniform(void *state)
{
    struct random_state *const *random = state;
    return random_uniform(*random);
}

/* Its key is that of the random state. */
static void seed(void *state, unsigned long key)
{
    (void)state;
    (void)key;
}

gsl_rng *gsl_philox_init(struct gsl_philox *self, struct random_state *random)
{
    static const gsl_rng_type philox = {.name = "philox4x64",
                                        .max = UINT32_MAX,
                                        .min = 0,
                                        .size = sizeof(struct random_state *),
                                        .set = seed,
                                        .get = draw,
                                        .get_double = draw_uniform};
    self->random = random;
    self->generator = (gsl_rng){.type = &philox, .state = &self->random};
    return &self->generator;
}
