/* SPDX-License-Identifier: GPL-3.0-or-later */
/* random: counter-based random numbers, the same on every machine and in any process.
 * Random123's philox4x64-10 (Salmon et al., SC'11, doi 10.1145/2063384.2063405), keyed
 * by two numbers (for instance seed and member), so that streams never overlap. */
#ifndef COMMON_BASE_RANDOM_H
#define COMMON_BASE_RANDOM_H

#include <stdint.h>

struct random_state {
    uint64_t key[2];
    uint64_t counter; /* blocks of four used so far */
    uint64_t stream;
    uint64_t block[4];
    unsigned left; /* of block */
};

/* Starts stream `stream` (for instance an event number) of key (key0, key1). */
void random_init(struct random_state *self, uint64_t key0, uint64_t key1, uint64_t stream);
uint64_t random_u64(struct random_state *self);
/* Uniform in [0, 1), 53 bits. */
double random_uniform(struct random_state *self);
/* Uniform in 0 .. n - 1 without bias; n > 0. */
uint64_t random_below(struct random_state *self, uint64_t n);
/* Unit Gaussian (Box-Muller, one of the pair). */
double random_gaussian(struct random_state *self);

#endif
