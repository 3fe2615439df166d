/* SPDX-License-Identifier: GPL-3.0-or-later */
/* two_least: the two smallest scores of a group of columns, for each instruction set. The file that
 * includes this defines before: the vector type score_lanes, and score_min and score_max of two of
 * them, lane by lane. */
#ifndef COMMON_KERNELS_CPU_TWO_LEAST_H
#define COMMON_KERNELS_CPU_TWO_LEAST_H

/* Per lane the smallest and the second-smallest score so far. */
struct two_least {
    score_lanes best;
    score_lanes second;
};

static inline struct two_least two_least_of(score_lanes a, score_lanes b)
{
    return (struct two_least){score_min(a, b), score_max(a, b)};
}

static inline struct two_least two_least_join(struct two_least a, struct two_least b)
{
    const struct two_least bests = two_least_of(a.best, b.best);
    return (struct two_least){bests.best, score_min(bests.second, score_min(a.second, b.second))};
}

#endif
