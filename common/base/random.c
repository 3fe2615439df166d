/* SPDX-License-Identifier: GPL-3.0-or-later */
/* random: philox4x64-10 blocks handed out word by word. */
#include "common/base/random.h"

#include <Random123/philox.h>
#include <assert.h>
#include <math.h>

void random_init(struct random_state *self, uint64_t key0, uint64_t key1, uint64_t stream)
{
    *self = (struct random_state){.key = {key0, key1}, .stream = stream};
}

static void next_block(struct random_state *self)
{
    const philox4x64_ctr_t counter = {{self->counter, self->stream, 0, 0}};
    const philox4x64_key_t key = {{self->key[0], self->key[1]}};
    const philox4x64_ctr_t block = philox4x64(counter, key);
    for (int i = 0; i < 4; i++)
        self->block[i] = block.v[i];
    self->counter++;
    self->left = 4;
}

uint64_t random_u64(struct random_state *self)
{
    if (self->left == 0)
        next_block(self);
    return self->block[4 - self->left--];
}

double random_uniform(struct random_state *self)
{
    return (double)(random_u64(self) >> 11) * 0x1p-53;
}

uint64_t random_below(struct random_state *self, uint64_t n)
{
    assert(n > 0);
    /* Rejects the lowest 2^64 mod n words, so that n divides the number of words left. */
    const uint64_t unfair = (UINT64_MAX - n + 1) % n;
    uint64_t word;
    do
        word = random_u64(self);
    while (word < unfair);
    return word % n;
}

double random_gaussian(struct random_state *self)
{
    const double pi = 3.14159265358979323846;
    const double above_zero = 1.0 - random_uniform(self); /* (0, 1]: the logarithm is finite */
    const double angle = 2.0 * pi * random_uniform(self);
    return sqrt(-2.0 * log(above_zero)) * cos(angle);
}
