/* SPDX-License-Identifier: GPL-3.0-or-later */
/* toy_null: the significance of the largest of several statistics, by toys. Every statistic T is
 * standardised by the mean and standard deviation of its toys; S is the largest of these pulls, and
 * the share of toys whose own S is as large is the p-value. It is corrected for having looked at
 * all the statistics, as every toy looks at them too (look-elsewhere effect). */
#ifndef COMMON_KERNELS_STATISTICS_TOY_NULL_H
#define COMMON_KERNELS_STATISTICS_TOY_NULL_H

#include <stdbool.h>
#include <stddef.h>

/* With fewer toys beyond S than TOY_NULL_REACHED_MIN their share is known to no better than a
 * third, and the p-value is extrapolated, if there are toys enough for that: the skewness of
 * TOY_NULL_EXTRAPOLATED_MIN toys is known to 0.1. With fewer, p_toys stands, which is never too
 * small: with none beyond S it is a bound. */
enum { TOY_NULL_REACHED_MIN = 10, TOY_NULL_EXTRAPOLATED_MIN = 500 };

struct toy_null {
    size_t largest; /* index of the statistic with the largest pull */
    double s;       /* that pull, in standard deviations of its toys */
    size_t reached; /* toys whose S is at least that */
    double p_toys;  /* (1 + reached) / (1 + toys) */
    double log_p;   /* ln of p_toys, or extrapolated */
    double z;       /* -Phi^-1(p), one-sided */
    /* The p-value is that of a gamma distribution with the mean, variance and skewness of the toys'
     * S (a Gaussian where the skewness is not positive). */
    bool extrapolated;
    double mean; /* of S over the toys ... */
    double sd;
    double skewness;
};

/* observed[n] statistics, and t[toys][n] those of the toys; n > 0, toys > 1. A statistic that is
 * the same in all toys has the pull 0. scratch[toys + 2 n]. */
void toy_null_test(size_t toys, size_t n, const double observed[], const double t[],
                   double scratch[], struct toy_null *out);

#endif
