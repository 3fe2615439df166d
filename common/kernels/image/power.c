/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/image/power.h"

#include <assert.h>
#include <math.h>

/* The usual power: vector instructions instead of calls of pow, and rounded the same way by every
 * machine. */
static void image_to_roots(size_t n, const float intensity[], float out[])
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += sqrt((double)intensity[i]);
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(sqrt((double)intensity[i]) / sum);
}

void image_to_power(size_t n, const float intensity[], double power, float out[])
{
    assert(n > 0);
    if (power == 0.5) {
        image_to_roots(n, intensity, out);
        return;
    }
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += pow((double)intensity[i], power);
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(pow((double)intensity[i], power) / sum);
}
