/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recombine_plain: the hot loops of recombine.h for any machine. */
#include "common/kernels/recombine.h"

static struct meeting meet(struct recombine_slots *slots, const struct newcomer *newcomer)
{
    struct meeting met = {newcomer->radius2, RECOMBINE_BEAM};
    for (size_t k = 0; k < slots->n; k++) {
        const double distance2 = direction_distance2(slots->rapidity[k], slots->phi[k],
                                                     newcomer->rapidity, newcomer->phi);
        const double score = distance2 * slots->weight[k];
        if (!(slots->weight[k] < newcomer->weight)) {
            if (distance2 < met.distance2)
                met = (struct meeting){distance2, (int64_t)k};
        } else if (score < slots->score[k]) {
            slots->score[k] = score;
            slots->nearest[k] = newcomer->index;
        }
    }
    return met;
}

static size_t least(const struct recombine_slots *slots)
{
    size_t found = 0;
    for (size_t k = 1; k < slots->n; k++)
        if (slots->score[k] < slots->score[found])
            found = k;
    return found;
}

const struct recombine_path recombine_path_plain = {.meet = meet, .least = least};
